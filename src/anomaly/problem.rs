//! What is wrong with a case's file.

use std::fmt;
use std::ops::Range;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// `file.toml:3`, or the file alone where something is missing.
    pub place: String,
    /// What, and what would be right.
    pub message: String,
    /// The line, and carets below the part that is meant.
    pub excerpt: Option<String>,
}

/// Everything that is wrong; at least one problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseError {
    /// In the order of the file.
    pub problems: Vec<Problem>,
}

impl Problem {
    /// At the bytes `span` of `text`.
    pub(super) fn at(path: &str, text: &str, span: Range<usize>, message: String) -> Problem {
        let start = (0..=span.start.min(text.len())).rfind(|&at| text.is_char_boundary(at)).unwrap_or(0);
        let begin = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let number = text[..begin].matches('\n').count() + 1;
        let line = text[begin..].lines().next().unwrap_or_default();
        let column = text[begin..start].chars().count();
        let rest = line.chars().count().saturating_sub(column);
        let width = text.get(start..span.end).map_or(1, |part| part.chars().count()).min(rest).max(1);
        let margin = " ".repeat(number.to_string().len());
        // A tab before the part must take the same room in both lines.
        let indent: String = line.chars().take(column).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        Problem {
            place: format!("{path}:{number}"),
            message,
            excerpt: Some(format!("  {number} | {line}\n  {margin} | {indent}{}", "^".repeat(width))),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)?;
        self.excerpt.as_ref().map_or(Ok(()), |excerpt| write!(f, "\n{excerpt}"))
    }
}

impl fmt::Display for CaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, problem) in self.problems.iter().enumerate() {
            write!(f, "{}{problem}", if place == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl std::error::Error for CaseError {}
