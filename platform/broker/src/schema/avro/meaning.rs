//! Values of logical types, in the forms that columns take.

use serde_json::Value;

use super::types::Meaning;

/// Digits after the point of a BIGNUMERIC.
pub(super) const SCALE: usize = 38;
/// Bytes of a decimal that is looked at: a BIGNUMERIC has 256 bits.
const DECIMAL_BYTES: usize = 32;
const DAY_MICROS: i64 = 86_400_000_000;

/// A number as days (DATE), microseconds since 1970 (TIMESTAMP), a text (TIME), or as it is.
pub(super) fn integer(meaning: Option<Meaning>, number: i64) -> Result<Value, String> {
    match meaning {
        Some(Meaning::TimestampMillis) => {
            number.checked_mul(1_000).map(Value::from).ok_or("a timestamp is out of range".to_owned())
        }
        Some(Meaning::TimeMillis) => time(number.checked_mul(1_000)),
        Some(Meaning::TimeMicros) => time(Some(number)),
        _ => Ok(Value::from(number)),
    }
}

/// Microseconds since midnight.
fn time(micros: Option<i64>) -> Result<Value, String> {
    let micros = micros.filter(|micros| (0..DAY_MICROS).contains(micros)).ok_or("a time is not within a day")?;
    let seconds = micros / 1_000_000;
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    Ok(Value::from(format!("{hour:02}:{minute:02}:{second:02}.{:06}", micros % 1_000_000)))
}

/// A two's complement number, its greatest byte first, with the point before the last `scale` digits.
pub(super) fn decimal(bytes: &[u8], scale: usize) -> Result<String, String> {
    let negative = bytes.first().is_some_and(|first| *first >= 0x80);
    let sign: u8 = if negative { 0xff } else { 0 };
    let mut magnitude: Vec<u8> = bytes.iter().skip_while(|byte| **byte == sign).map(|byte| byte ^ sign).collect();
    if magnitude.len() > DECIMAL_BYTES {
        return Err("a decimal is out of range".to_owned());
    }
    if negative {
        // One more than all bits turned; a carry out of the first byte is a byte of its own.
        magnitude.insert(0, 0);
        for byte in magnitude.iter_mut().rev() {
            let carry;
            (*byte, carry) = byte.overflowing_add(1);
            if !carry {
                break;
            }
        }
    }
    let mut digits = Vec::new();
    while magnitude.iter().any(|byte| *byte != 0) || digits.len() <= scale {
        let mut rest = 0u16;
        for byte in &mut magnitude {
            let part = rest << 8 | u16::from(*byte);
            *byte = u8::try_from(part / 10).expect("the rest is less than 10, so a tenth is less than 256");
            rest = part % 10;
        }
        digits.push(char::from(b'0' + u8::try_from(rest).expect("a digit")));
    }
    let whole: String = digits[scale..].iter().rev().collect();
    let fraction: String = digits[..scale].iter().rev().collect();
    let minus = if negative { "-" } else { "" };
    Ok(if scale == 0 { format!("{minus}{whole}") } else { format!("{minus}{whole}.{fraction}") })
}
