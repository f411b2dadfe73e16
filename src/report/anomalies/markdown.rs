//! The matrix as GitHub-flavoured Markdown.

use std::fmt::Write as _;

use super::model::Anomalies;
use super::words::{self, LEGEND};
use crate::anomaly::{Case, Ending};
use crate::isolation::Isolation;
use crate::report::markdown::text::{bullets, code, code_cell, escape, line, table as lines};
use crate::report::words::plain;

/// What was found as GitHub-flavoured Markdown.
pub fn markdown(found: &Anomalies) -> String {
    let mut text = String::new();
    let (word, tone) = words::headline(found);
    line(&mut text, &format!("## {} {word} · exit {}", tone.mark(), found.exit_code));
    line(&mut text, &escape(&words::what(found)));
    line(&mut text, &format!("{}.", escape(&words::decisive(found))));
    line(&mut text, "### What happens at each level");
    let levels: Vec<String> = found.levels.iter().map(ToString::to_string).collect();
    let header: Vec<&str> =
        ["case", "code", "readers on"].into_iter().chain(levels.iter().map(String::as_str)).collect();
    let mut rows = Vec::new();
    for case in &found.cases {
        for on in found.placements.iter().filter(|on| case.cells.iter().any(|cell| cell.on == **on)) {
            let cells = found.levels.iter().map(|level| escape(&words::at(case, *on, *level)));
            let names = [code_cell(&case.name), escape(case.code.as_deref().unwrap_or("–")), on.to_string()];
            rows.push(names.into_iter().chain(cells).collect());
        }
    }
    lines(&mut text, &header, 0..0, rows.into_iter());
    line(&mut text, "### At which step");
    bullets(&mut text, words::steps(found).iter().map(|line| escape(line)));
    line(&mut text, "### What prevents it, and what does not");
    let tried = found.cases.iter().flat_map(|case| case.preventions.iter().map(move |tried| (case, tried)));
    let rows = tried.map(|(case, tried)| {
        vec![
            code_cell(&case.name),
            code_cell(&tried.name),
            tried.isolation.to_string(),
            escape(&words::cell(&tried.result)),
            words::claim(tried).to_owned(),
            escape(&tried.why),
        ]
    });
    lines(&mut text, &["case", "with", "at", "found", "", "why"], 0..0, rows);
    line(&mut text, "### How to read it");
    bullets(&mut text, LEGEND.iter().map(|line| escape(line)));
    let trouble = words::trouble(found);
    if !trouble.is_empty() {
        line(&mut text, "### Differences");
        bullets(&mut text, trouble.iter().map(|line| escape(line)));
    }
    line(&mut text, "### Not checked");
    bullets(&mut text, found.not_checked.iter().map(|line| escape(line)));
    line(&mut text, "### Repeat");
    line(&mut text, &format!("    {}", plain(&found.reproduce)));
    let _ = writeln!(text, "replab {}", escape(&found.version));
    text
}

/// What `cases` expect, as a table; docs/anomalies.md holds that of the catalogue.
pub fn table(cases: &[Case]) -> String {
    let mut text = String::new();
    let header: Vec<&str> =
        ["case", "code", "readers on"].into_iter().chain(Isolation::ALL.map(Isolation::sql)).collect();
    let mut rows = Vec::new();
    for case in cases {
        for on in case.placements() {
            let expected = Isolation::ALL.map(|level| match case.expect.get(&(on, level)) {
                None => "–".to_owned(),
                Some(Ending::Happens) => "**happens**".to_owned(),
                Some(Ending::Snapshot) => "snapshot".to_owned(),
                Some(ending) => {
                    let at = ending.at().map_or(String::new(), |at| format!(" at {}", code(at)));
                    format!("{}{at}", words::brief(ending))
                }
            });
            let names = [code_cell(&case.name), escape(case.code.as_deref().unwrap_or("–")), on.to_string()];
            rows.push(names.into_iter().chain(expected).collect());
        }
    }
    lines(&mut text, &header, 0..0, rows.into_iter());
    text
}
