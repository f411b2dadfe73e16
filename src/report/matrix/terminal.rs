//! A matrix on a terminal: what was lost at a glance, then each fault with its times and its reasons.

use super::model::{FaultFacts, Matrix};
use super::words::{self, LEGEND};
use crate::report::Look;
use crate::report::outcome::Tone;
use crate::report::terminal::sheet::Sheet;
use crate::report::words::plain;

/// The matrix for a terminal, ending in a line break. The last line names what decided it and the exit code.
pub fn terminal(matrix: &Matrix, look: Look) -> String {
    let mut sheet = Sheet::new(look);
    let (word, tone) = words::headline(matrix);
    sheet.headline(tone, word, &words::what(matrix));
    sheet.title("ACKNOWLEDGED COMMITS LOST");
    overview(matrix, &mut sheet);
    for fault in &matrix.faults {
        sheet.title(&plain(&fault.name).to_uppercase());
        sheet.paragraph("", &plain(&fault.schedule));
        details(matrix, fault, &mut sheet);
        sheet.paragraph("", &plain(&fault.explanation));
        for (settings, why) in words::reasons(matrix, fault) {
            sheet.paragraph("· ", &format!("{settings}: {why}"));
        }
    }
    sheet.title("HOW TO READ IT");
    LEGEND.iter().for_each(|line| sheet.paragraph("· ", line));
    let trouble = words::trouble(matrix);
    if !trouble.is_empty() {
        sheet.title("RUNS WITHOUT FIGURES");
        trouble.iter().for_each(|line| sheet.paragraph("· ", line));
    }
    sheet.title("NOT CHECKED");
    matrix.not_checked.iter().for_each(|line| sheet.paragraph("· ", &plain(line)));
    sheet.title("REPEAT");
    sheet.command(&plain(&matrix.reproduce));
    sheet.remark(&words::took(matrix));
    sheet.verdict(tone, word, &words::decisive(matrix), matrix.exit_code);
    sheet.finish()
}

/// A column a level, a row for each fault with each setting of the standbys.
fn overview(matrix: &Matrix, sheet: &mut Sheet) {
    let levels = matrix.synchronous_commit.iter().map(|level| level.replace('_', "_\n"));
    let header: Vec<String> = ["fault", "standbys"].map(str::to_owned).into_iter().chain(levels).collect();
    let mut rows = Vec::new();
    for fault in &matrix.faults {
        for (place, standbys) in matrix.standbys.iter().enumerate() {
            let name = if place == 0 { folded(&plain(&fault.name)) } else { String::new() };
            let cells = matrix.of(fault).filter(|cell| cell.standbys == *standbys);
            let lost = cells.map(|cell| words::lost(cell).join("\n").replace("LAB FAILED", "LAB\nFAILED"));
            rows.push([name, plain(standbys)].into_iter().chain(lost).collect());
        }
    }
    sheet.table(&header, &rows, 2, &[]);
}

/// In lines of about sixteen columns.
fn folded(text: &str) -> String {
    const WIDTH: usize = 16;
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let used = lines.last().map_or(0, |line| line.chars().count());
        if used > 0 && used + 1 + word.chars().count() > WIDTH {
            lines.push(word.to_owned());
        } else if let Some(line) = lines.last_mut() {
            if used > 0 {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n")
}

/// A row a cell.
fn details(matrix: &Matrix, fault: &FaultFacts, sheet: &mut Sheet) {
    const NAMES: [&str; 8] = [
        "waits\nfor",
        "synchronous_\ncommit",
        "claim",
        "lost",
        "over",
        "no\nwrites",
        "first\ncommit",
        "no reads",
    ];
    let mut before = "";
    let rows: Vec<Vec<String>> = matrix
        .of(fault)
        .map(|cell| {
            let is_first = before != cell.standbys;
            before = &cell.standbys;
            let summary = &cell.summary;
            vec![
                if is_first { plain(&cell.standbys) } else { String::new() },
                words::level(cell),
                words::claim(cell).to_owned(),
                // The overview has the range.
                words::lost(cell).into_iter().next().unwrap_or_default(),
                words::time(cell, summary.span),
                words::time(cell, summary.writes_out),
                words::time(cell, summary.first_commit),
                words::reads(cell).join("\n"),
            ]
        })
        .collect();
    sheet.table(&NAMES.map(str::to_owned), &rows, 3, &[]);
    if rows.is_empty() {
        sheet.item(Tone::Unknown, 0, "no cell has this fault", "");
    }
}
