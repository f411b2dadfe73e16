//! Errors by kind, most frequent first.

use maud::{Markup, html};

use crate::report::Report;
use crate::report::html::parts::{Section, table};
use crate::report::words::{self, count};

pub(super) fn section(report: &Report) -> Section {
    let rows: Vec<Vec<Markup>> = (report.figures.errors.iter())
        .map(|error| {
            vec![
                html! { (words::class(error.class)) },
                html! { @if let Some(code) = &error.sqlstate { code { (code) } } @else { "–" } },
                html! { (error.operation) },
                html! { (error.node) },
                html! { span.detail { (error.example) } },
                html! { (count(error.fail)) },
                html! { (count(error.info)) },
            ]
        })
        .collect();
    let header = ["error", "SQLSTATE", "operation", "node", "for example", "did not happen", "unknown"];
    let body = html! {
        @if rows.is_empty() { p { "There were none." } } @else {
            p { "Every operation that did not succeed, by its class, PostgreSQL's code, the operation and the node. "
                b { "Did not happen" } " is certain; " b { "unknown" } " stays possible for ever." }
            (table("Errors", &header, 5, &rows))
        }
    };
    Section::new("errors", "Errors by SQLSTATE", body)
}
