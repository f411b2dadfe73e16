//! GitHub-flavoured Markdown.

use super::{Report, words};

/// The report as GitHub-flavoured Markdown.
pub fn markdown(report: &Report) -> String {
    let headline = words::headline(report);
    format!("# {} {}\n\n{}\n", headline.mark, headline.word, super::verdict::explanation(report).join("\n"))
}
