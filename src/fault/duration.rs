//! Lengths of time as people type them: `250ms`, `1.5s`, `2m`.

use crate::history::Nanos;

/// Units by name, in nanoseconds.
const UNITS: [(&str, u64); 5] =
    [("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000)];

/// Longest accepted length: a year. It leaves room to add times without overflow.
const LONGEST: u64 = 365 * 24 * 3_600_000_000_000;

/// Why a text is not a length of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a length of time: {problem}")]
pub struct DurationSyntax {
    /// As typed.
    pub text: String,
    /// What is wrong, with an example of what is right.
    pub problem: &'static str,
}

/// Reads `250ms`, `3s`, `2m`, `1.5s`, `1h`, `100us`. The unit is required, so that nobody has to guess it.
pub fn duration(text: &str) -> Result<Nanos, DurationSyntax> {
    let fail = |problem| DurationSyntax { text: text.to_owned(), problem };
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == 'µ');
    let name = match &text[number.len()..] {
        "µs" => "us",
        name => name,
    };
    if name.is_empty() {
        return Err(fail("it needs a number with a unit, such as 250ms, 3s or 2m"));
    }
    let unit = UNITS
        .iter()
        .find(|(unit, _)| *unit == name)
        .ok_or_else(|| fail("known units are us, ms, s, m and h"))?
        .1;
    let (whole, fraction) = number.trim_end().split_once('.').unwrap_or((number.trim_end(), ""));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || (number.contains('.') && !digits(fraction)) {
        return Err(fail("it needs a number with a unit, such as 250ms, 3s or 2m"));
    }
    let too_long = || fail("it is longer than a year");
    let whole: u64 = whole.parse().map_err(|_| too_long())?;
    let mut nanos = whole.checked_mul(unit).ok_or_else(too_long)?;
    // Digits below a nanosecond are cut off.
    let mut place = unit;
    for digit in fraction.bytes() {
        place /= 10;
        nanos = nanos.saturating_add(u64::from(digit - b'0') * place);
    }
    if nanos > LONGEST { Err(too_long()) } else { Ok(Nanos(nanos)) }
}

/// Writes a length such that [`duration`] reads the same one back: whole hours, whole minutes, seconds, or
/// milliseconds below one second.
pub fn format_duration(length: Nanos) -> String {
    const SECOND: u64 = 1_000_000_000;
    let (unit, name) = match length.0 {
        0 => (SECOND, "s"),
        1..SECOND => (1_000_000, "ms"),
        hours if hours.is_multiple_of(3600 * SECOND) => (3600 * SECOND, "h"),
        minutes if minutes.is_multiple_of(60 * SECOND) => (60 * SECOND, "m"),
        _ => (SECOND, "s"),
    };
    let (whole, rest) = (length.0 / unit, length.0 % unit);
    if rest == 0 {
        return format!("{whole}{name}");
    }
    let places = unit.ilog10() as usize;
    let fraction = format!("{rest:0places$}");
    format!("{whole}.{}{name}", fraction.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_what_people_type() {
        let read = |text: &str| duration(text).unwrap().0;
        assert_eq!(read("250ms"), 250_000_000);
        assert_eq!(read("3s"), 3_000_000_000);
        assert_eq!(read("2m"), 120_000_000_000);
        assert_eq!(read("1.5s"), 1_500_000_000);
        assert_eq!(read("1.5m"), 90_000_000_000);
        assert_eq!(read("1h"), 3_600_000_000_000);
        assert_eq!(read("20 µs"), 20_000);
        assert_eq!(read("0s"), 0);
    }

    #[test]
    fn writes_the_unit_that_fits() {
        let write = |text: &str| format_duration(duration(text).unwrap());
        let all = ["0ms", "20us", "999ms", "1000ms", "2.50s", "61s", "60s", "90m", "120m", "24h"].map(write);
        assert_eq!(all, ["0s", "0.02ms", "999ms", "1s", "2.5s", "61s", "1m", "90m", "2h", "24h"]);
    }

    #[test]
    fn refuses_the_rest_and_says_why() {
        let say = |text: &str| duration(text).unwrap_err().to_string();
        insta::assert_snapshot!(say("10"), @"`10` is not a length of time: it needs a number with a unit, such as 250ms, 3s or 2m");
        insta::assert_snapshot!(say(""), @"`` is not a length of time: it needs a number with a unit, such as 250ms, 3s or 2m");
        insta::assert_snapshot!(say("s"), @"`s` is not a length of time: it needs a number with a unit, such as 250ms, 3s or 2m");
        insta::assert_snapshot!(say("-1s"), @"`-1s` is not a length of time: it needs a number with a unit, such as 250ms, 3s or 2m");
        insta::assert_snapshot!(say("1.s"), @"`1.s` is not a length of time: it needs a number with a unit, such as 250ms, 3s or 2m");
        insta::assert_snapshot!(say("3 weeks"), @"`3 weeks` is not a length of time: known units are us, ms, s, m and h");
        insta::assert_snapshot!(say("9000h"), @"`9000h` is not a length of time: it is longer than a year");
        insta::assert_snapshot!(say("99999999999999999999s"), @"`99999999999999999999s` is not a length of time: it is longer than a year");
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(nanos in 0..=LONGEST) {
            prop_assert_eq!(duration(&format_duration(Nanos(nanos))), Ok(Nanos(nanos)));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            let _ = duration(&text);
        }
    }
}
