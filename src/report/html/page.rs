//! The report of a run as a page.

use crate::report::outcome;
use maud::{Markup, html as markup};

use super::charts::Frame;
use super::parts::mark;
use super::sections;
use super::shell::Shell;
use crate::report::words;
use crate::report::{Report, verdict};

/// The report as one HTML page that makes no network request. Moments count from the start of the load.
pub fn html(report: &Report) -> String {
    let frame = Frame::of(report);
    let sections = sections::all(report, &frame);
    let headline = outcome::headline(report);
    let run = &report.run;
    Shell {
        title: &format!("{} · {} · replab", headline.word, words::plain(&run.workloads)),
        word: headline.word,
        tone: headline.tone,
        run: &run.id,
        version: &run.version,
        hero: hero(report),
        sections: &sections,
        footer: markup! { "Written by replab " (run.version) ". Run " code { (run.id) } ", started " (run.started) "." },
    }
    .render()
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
