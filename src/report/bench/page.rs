//! A bench as one self-contained page, in the style of a run's report.

use maud::{Markup, html as markup};

use super::charts;
use super::columns::{self, Table};
use super::model::Bench;
use super::words::{self, LEGEND};
use crate::report::html::parts::{Section, prose, table};
use crate::report::html::shell::{Shell, hero};
use crate::report::words::plain;

/// The bench as one HTML page that makes no network request.
pub fn html(bench: &Bench) -> String {
    let (word, tone) = words::headline(bench);
    Shell {
        title: &format!("{word} · bench {} · replab", bench.name),
        word,
        tone,
        run: &bench.id,
        version: &bench.version,
        hero: hero(&words::what(bench), word, tone, &words::decisive(bench), (bench.exit_code, words::meaning(bench))),
        sections: &sections(bench),
        footer: markup! {
            "Written by replab " (bench.version) ". " code { (bench.id) } ", started " (bench.started) ", " (words::took(bench)) "."
        },
    }
    .render()
}

fn sections(bench: &Bench) -> Vec<Section> {
    let list = |lines: &[String]| {
        markup! { ul.plain-list { @for line in lines { li { (prose(&plain(line))) } } } }
    };
    let scaling = columns::scaling(bench);
    let curves = markup! {
        @for (place, (title, numbers)) in scaling.iter().enumerate() {
            @if scaling.len() > 1 { h3 { (title) } }
            (charts::scaling(bench, title, &format!("scaling-{place}")))
            (put(title, numbers))
        }
    };
    let results = markup! { @for group in &bench.groups {
        h3 { (words::title(group)) }
        @for results in columns::results(group, true) { (put("Results", &results)) }
        @if let Some(originals) = columns::originals(group) { (put("Beside the original", &originals)) }
    } };
    let comparisons = bench.groups.iter().filter_map(|group| Some((group, columns::comparison(group)?)));
    let comparisons: Vec<_> = comparisons.collect();
    let compared = markup! { @for (group, comparison) in &comparisons {
        h3 { (words::title(group)) }
        (put("Comparison", comparison))
    } };
    let pictures = markup! { @for (place, group) in bench.groups.iter().enumerate() {
        h3 { (words::title(group)) }
        (charts::group(group, &format!("group-{place}")))
    } };
    let methods = markup! { ul.plain-list {
        @for (method, about) in words::methods(bench) { li { strong { (method) } ": " (about) } }
    } };
    let retries = format!("Where somebody else was faster, a task is tried again {}.", bench.retries);
    let legend = markup! { ul.plain-list { li { (retries) } @for line in LEGEND { li { (line) } } } };
    let repeat = markup! {
        pre.command { (plain(&bench.reproduce)) }
        @for line in &bench.machine { p.small { (plain(line)) } }
    };
    let mut sections = vec![Section::new("results", "Results", results)];
    if !comparisons.is_empty() {
        sections.push(Section::new("comparison", "Faster or slower", compared));
    }
    if !scaling.is_empty() {
        sections.push(Section::new("scaling", "By number of clients", curves));
    }
    sections.push(Section::new("pictures", "Rates, times, retries", pictures));
    let faults = words::faults(bench);
    if !faults.is_empty() {
        sections.push(Section::new("faults", "Faults", list(&faults)));
    }
    if !bench.remarks.is_empty() {
        sections.push(Section::new("original", "Beside the original", list(&bench.remarks)));
    }
    sections.push(Section::new("methods", "The methods", methods));
    sections.push(Section::new("legend", "How to read it", legend));
    sections.push(Section::new("not-checked", "Not checked", list(&bench.not_checked)));
    sections.push(Section::new("repeat", "Repeat", repeat));
    sections
}

fn put(caption: &str, Table { header, rows }: &Table) -> Markup {
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let cell = |text: &String| markup! { (text) };
    let rows: Vec<Vec<Markup>> = rows.iter().map(|row| row.iter().map(cell).collect()).collect();
    table(caption, &header, 1, &rows)
}
