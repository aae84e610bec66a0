//! Reads values off PostgreSQL's wire.

use std::error::Error;

use postgres::Row;
use postgres::types::{FromSql, Type};

use crate::StoreError;
use crate::row::Cell;

/// A `NUMERIC` is written in digits of this base.
const NUMERIC_BASE: i128 = 10_000;

/// The value of one column.
pub(crate) fn cell<'r>(row: &'r Row, index: usize) -> Result<Cell<'r>, StoreError> {
    row.try_get(index).map_err(|error| StoreError::Row { reason: with_cause(&error) })
}

/// An error and what is behind it; PostgreSQL's client keeps the point in the cause.
pub(super) fn with_cause(error: &dyn Error) -> String {
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

impl<'r> FromSql<'r> for Cell<'r> {
    fn from_sql(ty: &Type, raw: &'r [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(match *ty {
            Type::INT8 => Cell::Int(i64::from_sql(ty, raw)?),
            Type::INT4 => Cell::Int(i32::from_sql(ty, raw)?.into()),
            Type::INT2 => Cell::Int(i16::from_sql(ty, raw)?.into()),
            Type::BOOL => Cell::Int(bool::from_sql(ty, raw)?.into()),
            Type::FLOAT8 => Cell::Real(f64::from_sql(ty, raw)?),
            Type::FLOAT4 => Cell::Real(f32::from_sql(ty, raw)?.into()),
            Type::NUMERIC => numeric(raw).ok_or("a NUMERIC that is neither an integer nor a number")?,
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN | Type::JSON => {
                Cell::Text(std::str::from_utf8(raw)?)
            }
            _ => return Err(format!("columns of type {ty} are not read: CAST it to BIGINT or TEXT").into()),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Cell::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// Reads a `NUMERIC`, which `SUM` of a `BIGINT` and `AVG` are: as an integer when it is one that fits, otherwise as
/// the nearest number. The wire form is four 16-bit numbers (count of digits, weight of the first, sign, scale), then
/// the digits (PostgreSQL, `src/backend/utils/adt/numeric.c`, `numeric_send`).
fn numeric(raw: &[u8]) -> Option<Cell<'static>> {
    let words: Vec<i16> = raw.chunks_exact(2).map(|pair| i16::from_be_bytes([pair[0], pair[1]])).collect();
    let [count, weight, sign, _scale, digits @ ..] = words.as_slice() else { return None };
    let sign = match *sign {
        0 => 1_i8,
        0x4000 => -1,
        _ => return None,
    };
    let digits = digits.get(..usize::try_from(*count).ok()?)?;
    integer(digits, *weight).and_then(|value| i64::try_from(value * i128::from(sign)).ok()).map(Cell::Int).or_else(
        || {
            let base = NUMERIC_BASE as f64;
            let mut value = 0.0;
            for (index, digit) in digits.iter().enumerate() {
                let power = i32::from(*weight) - i32::try_from(index).ok()?;
                value += f64::from(*digit) * base.powi(power);
            }
            Some(Cell::Real(value * f64::from(sign)))
        },
    )
}

/// The digits as an integer, unless they have a fraction or do not fit.
fn integer(digits: &[i16], weight: i16) -> Option<i128> {
    let whole = usize::try_from(i32::from(weight) + 1).ok()?;
    if digits.iter().skip(whole).any(|digit| *digit != 0) {
        return None;
    }
    // Trailing zero digits are not sent.
    (0..whole).try_fold(0_i128, |value, index| {
        let digit = digits.get(index).copied().unwrap_or(0);
        value.checked_mul(NUMERIC_BASE)?.checked_add(digit.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[i16]) -> Option<Cell<'static>> {
        numeric(&words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<_>>())
    }

    #[test]
    fn a_numeric_without_a_fraction_is_an_integer() {
        assert_eq!(read(&[0, 0, 0, 0]), Some(Cell::Int(0)));
        assert_eq!(read(&[1, 1, 0, 0, 2]), Some(Cell::Int(20_000)));
        assert_eq!(read(&[2, 1, 0x4000, 0, 1, 2_345]), Some(Cell::Int(-12_345)));
        assert_eq!(read(&[5, 4, 0, 0, 922, 3_372, 368, 5_477, 5_807]), Some(Cell::Int(i64::MAX)));
        assert_eq!(read(&[5, 4, 0x4000, 0, 922, 3_372, 368, 5_477, 5_808]), Some(Cell::Int(i64::MIN)));
    }

    #[test]
    fn another_numeric_is_a_number_and_rubbish_is_nothing() {
        assert_eq!(read(&[1, -1, 0, 2, 5_000]), Some(Cell::Real(0.5)));
        assert_eq!(read(&[1, 5, 0, 0, 1]), Some(Cell::Real(1e20)));
        assert_eq!(read(&[0, 0, 0xC000_u16.cast_signed(), 0]), None);
        assert_eq!(read(&[3, 0, 0, 0, 1]), None);
        assert_eq!(numeric(&[0, 1]), None);
    }
}
