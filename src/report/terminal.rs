//! The summary on a terminal.

use super::{Report, words};

/// How the terminal looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Whether ANSI colours are wanted.
    pub color: bool,
    /// Columns.
    pub width: usize,
}

/// The report for a terminal.
pub fn terminal(report: &Report, _look: Look) -> String {
    let headline = words::headline(report);
    format!("{} {}: {}\n", headline.mark, headline.word, super::verdict::decisive(report))
}
