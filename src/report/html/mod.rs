//! One self-contained page.

use super::{Report, words};
use maud::{DOCTYPE, html as markup};

/// The report as one HTML page that makes no network request.
pub fn html(report: &Report) -> String {
    let headline = words::headline(report);
    markup! { (DOCTYPE) html { body { h1 { (headline.mark) " " (headline.word) } } } }.into_string()
}
