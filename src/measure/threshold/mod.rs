//! Limits that a user sets on figures: `lag.p99<500ms`, `rate.ok>=1000`.
//!
//! A figure without samples, or one that the lab itself may have caused ([`Taint`](super::Taint)), meets no limit and
//! misses none: the answer is unknown.

mod measured;
mod metric;
mod quantity;

use std::fmt;
use std::str::FromStr;

use super::Figures;
use measured::measure;

pub use metric::{Metric, Stat};
pub use quantity::Unit;

/// Whether a limit is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// Nobody can tell.
    Unknown,
}

/// How the measured value has to compare with the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `==`
    Equal,
}

impl Comparison {
    /// Longer signs first, so that `<=` is not read as `<`.
    const SIGNS: [(&'static str, Comparison); 5] = [
        ("<=", Comparison::AtMost),
        (">=", Comparison::AtLeast),
        ("==", Comparison::Equal),
        ("<", Comparison::Below),
        (">", Comparison::Above),
    ];

    fn holds(self, measured: f64, limit: f64) -> bool {
        match self {
            Comparison::Below => measured < limit,
            Comparison::AtMost => measured <= limit,
            Comparison::Above => measured > limit,
            Comparison::AtLeast => measured >= limit,
            Comparison::Equal => measured == limit,
        }
    }

    /// Whether a value that was not seen could only be larger, and so could not make up for a miss.
    fn is_upper_bound(self) -> bool {
        matches!(self, Comparison::Below | Comparison::AtMost)
    }
}

/// A limit on one figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// As typed.
    pub text: String,
    /// What is limited.
    pub metric: Metric,
    /// How.
    pub comparison: Comparison,
    /// To what: nanoseconds, bytes, operations per second, or a number.
    pub value: f64,
}

/// Why a text is not a limit; says what would be one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a threshold: {reason}")]
pub struct ParseLimitError {
    text: String,
    reason: String,
}

impl FromStr for Limit {
    type Err = ParseLimitError;

    fn from_str(text: &str) -> Result<Limit, ParseLimitError> {
        let error = |reason: String| ParseLimitError { text: text.to_owned(), reason };
        let (at, sign, comparison) = text
            .char_indices()
            .find_map(|(at, _)| {
                let sign = Comparison::SIGNS.into_iter().find(|(sign, _)| text[at..].starts_with(sign));
                sign.map(|(sign, comparison)| (at, sign, comparison))
            })
            .ok_or_else(|| error("it has no <, <=, >, >= or ==; one is `lag.p99<500ms`".to_owned()))?;
        let metric: Metric = text[..at].trim().parse().map_err(error)?;
        let value = metric.unit().parse(text[at + sign.len()..].trim()).map_err(error)?;
        Ok(Limit { text: text.to_owned(), metric, comparison, value })
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

/// A limit, held against what was measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluation {
    /// The measured value with its unit; `None` where there is none.
    pub measured: Option<String>,
    /// Whether it meets the limit.
    pub met: Met,
    /// One line: why.
    pub reason: String,
}

/// Holds `limit` against `figures`.
pub fn evaluate(limit: &Limit, figures: &Figures) -> Evaluation {
    let measured = measure(&limit.metric, figures);
    let unit = limit.metric.unit();
    let shown = measured.value.map(|value| unit.show(value));
    let (met, reason) = match (measured.value, measured.taint) {
        (None, _) => (Met::Unknown, measured.doubts.join("; ")),
        (Some(_), Some(taint)) => (Met::Unknown, taint),
        (Some(value), None) => {
            let holds = limit.comparison.holds(value, limit.value);
            let certain = measured.doubts.is_empty() || (!holds && limit.comparison.is_upper_bound());
            let words = if holds { "within" } else { "outside" };
            let plain = format!("{} is {words} the limit", unit.show(value));
            match (certain, holds) {
                (false, _) => (Met::Unknown, measured.doubts.join("; ")),
                (true, true) => (Met::Yes, plain),
                (true, false) => (Met::No, plain),
            }
        }
    };
    let notes = measured.notes.iter().map(|note| format!("; {note}"));
    Evaluation { measured: shown, met, reason: notes.fold(reason, |reason, note| reason + &note) }
}

#[cfg(test)]
mod tests;
