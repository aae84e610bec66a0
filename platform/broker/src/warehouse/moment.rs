//! DATE, TIME, DATETIME and TIMESTAMP, from BigQuery's canonical texts and from the numbers of its Storage Write API: days, microseconds
//! since 1970, and packed civil times.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use serde_json::Value;

/// The first and the last second of a TIMESTAMP: years 1 to 9999.
const SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// `2026-01-02`, or days since 1970.
pub(super) fn date(value: &Value) -> Option<String> {
    let date = match value {
        Value::String(text) => Reader::whole(text, Reader::date)?,
        Value::Number(days) => {
            let seconds = days.as_i64()?.checked_mul(86_400).filter(|s| SECONDS.contains(s))?;
            Offset::UTC.to_datetime(Timestamp::from_second(seconds).ok()?).date()
        }
        _ => return None,
    };
    Some(date.to_string())
}

/// `12:34:56.123456`, or a packed time.
pub(super) fn time(value: &Value) -> Option<String> {
    let time = match value {
        Value::String(text) => Reader::whole(text, Reader::time)?,
        Value::Number(packed) => unpack_time(packed.as_i64()?)?,
        _ => return None,
    };
    Some(format!("{time:.6}"))
}

/// `2026-01-02T12:34:56.123456`, or a packed date and time.
pub(super) fn datetime(value: &Value) -> Option<String> {
    let datetime = match value {
        Value::String(text) => Reader::whole(text, Reader::datetime)?,
        Value::Number(packed) => {
            let packed = packed.as_i64()?;
            let date = packed >> 37;
            let (year, month, day) = (date >> 9, date >> 5 & 0xf, date & 0x1f);
            check_date(year, month, day)?.to_datetime(unpack_time(packed & ((1 << 37) - 1))?)
        }
        _ => return None,
    };
    Some(format!("{datetime:.6}"))
}

/// `2026-01-02 12:34:56.123456+01:00` in many forms, or microseconds since 1970. Written in UTC, RFC 3339.
pub(super) fn timestamp(value: &Value) -> Option<String> {
    let stamp = match value {
        Value::String(text) => Reader::whole(text, Reader::timestamp)?,
        Value::Number(micros) => Timestamp::from_microsecond(micros.as_i64()?).ok()?,
        _ => return None,
    };
    SECONDS.contains(&stamp.as_second()).then(|| write(stamp))
}

/// A time in milliseconds since 1970 as a TIMESTAMP column holds it.
pub(super) fn from_ms(epoch_ms: u64) -> String {
    let stamp = i64::try_from(epoch_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    write(stamp.unwrap_or(Timestamp::MAX))
}

fn write(stamp: Timestamp) -> String {
    format!("{stamp:.6}")
}

fn unpack_time(packed: i64) -> Option<Time> {
    check_time(packed >> 32, packed >> 26 & 0x3f, packed >> 20 & 0x3f, packed & 0xf_ffff)
}

fn check_date(year: i64, month: i64, day: i64) -> Option<Date> {
    let year = i16::try_from(year).ok().filter(|year| (1..=9_999).contains(year))?;
    Date::new(year, month.try_into().ok()?, day.try_into().ok()?).ok()
}

fn check_time(hour: i64, minute: i64, second: i64, micros: i64) -> Option<Time> {
    let nanos = i32::try_from(micros.checked_mul(1_000)?).ok()?;
    Time::new(hour.try_into().ok()?, minute.try_into().ok()?, second.try_into().ok()?, nanos).ok()
}

/// Reads a text from its start.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// What `read` makes of a whole text.
    fn whole<T>(text: &'a str, read: impl FnOnce(&mut Reader<'a>) -> Option<T>) -> Option<T> {
        let mut reader = Reader(text.as_bytes());
        let read = read(&mut reader)?;
        reader.0.is_empty().then_some(read)
    }

    fn date(&mut self) -> Option<Date> {
        let year = self.digits(4, 4)?;
        let month = self.eat(b"-").and_then(|_| self.digits(1, 2))?;
        let day = self.eat(b"-").and_then(|_| self.digits(1, 2))?;
        check_date(year, month, day)
    }

    fn time(&mut self) -> Option<Time> {
        let hour = self.digits(1, 2)?;
        let minute = self.eat(b":").and_then(|_| self.digits(1, 2))?;
        let second = self.eat(b":").and_then(|_| self.digits(1, 2))?;
        let mut micros = 0;
        if self.eat(b".").is_some() {
            let before = self.0.len();
            micros = self.digits(1, 6)?;
            for _ in before - self.0.len()..6 {
                micros *= 10;
            }
        }
        check_time(hour, minute, second, micros)
    }

    fn datetime(&mut self) -> Option<DateTime> {
        let date = self.date()?;
        let time = if self.eat(b"Tt ").is_some() { self.time()? } else { Time::midnight() };
        Some(date.to_datetime(time))
    }

    /// Without a zone it is UTC. Zones by name other than UTC are not known here.
    fn timestamp(&mut self) -> Option<Timestamp> {
        let datetime = self.datetime()?;
        let spaced = self.eat(b" ").is_some();
        let seconds = match self.0 {
            [] if !spaced => 0,
            [b'Z' | b'z', ..] => {
                self.0 = &self.0[1..];
                0
            }
            [b'U' | b'u', b'T' | b't', b'C' | b'c', ..] => {
                self.0 = &self.0[3..];
                0
            }
            _ => {
                let sign = if self.eat(b"+").is_some() { 1 } else { self.eat(b"-").map(|_| -1)? };
                let hours = self.digits(1, 2).filter(|hours| *hours <= 14)?;
                let minutes = match self.eat(b":") {
                    Some(_) => self.digits(1, 2).filter(|minutes| *minutes < 60)?,
                    None => 0,
                };
                sign * (hours * 3_600 + minutes * 60)
            }
        };
        Offset::from_seconds(i32::try_from(seconds).ok()?).ok()?.to_timestamp(datetime).ok()
    }

    /// A number of so many digits.
    fn digits(&mut self, least: usize, most: usize) -> Option<i64> {
        let count = self.0.iter().take(most).take_while(|b| b.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at(count);
        self.0 = rest;
        (count >= least).then(|| digits.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
    }

    /// One byte of a set.
    fn eat(&mut self, set: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first().filter(|(first, _)| set.contains(first))?;
        self.0 = rest;
        Some(*first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn canonical_texts_are_read() {
        for (given, wanted) in [
            ("2026-11-22T10:00:00Z", "2026-11-22T10:00:00.000000Z"),
            ("2026-11-22 10:00:00.12 UTC", "2026-11-22T10:00:00.120000Z"),
            ("2026-11-22 10:00:00+01:30", "2026-11-22T08:30:00.000000Z"),
            ("2026-11-22 1:2:3 -8", "2026-11-22T09:02:03.000000Z"),
            ("2026-1-2", "2026-01-02T00:00:00.000000Z"),
            ("0001-01-01 00:00:00", "0001-01-01T00:00:00.000000Z"),
        ] {
            assert_eq!(timestamp(&json!(given)).as_deref(), Some(wanted), "{given}");
        }
        assert_eq!(date(&json!("2026-1-2")).as_deref(), Some("2026-01-02"));
        assert_eq!(time(&json!("1:2:3.5")).as_deref(), Some("01:02:03.500000"));
        assert_eq!(datetime(&json!("2026-01-02t03:04:05")).as_deref(), Some("2026-01-02T03:04:05.000000"));
        assert_eq!(datetime(&json!("2026-01-02")).as_deref(), Some("2026-01-02T00:00:00.000000"));
    }

    #[test]
    fn numbers_are_days_microseconds_and_packed_civil_times() {
        assert_eq!(date(&json!(1)).as_deref(), Some("1970-01-02"));
        assert_eq!(date(&json!(-1)).as_deref(), Some("1969-12-31"));
        assert_eq!(timestamp(&json!(1_614_367_435_749_123_i64)).as_deref(), Some("2021-02-26T19:23:55.749123Z"));
        let packed = (12_i64 << 32) | (34 << 26) | (56 << 20) | 123_456;
        assert_eq!(time(&json!(packed)).as_deref(), Some("12:34:56.123456"));
        let packed = (((2026_i64 << 9) | (11 << 5) | 22) << 37) | packed;
        assert_eq!(datetime(&json!(packed)).as_deref(), Some("2026-11-22T12:34:56.123456"));
    }

    #[test]
    fn what_is_no_moment_does_not_fit() {
        for bad in [
            "",
            "now",
            "2026-13-01",
            "2026-02-30",
            "0000-01-01",
            "26-01-01",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:00.0000001Z",
            "2026-01-01T00:00:00 Europe/Zurich",
            "2026-01-01T00:00:00+15",
            "2026-01-01T00:00:00 ",
            "2026-01-01T00:00:00Zz",
            "0001-01-01T00:00:00+01:00",
        ] {
            assert_eq!(timestamp(&json!(bad)), None, "{bad}");
        }
        for bad in [json!(1.5), json!(i64::MAX), json!(true), json!(null)] {
            assert_eq!((timestamp(&bad), date(&bad), time(&bad), datetime(&bad)), (None, None, None, None), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_fail_and_what_it_writes_it_reads(text in "\\PC{0,40}|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}[T ][0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(\\.[0-9]{1,7})?(Z| UTC|[+-][0-9]{1,2}(:[0-9]{2})?)?", number in any::<i64>()) {
            for read in [timestamp, date, time, datetime] {
                for value in [json!(text), json!(number), json!(number >> 20)] {
                    if let Some(written) = read(&value) {
                        prop_assert_eq!(read(&json!(written)), Some(written));
                    }
                }
            }
        }
    }
}
