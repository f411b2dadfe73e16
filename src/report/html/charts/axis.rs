//! Scales and their ticks.

use crate::history::Nanos;
use crate::report::words;

/// What a value axis counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::report) enum Unit {
    /// Bytes.
    Bytes,
    /// Nanoseconds.
    Nanos,
    /// Operations a second.
    PerSecond,
    /// How often, as a mean.
    Times,
}

impl Unit {
    /// A value for a table or a readout.
    pub(super) fn show(self, value: f64) -> String {
        match self {
            Unit::Bytes => words::bytes(value as u64),
            Unit::Nanos => Nanos(value as u64).to_string(),
            Unit::PerSecond => words::rate(value),
            Unit::Times => format!("{value:.2}"),
        }
    }

    /// A tick: as short as can be.
    fn tick(self, value: f64) -> String {
        let (units, step): (&[&str], f64) = match self {
            Unit::Bytes => (&["B", "kB", "MB", "GB", "TB"], 1e3),
            Unit::Nanos => (&["ns", "µs", "ms", "s"], 1e3),
            Unit::PerSecond => return words::count(value as u64),
            Unit::Times => return trimmed(value),
        };
        let mut scaled = value;
        let mut place = 0;
        while scaled >= 999.5 && place + 1 < units.len() {
            scaled /= step;
            place += 1;
        }
        if value == 0.0 { "0".to_owned() } else { format!("{} {}", trimmed(scaled), units[place]) }
    }
}

/// At most four decimals, and none that say nothing.
fn trimmed(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// From a value to a place between 0 (bottom) and 1 (top).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::report::html) enum Scale {
    /// From zero to `top`.
    Linear {
        /// The largest value shown.
        top: f64,
    },
    /// Logarithmic from `low` to `top`, both powers of ten; the lowest part of the axis runs from zero to `low`, so
    /// that nothing at all has a place of its own.
    Log {
        /// Where the logarithm begins.
        low: f64,
        /// The largest value shown.
        top: f64,
    },
}

/// The part of a logarithmic axis below its first power of ten.
const ZERO: f64 = 0.09;

impl Scale {
    /// A linear scale that shows `largest`.
    pub(super) fn linear(largest: f64) -> Scale {
        let step = nice_step(largest, 4);
        Scale::Linear { top: (largest / step).ceil().max(1.0) * step }
    }

    /// A logarithmic scale that shows `smallest` (but never more than six powers of ten) to `largest`.
    pub(super) fn log(smallest: f64, largest: f64) -> Scale {
        let power = |value: f64| value.max(1.0).log10();
        let top = power(largest).ceil().max(1.0);
        let low = power(smallest).floor().clamp(top - 6.0, top - 1.0);
        Scale::Log { low: 10f64.powf(low), top: 10f64.powf(top) }
    }

    /// The place of `value`.
    pub(super) fn place(self, value: f64) -> f64 {
        let place = match self {
            Scale::Linear { top } => value / top,
            Scale::Log { low, .. } if value <= low => value / low * ZERO,
            Scale::Log { low, top } => {
                ZERO + (1.0 - ZERO) * (value.log10() - low.log10()) / (top.log10() - low.log10())
            }
        };
        place.clamp(0.0, 1.0)
    }

    /// Values worth a line across, with their text.
    pub(super) fn ticks(self, unit: Unit) -> Vec<(f64, String)> {
        let values: Vec<f64> = match self {
            Scale::Linear { top } => {
                let step = nice_step(top, 4);
                (0..=((top / step).round() as u32)).map(|n| f64::from(n) * step).collect()
            }
            Scale::Log { low, top } => {
                let powers = (low.log10().round() as i32)..=(top.log10().round() as i32);
                std::iter::once(0.0).chain(powers.map(|power| 10f64.powi(power))).collect()
            }
        };
        values.into_iter().map(|value| (value, unit.tick(value))).collect()
    }
}

/// The seconds worth a tick from `start` to `end`.
pub(super) fn seconds(start: f64, end: f64) -> Vec<(f64, String)> {
    let step = nice_step(end - start, 10);
    let first = (start / step).ceil() as i64;
    let last = (end / step).floor() as i64;
    (first..=last)
        .map(|n| {
            let value = n as f64 * step;
            (value, format!("{} s", trimmed(value).replace('-', "−")))
        })
        .collect()
}

/// A step of 1, 2 or 5 times a power of ten that divides `length` into at most `parts` parts.
pub(in crate::report) fn nice_step(length: f64, parts: u32) -> f64 {
    let rough = (length / f64::from(parts)).max(f64::MIN_POSITIVE);
    let power = 10f64.powf(rough.log10().floor());
    let nice = [1.0, 2.0, 5.0, 10.0].into_iter().find(|nice| nice * power >= rough * 0.999_999);
    let step = nice.unwrap_or(10.0) * power;
    if step.is_normal() { step } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_cover_the_data() {
        let shown = |scale: Scale, unit| -> Vec<String> {
            scale.ticks(unit).into_iter().map(|(_, text)| text).collect()
        };
        assert_eq!(shown(Scale::linear(2_140.0), Unit::PerSecond), ["0", "1,000", "2,000", "3,000"]);
        assert_eq!(shown(Scale::linear(0.0), Unit::PerSecond).first().map(String::as_str), Some("0"));
        assert_eq!(
            shown(Scale::log(600.0, 1_960_000.0), Unit::Bytes),
            ["0", "100 B", "1 kB", "10 kB", "100 kB", "1 MB", "10 MB"]
        );
        assert_eq!(
            shown(Scale::log(380_000.0, 61_000_000.0), Unit::Nanos),
            ["0", "100 µs", "1 ms", "10 ms", "100 ms"]
        );
        let times: Vec<String> = seconds(-0.4, 30.2).into_iter().map(|(_, text)| text).collect();
        assert_eq!(times, ["0 s", "5 s", "10 s", "15 s", "20 s", "25 s", "30 s"]);
        assert_eq!(seconds(0.0, 1.0).len(), 11);
    }

    #[test]
    fn zero_is_at_the_bottom_and_more_is_higher() {
        for scale in [Scale::linear(100.0), Scale::log(3.0, 90_000.0), Scale::log(0.0, 0.0)] {
            assert_eq!(scale.place(0.0), 0.0, "{scale:?}");
            let places: Vec<f64> =
                [0.0, 1.0, 5.0, 9.0, 11.0, 99.0].into_iter().map(|v| scale.place(v)).collect();
            assert!(places.windows(2).all(|pair| pair[0] <= pair[1]), "{scale:?}: {places:?}");
        }
    }
}
