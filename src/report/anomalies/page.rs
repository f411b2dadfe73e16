//! What was found as one self-contained page, in the style of a run's report.

use maud::{Markup, html as markup};

use super::model::{Anomalies, CaseReport, Result};
use super::show::side_by_side;
use super::words::{self, LEGEND};
use crate::report::html::parts::{Section, prose, table};
use crate::report::html::shell::{Shell, hero};
use crate::report::outcome::Tone;
use crate::report::words::plain;

/// What was found as one HTML page that makes no network request.
pub fn html(found: &Anomalies) -> String {
    let (word, tone) = words::headline(found);
    Shell {
        title: &format!("{word} · anomalies · replab"),
        word,
        tone,
        run: "anomalies",
        version: &found.version,
        hero: hero(
            &words::what(found),
            word,
            tone,
            &words::decisive(found),
            (found.exit_code, words::meaning(found)),
        ),
        sections: &sections(found),
        footer: markup! { "Written by replab " (found.version) "." },
    }
    .render()
}

fn sections(found: &Anomalies) -> Vec<Section> {
    let list = |lines: &[String]| {
        markup! { ul.plain-list { @for line in lines { li { (prose(&plain(line))) } } } }
    };
    let legend = markup! { ul.plain-list { @for line in LEGEND { li { (line) } } } };
    let cases = markup! { @for case in &found.cases { (details(case)) } };
    let mut sections = vec![Section::new("matrix", "What happens at each level", matrix(found))];
    sections.push(Section::new("steps", "At which step", list(&words::steps(found))));
    let trouble = words::trouble(found);
    if !trouble.is_empty() {
        sections.push(Section::new("differences", "Differences", list(&trouble)));
    }
    sections.push(Section::new("legend", "How to read it", legend));
    sections.push(Section::new("cases", "Case by case", cases));
    sections.push(Section::new("not-checked", "Not checked", list(&found.not_checked)));
    sections.push(Section::new("repeat", "Repeat", markup! { pre.command { (plain(&found.reproduce)) } }));
    sections
}

fn matrix(found: &Anomalies) -> Markup {
    let levels: Vec<String> = found.levels.iter().map(ToString::to_string).collect();
    let header: Vec<&str> =
        ["case", "code", "readers on"].into_iter().chain(levels.iter().map(String::as_str)).collect();
    let mut rows = Vec::new();
    for case in &found.cases {
        for on in found.placements.iter().filter(|on| case.cells.iter().any(|cell| cell.on == **on)) {
            let mut row = vec![
                markup! { a href={ "#" (case.name) } { (case.name) } },
                markup! { (case.code.as_deref().unwrap_or("–")) },
                markup! { (on) },
            ];
            for level in &found.levels {
                let cell = case.cells.iter().find(|cell| cell.on == *on && cell.isolation == *level);
                row.push(cell.map_or_else(|| markup! { "–" }, |cell| chip(&cell.result)));
            }
            rows.push(row);
        }
    }
    table("What happens at each level", &header, header.len(), &rows)
}

/// Mark and word, never colour alone.
fn chip(result: &Result) -> Markup {
    let class = words::tone(result).map_or("", Tone::class);
    markup! { span class={ "lost " (class) } { (words::cell(result)) } }
}

fn details(case: &CaseReport) -> Markup {
    markup! {
        h3 id=(case.name) { (plain(&case.title)) @if let Some(code) = &case.code { " (" (code) ")" } }
        p { (prose(&plain(&case.about))) }
        @if let Some(remedy) = &case.remedy { p { strong { "To prevent it: " } (prose(&plain(remedy))) } }
        @for cell in &case.cells {
            (transcript(&format!("{}, readers on the {}", cell.isolation, cell.on), None, &cell.result))
        }
        @for tried in &case.preventions {
            (transcript(
                &format!("with {}, {}: {}", tried.name, tried.isolation, words::claim(tried)),
                Some(&tried.why),
                &tried.result,
            ))
        }
        @if let Some(source) = &case.source { p.small { "Described in: " (plain(source)) } }
    }
}

fn transcript(title: &str, why: Option<&str>, result: &Result) -> Markup {
    markup! {
        details {
            summary { (title) ": " (chip(result)) }
            @if let Some(why) = why { p { (prose(&plain(why))) } }
            @for times in &result.endings { p { (prose(&words::sentence(&times.ending))) ", " (times.times) "×" } }
            @if let Some(why) = &result.why { p { (prose(&plain(why))) } }
            @if let Some(transcript) = &result.transcript {
                @let (header, rows) = side_by_side(transcript);
                @let header: Vec<&str> = header.iter().map(String::as_str).collect();
                @let rows: Vec<Vec<Markup>> = rows.iter().map(|row| row.iter().map(|cell| lines(cell)).collect()).collect();
                (table(title, &header, header.len(), &rows))
            }
        }
    }
}

fn lines(cell: &str) -> Markup {
    markup! { @for (place, line) in cell.lines().enumerate() { @if place > 0 { br; } (line) } }
}
