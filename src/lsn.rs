//! PostgreSQL's log sequence number, parsed strictly.
//!
//! Source: PostgreSQL manual, "pg_lsn Type": two hexadecimal numbers of up to eight digits, separated by a slash.
//! `0/0` is PostgreSQL's "none": it is not an [`Lsn`] here, but `Option::None`.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A byte position in the write-ahead log; never zero.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Lsn(NonZeroU64);

/// Why a text is not a log sequence number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a log sequence number (expected two hexadecimal numbers of 1 to 8 digits, such as 16/B374D848)"
)]
pub struct ParseLsnError(String);

impl Lsn {
    /// The position `bytes` from the start of the log; `None` for 0, which PostgreSQL uses as "invalid".
    pub fn new(bytes: u64) -> Option<Lsn> {
        NonZeroU64::new(bytes).map(Lsn)
    }

    /// Bytes from the start of the log.
    pub fn bytes(self) -> u64 {
        self.0.get()
    }

    /// Bytes from `other` to `self`; negative when `self` is the earlier one.
    pub fn distance_from(self, other: Lsn) -> i128 {
        i128::from(self.bytes()) - i128::from(other.bytes())
    }

    /// Parses PostgreSQL's text form, with `0/0` as `None`.
    pub fn parse_optional(text: &str) -> Result<Option<Lsn>, ParseLsnError> {
        let error = || ParseLsnError(text.to_owned());
        let (high, low) = text.split_once('/').ok_or_else(error)?;
        let half = |digits: &str| {
            let valid = (1..=8).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
            valid.then(|| u64::from_str_radix(digits, 16).ok()).flatten().ok_or_else(error)
        };
        Ok(Lsn::new(half(high)? << 32 | half(low)?))
    }
}

impl FromStr for Lsn {
    type Err = ParseLsnError;

    fn from_str(text: &str) -> Result<Lsn, ParseLsnError> {
        Lsn::parse_optional(text)?.ok_or_else(|| ParseLsnError(text.to_owned()))
    }
}

impl TryFrom<String> for Lsn {
    type Error = ParseLsnError;

    fn try_from(text: String) -> Result<Lsn, ParseLsnError> {
        text.parse()
    }
}

impl From<Lsn> for String {
    fn from(lsn: Lsn) -> String {
        lsn.to_string()
    }
}

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X}/{:X}", self.bytes() >> 32, self.bytes() & 0xFFFF_FFFF)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rejects_what_the_driver_accepts() {
        for text in ["+1/2", "100000000/0", "0/100000000", "1", "1/", "/1", "1/2/3", "0x1/2", " 1/2", "g/1"] {
            assert_eq!(text.parse::<Lsn>(), Err(ParseLsnError(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn zero_is_none() {
        assert_eq!(Lsn::parse_optional("0/0"), Ok(None));
        assert!("0/0".parse::<Lsn>().is_err());
    }

    #[test]
    fn distance_is_signed() {
        let (a, b): (Lsn, Lsn) = ("1/0".parse().unwrap(), "0/FFFFFFFF".parse().unwrap());
        assert_eq!((a.distance_from(b), b.distance_from(a)), (1, -1));
    }

    proptest! {
        #[test]
        fn text_round_trips(bytes in 1u64..) {
            let lsn = Lsn::new(bytes).unwrap();
            prop_assert_eq!(lsn.to_string().parse::<Lsn>(), Ok(lsn));
        }
    }
}
