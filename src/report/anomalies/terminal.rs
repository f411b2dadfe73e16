//! The matrix on a terminal, what prevents each case, and what differs.

use super::model::Anomalies;
use super::words::{self, LEGEND};
use crate::report::Look;
use crate::report::terminal::sheet::Sheet;
use crate::report::words::plain;

/// What was found for a terminal, ending in a line break. The last line names what decided it and the exit code.
pub fn terminal(found: &Anomalies, look: Look) -> String {
    let mut sheet = Sheet::new(look);
    let (word, tone) = words::headline(found);
    sheet.headline(tone, word, &words::what(found));
    sheet.title("WHAT HAPPENS AT EACH LEVEL");
    matrix(found, &mut sheet);
    let steps = words::steps(found);
    if !steps.is_empty() {
        sheet.title("AT WHICH STEP");
        steps.iter().for_each(|line| sheet.paragraph("· ", line));
    }
    if found.cases.iter().any(|case| !case.preventions.is_empty()) {
        sheet.title("WHAT PREVENTS IT, AND WHAT DOES NOT");
        preventions(found, &mut sheet);
    }
    sheet.title("HOW TO READ IT");
    LEGEND.iter().for_each(|line| sheet.paragraph("· ", line));
    let trouble = words::trouble(found);
    if !trouble.is_empty() {
        sheet.title("DIFFERENCES");
        trouble.iter().for_each(|line| sheet.paragraph("· ", line));
    }
    sheet.title("NOT CHECKED");
    found.not_checked.iter().for_each(|line| sheet.paragraph("· ", &plain(line)));
    sheet.title("REPEAT");
    sheet.command(&plain(&found.reproduce));
    sheet.remark("step by step: replab anomalies show NAME");
    sheet.verdict(tone, word, &words::decisive(found), found.exit_code);
    sheet.finish()
}

/// A row for each case and place, a column for each level.
fn matrix(found: &Anomalies, sheet: &mut Sheet) {
    let levels = found.levels.iter().map(ToString::to_string);
    let header: Vec<String> =
        ["case", "code", "readers on"].map(str::to_owned).into_iter().chain(levels).collect();
    let mut rows = Vec::new();
    for case in &found.cases {
        let places = found.placements.iter().filter(|on| case.cells.iter().any(|cell| cell.on == **on));
        for (number, on) in places.enumerate() {
            let name = if number == 0 { plain(&case.name) } else { String::new() };
            let code = case.code.as_deref().filter(|_| number == 0).unwrap_or_default();
            let cells = found.levels.iter().map(|level| words::at(case, *on, *level));
            rows.push([name, plain(code), on.to_string()].into_iter().chain(cells).collect());
        }
    }
    sheet.table(&header, &rows, header.len(), &[1]);
}

fn preventions(found: &Anomalies, sheet: &mut Sheet) {
    let header = ["case", "with", "at", "readers on", "found"].map(str::to_owned);
    let mut rows = Vec::new();
    for case in &found.cases {
        for (number, tried) in case.preventions.iter().enumerate() {
            rows.push(vec![
                if number == 0 { plain(&case.name) } else { String::new() },
                plain(&tried.name),
                tried.isolation.to_string(),
                tried.on.to_string(),
                words::tried(tried),
            ]);
        }
    }
    sheet.table(&header, &rows, header.len(), &[3]);
}
