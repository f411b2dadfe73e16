//! A matrix as one self-contained page, in the style of a run's report.

use maud::{Markup, html as markup};

use super::model::{Cell, CellRun, FaultFacts, Matrix};
use super::spread::Spread;
use super::words::{self, LEGEND};
use crate::report::html::parts::{Section, prose, table};
use crate::report::html::shell::{Shell, hero};
use crate::report::outcome::{Tone, exit_meaning};
use crate::report::words::plain;

/// The matrix as one HTML page that makes no network request; its links lead to the runs beside it.
pub fn html(matrix: &Matrix) -> String {
    let (word, tone) = words::headline(matrix);
    Shell {
        title: &format!("{word} · matrix · replab"),
        word,
        tone,
        run: &matrix.id,
        version: &matrix.version,
        hero: hero(
            &words::what(matrix),
            word,
            tone,
            &words::decisive(matrix),
            (matrix.exit_code, exit_meaning(matrix.exit_code)),
        ),
        sections: &sections(matrix),
        footer: markup! {
            "Written by replab " (matrix.version) ". " code { (matrix.id) } ", started " (matrix.started)
            ", " (words::took(matrix)) "."
        },
    }
    .render()
}

fn sections(matrix: &Matrix) -> Vec<Section> {
    let trouble = words::trouble(matrix);
    let list = |lines: &[String]| {
        markup! { ul.plain-list { @for line in lines { li { (prose(&plain(line))) } } } }
    };
    let legend = markup! { ul.plain-list { @for line in LEGEND { li { (line) } } } };
    let faults = markup! { @for fault in &matrix.faults { (details(matrix, fault)) } };
    let repeat = markup! {
        pre.command { (plain(&matrix.reproduce)) }
        details { summary { "matrix.toml" } pre { (matrix.plan) } }
        @for line in &matrix.machine { p.small { (plain(line)) } }
    };
    let mut sections = vec![
        Section::new("lost", "Acknowledged commits lost", overview(matrix)),
        Section::new("faults", "Fault by fault", faults),
        Section::new("legend", "How to read it", legend),
    ];
    if !trouble.is_empty() {
        sections.push(Section::new("trouble", "Runs without figures", list(&trouble)));
    }
    sections.push(Section::new("runs", "Every run", runs(matrix)));
    sections.push(Section::new("not-checked", "Not checked", list(&matrix.not_checked)));
    sections.push(Section::new("repeat", "Repeat", repeat));
    sections
}

fn overview(matrix: &Matrix) -> Markup {
    let levels = matrix.synchronous_commit.iter().map(String::as_str);
    let header: Vec<&str> = ["fault", "standbys"].into_iter().chain(levels).collect();
    let mut rows = Vec::new();
    for fault in &matrix.faults {
        for standbys in &matrix.standbys {
            let names = [markup! { (plain(&fault.name)) }, markup! { code { (standbys) } }];
            let cells = matrix.of(fault).filter(|cell| cell.standbys == *standbys).map(lost);
            rows.push(names.into_iter().chain(cells).collect());
        }
    }
    table("Acknowledged commits lost", &header, 2, &rows)
}

/// Large as a number, never by colour alone.
fn lost(cell: &Cell) -> Markup {
    let class = words::tone(cell).map_or("", Tone::class);
    let lines = words::lost(cell);
    // What is only text has no code in it.
    let title = words::reason(cell).replace('`', "");
    markup! {
        span class={ "lost " (class) } title=(title) {
            @for (place, line) in lines.iter().enumerate() {
                @if place == 0 { strong { (line) } } @else { " " span.spread { (line) } }
            }
        }
    }
}

fn details(matrix: &Matrix, fault: &FaultFacts) -> Markup {
    const NAMES: [&str; 8] =
        ["standbys", "synchronous_commit", "claim", "lost", "over", "no writes", "first commit", "no reads"];
    let rows: Vec<Vec<Markup>> = matrix
        .of(fault)
        .map(|cell| {
            let summary = &cell.summary;
            let text = |text: String| markup! { (text) };
            vec![
                markup! { code { (cell.standbys) } },
                text(words::level(cell)),
                text(words::claim(cell).to_owned()),
                lost(cell),
                time(cell, summary.span),
                time(cell, summary.writes_out),
                time(cell, summary.first_commit),
                markup! { @for read in words::reads(cell) { span.line { (read) } } },
            ]
        })
        .collect();
    markup! {
        h3 { (plain(&fault.name)) }
        p { code { (fault.schedule) } }
        p { (prose(&plain(&fault.explanation))) }
        (table(&fault.name, &NAMES, 3, &rows))
        ul.plain-list {
            @for (settings, why) in words::reasons(matrix, fault) { li { strong { (settings) } ": " (prose(&why)) } }
        }
    }
}

/// The median over what it lies between, so that a row fits on a screen.
fn time(cell: &Cell, spread: Option<Spread>) -> Markup {
    markup! {
        (words::time(cell, spread))
        @if let Some(reach) = words::reach(cell, spread) { " " span.spread { (reach) } }
    }
}

/// Where every number comes from.
fn runs(matrix: &Matrix) -> Markup {
    let header = ["run", "repetition", "acknowledged", "lost", "exit code", "seconds"];
    let row = |run: &CellRun| -> Vec<Markup> {
        let of = |pick: fn(&super::Measured) -> u64| {
            run.measured.as_ref().map_or("–".to_owned(), |of| count(pick(of)))
        };
        vec![
            markup! { a href={ (run.directory) "/report.html" } { (run.directory) } },
            markup! { (run.repetition) },
            markup! { (of(|of| of.acknowledged)) },
            markup! { (of(|of| of.lost)) },
            markup! { (run.exit_code) },
            markup! { (format!("{:.1}", run.seconds)) },
        ]
    };
    let rows: Vec<Vec<Markup>> = matrix.cells.iter().flat_map(|cell| &cell.runs).map(row).collect();
    table("Every run", &header, 1, &rows)
}

fn count(number: u64) -> String {
    crate::report::words::count(number)
}
