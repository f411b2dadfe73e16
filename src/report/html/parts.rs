//! Pieces that several sections are made of.

use crate::report::outcome::Tone;
use maud::{Markup, html};

use crate::report::words;

/// A section of the page, with its place in the navigation.
pub(in crate::report) struct Section {
    /// Its anchor.
    pub id: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// Whether the lab itself may have distorted its figures.
    pub tainted: bool,
    /// What stands in it.
    pub body: Markup,
}

impl Section {
    pub(in crate::report) fn new(id: &'static str, title: &'static str, body: Markup) -> Section {
        Section { id, title, tainted: false, body }
    }

    /// The same, marked where `taints` are given.
    pub(in crate::report) fn measured(
        id: &'static str,
        title: &'static str,
        taints: &[String],
        body: Markup,
    ) -> Section {
        Section { id, title, tainted: !taints.is_empty(), body }
    }

    pub(in crate::report) fn render(&self) -> Markup {
        let heading = format!("{}-heading", self.id);
        html! {
            section id=(self.id) aria-labelledby=(heading) {
                h2 id=(heading) {
                    a.anchor href={ "#" (self.id) } { (self.title) }
                    @if self.tainted { " " (taint()) }
                }
                (self.body)
            }
        }
    }
}

/// The mark beside a figure that the lab may have distorted; leads to the reasons.
pub(in crate::report) fn taint() -> Markup {
    html! { a.taint href="#lab" title="The lab itself may have distorted these figures" { (words::TAINT) " tainted" } }
}

/// A mark whose shape says what its colour says: disc, octagon, diamond, triangle.
pub(in crate::report) fn mark(tone: Tone) -> Markup {
    html! {
        svg class={ "mark " (tone.class()) } viewBox="0 0 24 24" aria-hidden="true" focusable="false" {
            @match tone {
                Tone::Good => { circle.shape cx="12" cy="12" r="11" {} path.sign d="M6.8 12.6l3.6 3.6 7-7.6" {} }
                Tone::Bad => {
                    path.shape d="M7.4 1h9.2L23 7.4v9.2L16.6 23H7.4L1 16.6V7.4z" {}
                    path.sign d="M8 8l8 8M16 8l-8 8" {}
                }
                Tone::Unknown => {
                    path.shape d="M12 .6L23.4 12 12 23.4.6 12z" {}
                    path.sign d="M9.2 9.6c0-3.8 5.6-3.8 5.6-.2 0 2.4-2.8 2.4-2.8 4.8M12 17.4h.01" {}
                }
                Tone::Observed => {
                    path.shape d="M12 1.4L23.2 22H.8z" {}
                    path.sign d="M12 9v6M12 18.6h.01" {}
                }
            }
        }
    }
}

/// A figure worth a large print.
pub(in crate::report) fn tile(label: &str, value: &str, note: &str) -> Markup {
    html! { div.tile { dt { (label) } dd { span.value { (value) } span.note { (note) } } } }
}

/// A table whose columns from the `text`th on are numbers, in a frame that scrolls where it is too wide.
pub(in crate::report) fn table(caption: &str, header: &[&str], text: usize, rows: &[Vec<Markup>]) -> Markup {
    let class = |column: usize| (column >= text).then_some("number");
    html! {
        div.scroll tabindex="0" role="region" aria-label=(caption) {
            table.facts {
                caption.hidden { (caption) }
                thead { tr {
                    @for (column, name) in header.iter().enumerate() {
                        th scope="col" class=[class(column)] { (name) }
                    }
                } }
                tbody {
                    @for row in rows { tr {
                        @for (column, cell) in row.iter().enumerate() { td class=[class(column)] { (cell) } }
                    } }
                }
            }
        }
    }
}

/// A sentence in which what stands between backticks is code.
pub(in crate::report) fn prose(text: &str) -> Markup {
    let parts: Vec<&str> = text.split('`').collect();
    // Without its partner a backtick is only a character.
    if parts.len().is_multiple_of(2) {
        return html! { (text) };
    }
    html! {
        @for (place, part) in parts.iter().enumerate() {
            @if place % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}
