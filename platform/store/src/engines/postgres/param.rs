//! Puts values on PostgreSQL's wire.

use std::error::Error;

use postgres::types::private::BytesMut;
use postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};

use crate::Param;

/// The type a statement is prepared with, so that `?1 + 1` is a `BIGINT` and not what PostgreSQL would guess. A
/// `NULL` leaves the guess to it.
pub(super) fn type_of(param: &Param<'_>) -> Type {
    match param {
        Param::Null => Type::UNKNOWN,
        Param::Int(_) => Type::INT8,
        Param::Text(_) => Type::TEXT,
    }
}

/// A statement first prepared with a `NULL` has the type PostgreSQL guessed: write the value as that.
impl ToSql for Param<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match (*self, ty) {
            (Param::Null, _) => Ok(IsNull::Yes),
            (Param::Int(value), &Type::INT8) => value.to_sql(ty, out),
            (Param::Int(value), &Type::INT4) => i32::try_from(value)?.to_sql(ty, out),
            (Param::Int(value), &Type::INT2) => i16::try_from(value)?.to_sql(ty, out),
            (Param::Text(text), &(Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN)) => {
                text.to_sql(ty, out)
            }
            (param, ty) => Err(format!("{param:?} where {ty} is expected").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Binary
    }

    to_sql_checked!();
}
