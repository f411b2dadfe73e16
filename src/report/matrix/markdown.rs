//! A matrix as GitHub-flavoured Markdown: for a README, and for a pull request.

use std::fmt::Write as _;

use super::model::{FaultFacts, Matrix};
use super::words::{self, LEGEND};
use crate::report::markdown::text::{bullets, code, escape, line, table};
use crate::report::words::plain;

/// The matrix as GitHub-flavoured Markdown.
pub fn markdown(matrix: &Matrix) -> String {
    let mut text = String::new();
    let (word, tone) = words::headline(matrix);
    line(&mut text, &format!("## {} {word} · exit {}", tone.mark(), matrix.exit_code));
    line(&mut text, &escape(&words::what(matrix)));
    line(&mut text, &format!("{}.", escape(&words::decisive(matrix))));
    line(&mut text, "### Acknowledged commits lost");
    overview(matrix, &mut text);
    for fault in &matrix.faults {
        line(&mut text, &format!("### {}", escape(&fault.name)));
        line(&mut text, &code(&fault.schedule));
        details(matrix, fault, &mut text);
        // An explanation is written as Markdown's own: code between backticks.
        line(&mut text, &prose(&fault.explanation));
        let reasons = words::reasons(matrix, fault).into_iter();
        bullets(&mut text, reasons.map(|(settings, why)| format!("{}: {}", escape(&settings), prose(&why))));
    }
    line(&mut text, "### How to read it");
    bullets(&mut text, LEGEND.iter().map(|line| escape(line)));
    let trouble = words::trouble(matrix);
    if !trouble.is_empty() {
        line(&mut text, "### Runs without figures");
        bullets(&mut text, trouble.iter().map(|line| escape(line)));
    }
    line(&mut text, "### Not checked");
    bullets(&mut text, matrix.not_checked.iter().map(|sentence| prose(sentence)));
    line(&mut text, "### Repeat");
    line(&mut text, &format!("    {}", plain(&matrix.reproduce)));
    let _ = writeln!(
        text,
        "replab {}, {}, {}, {}",
        escape(&matrix.version),
        code(&matrix.id),
        escape(&matrix.started),
        words::took(matrix)
    );
    text
}

fn overview(matrix: &Matrix, text: &mut String) {
    let levels = matrix.synchronous_commit.iter().map(|level| code(level));
    let header: Vec<String> = ["fault", "standbys"].map(str::to_owned).into_iter().chain(levels).collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let of = |fault: &FaultFacts, standbys: &String| {
        let cells = matrix.of(fault).filter(|cell| cell.standbys == *standbys);
        let lost = cells.map(|cell| escape(&joined(words::lost(cell))));
        [escape(&fault.name), code(standbys)].into_iter().chain(lost).collect()
    };
    let rows = matrix.faults.iter().flat_map(|fault| matrix.standbys.iter().map(move |one| of(fault, one)));
    let rows: Vec<Vec<String>> = rows.collect();
    table(text, &header, 2..header.len(), rows.into_iter());
}

fn details(matrix: &Matrix, fault: &FaultFacts, text: &mut String) {
    const NAMES: [&str; 8] = [
        "standbys",
        "synchronous\\_commit",
        "claim",
        "lost",
        "over",
        "no writes",
        "first commit",
        "no reads",
    ];
    let rows = matrix.of(fault).map(|cell| {
        let summary = &cell.summary;
        vec![
            code(&cell.standbys),
            escape(&words::level(cell)),
            words::claim(cell).to_owned(),
            escape(&joined(words::lost(cell))),
            words::time(cell, summary.span),
            words::time(cell, summary.writes_out),
            words::time(cell, summary.first_commit),
            escape(&words::reads(cell).join(", ")),
        ]
    });
    table(text, &NAMES, 3..7, rows);
}

/// `! 12`, or `! 12 (3–40)`.
fn joined(lost: Vec<String>) -> String {
    match lost.as_slice() {
        [first, rest] => format!("{first} ({rest})"),
        lines => lines.concat(),
    }
}

/// Text in which what stands between backticks stays code.
fn prose(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return escape(text);
    }
    let mut prose = String::new();
    for (place, part) in parts.iter().enumerate() {
        if place % 2 == 1 {
            prose.push_str(&code(part));
            continue;
        }
        // Escaping takes the spaces at the ends away.
        let space = |edge: bool| if edge { " " } else { "" };
        prose.push_str(space(part.starts_with(char::is_whitespace)));
        prose.push_str(&escape(part));
        prose.push_str(space(part.len() > 1 && part.ends_with(char::is_whitespace)));
    }
    prose
}
