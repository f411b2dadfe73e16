//! The frame of the page.

use crate::report::outcome;
use maud::{DOCTYPE, Markup, PreEscaped, html as markup};

use super::charts::{self, Frame};
use super::parts::{Section, mark};
use super::sections;
use crate::report::words;
use crate::report::{Report, verdict};

pub(in crate::report) const STYLE: &str = include_str!("style.css");
pub(in crate::report) const SCRIPT: &str = include_str!("script.js");
/// Nothing may be fetched, sent or framed; what is inside the page may run.
pub(in crate::report) const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; \
                      base-uri 'none'; form-action 'none'";

/// The report as one HTML page that makes no network request. Moments count from the start of the load.
pub fn html(report: &Report) -> String {
    let frame = Frame::of(report);
    let sections = sections::all(report, &frame);
    let headline = outcome::headline(report);
    markup! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                meta name="generator" content={ "replab " (report.run.version) };
                title { (headline.word) " · " (words::plain(&report.run.workloads)) " · replab" }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#verdict" { "Skip to the verdict" }
                (charts::patterns())
                (masthead(report))
                div.columns {
                    (navigation(&sections))
                    main {
                        (hero(report))
                        @for section in &sections { (section.render()) }
                        footer { "Written by replab " (report.run.version) ". Run " code { (report.run.id) } ", started " (report.run.started) "." }
                    }
                }
                div #readout role="status" aria-live="polite" {}
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
    .into_string()
}

fn masthead(report: &Report) -> Markup {
    let headline = outcome::headline(report);
    markup! {
        header.masthead {
            a.brand href="#verdict" { "replab" }
            span class={ "chip " (headline.tone.class()) } { (headline.mark) " " (headline.word) }
            span.run { (report.run.id) }
            button #theme type="button" hidden { "Dark" }
        }
    }
}

fn navigation(sections: &[Section]) -> Markup {
    markup! {
        nav aria-label="Sections" {
            ol {
                li { a href="#verdict" { "Verdict" } }
                @for section in sections {
                    li { a href={ "#" (section.id) } { (section.title) @if section.tainted { " " (words::TAINT) } } }
                }
            }
        }
    }
}

/// The verdict: in a word, a shape, a paragraph, and what it rests on.
fn hero(report: &Report) -> Markup {
    let headline = outcome::headline(report);
    let run = &report.run;
    markup! {
        section.hero #verdict aria-labelledby="verdict-heading" {
            p.what {
                (run.workloads) " on " (run.topology) " · " (words::length(run)) " · seed " (run.seed)
                @if !run.faults.is_empty() { " · " code { (run.faults) } }
            }
            div class={ "verdict " (headline.tone.class()) } {
                (mark(headline.tone))
                div {
                    h1 #verdict-heading { (headline.word) }
                    p.reason { (verdict::decisive(report)) }
                }
                p.exit { "exit code" strong { (report.exit_code) } (outcome::exit_meaning(report.exit_code)) }
            }
            @for sentence in verdict::explanation(report) { p.plain { (sentence) } }
            (sections::tiles(report))
            (sections::claims(report))
        }
    }
}
