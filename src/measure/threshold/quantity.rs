//! Values with units, as typed and as shown.

use crate::history::Nanos;

/// What a figure is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds; typed with `ns`, `us`, `ms`, `s` or `min`.
    Time,
    /// Bytes; typed with `B`, `kB`, `MB`, `GB` (decimal) or `KiB`, `MiB`, `GiB` (binary).
    Bytes,
    /// Per second; typed as a number, with `/s` or without.
    PerSecond,
    /// A number.
    Number,
}

impl Unit {
    const fn suffixes(self) -> &'static [(&'static str, f64)] {
        match self {
            Unit::Time => &[("ns", 1.0), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("min", 60e9)],
            Unit::Bytes => &[
                ("", 1.0),
                ("B", 1.0),
                ("kB", 1e3),
                ("MB", 1e6),
                ("GB", 1e9),
                ("KiB", 1024.0),
                ("MiB", 1_048_576.0),
                ("GiB", 1_073_741_824.0),
            ],
            Unit::PerSecond => &[("", 1.0), ("/s", 1.0)],
            Unit::Number => &[("", 1.0)],
        }
    }

    /// Parses `500ms`, `1.5 MB`, `1000/s`, `0`. The error says what is wrong, without the text.
    pub(super) fn parse(self, text: &str) -> Result<f64, String> {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_').unwrap_or(text.len());
        let (digits, suffix) = (text[..end].replace('_', ""), text[end..].trim());
        let number: f64 = digits.parse().map_err(|_| format!("`{text}` does not begin with a number"))?;
        let factor = self.suffixes().iter().find(|(name, _)| *name == suffix).map(|(_, factor)| factor);
        let factor = factor.ok_or_else(|| {
            let known: Vec<&str> =
                self.suffixes().iter().map(|(name, _)| *name).filter(|name| !name.is_empty()).collect();
            match (suffix, known.is_empty()) {
                (_, true) => format!("it is a number and has no unit `{suffix}`"),
                ("", false) => format!("it needs a unit: one of {}", known.join(", ")),
                (_, false) => format!("its unit is not `{suffix}` but one of {}", known.join(", ")),
            }
        })?;
        Ok(number * factor)
    }

    /// The value for a person.
    pub(super) fn show(self, value: f64) -> String {
        match self {
            Unit::Time => Nanos(value as u64).to_string(),
            Unit::Bytes => match value {
                0.0..1e3 => format!("{value} B"),
                1e3..1e6 => format!("{:.1} kB", value / 1e3),
                1e6..1e9 => format!("{:.1} MB", value / 1e6),
                _ => format!("{:.1} GB", value / 1e9),
            },
            Unit::PerSecond => format!("{value:.1}/s"),
            Unit::Number => format!("{value}"),
        }
    }
}
