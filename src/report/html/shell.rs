//! The frame of every page: what is around its verdict and its sections.

use maud::{DOCTYPE, Markup, PreEscaped, html as markup};

use super::parts::{Section, mark};
use crate::report::outcome::Tone;
use crate::report::{picture, words};

/// The colours, light and dark.
pub(super) const THEME: &str = include_str!("theme.css");
const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
/// Nothing may be fetched, sent or framed; what is inside the page may run.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; \
                      base-uri 'none'; form-action 'none'";

/// A page.
pub(in crate::report) struct Shell<'a> {
    /// In the title bar.
    pub title: &'a str,
    /// The verdict in a word.
    pub word: &'a str,
    /// What kind of word it is.
    pub tone: Tone,
    /// What it is about, beside the verdict.
    pub run: &'a str,
    /// replab's version.
    pub version: &'a str,
    /// The verdict.
    pub hero: Markup,
    /// What follows.
    pub sections: &'a [Section],
    /// The last line.
    pub footer: Markup,
}

impl Shell<'_> {
    /// The page, which makes no network request.
    pub(in crate::report) fn render(&self) -> String {
        markup! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(POLICY);
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="referrer" content="no-referrer";
                    meta name="generator" content={ "replab " (self.version) };
                    title { (self.title) }
                    link rel="icon" href="data:,";
                    style { (PreEscaped(THEME)) (PreEscaped(STYLE)) (PreEscaped(picture::STYLE)) }
                }
                body {
                    a.skip href="#verdict" { "Skip to the verdict" }
                    (super::charts::patterns())
                    header.masthead {
                        a.brand href="#verdict" { "replab" }
                        span class={ "chip " (self.tone.class()) } { (self.tone.mark()) " " (self.word) }
                        span.run { (self.run) }
                        button #theme type="button" hidden { "Dark" }
                    }
                    div.columns {
                        nav aria-label="Sections" {
                            ol {
                                li { a href="#verdict" { "Verdict" } }
                                @for section in self.sections { li { a href={ "#" (section.id) } { (section.title) @if section.tainted { " " (words::TAINT) } } } }
                            }
                        }
                        main {
                            (self.hero)
                            @for section in self.sections { (section.render()) }
                            footer { (self.footer) }
                        }
                    }
                    div #readout role="status" aria-live="polite" {}
                    script { (PreEscaped(SCRIPT)) }
                }
            }
        }
        .into_string()
    }
}

/// The verdict in large print: what was measured, what came of it, why, and the exit code with its meaning.
pub(in crate::report) fn hero(what: &str, word: &str, tone: Tone, reason: &str, exit: (u8, &str)) -> Markup {
    markup! {
        section.hero #verdict aria-labelledby="verdict-heading" {
            p.what { (what) }
            div class={ "verdict " (tone.class()) } {
                (mark(tone))
                div {
                    h1 #verdict-heading { (word) }
                    p.reason { (reason) }
                }
                p.exit { "exit code" strong { (exit.0) } (exit.1) }
            }
        }
    }
}
