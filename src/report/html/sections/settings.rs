//! The settings that the lab read and asserted, node by node.

use maud::{Markup, html};

use crate::report::html::parts::{Section, mark, table};
use crate::report::words::Tone;
use crate::report::{Report, Setting};

pub(super) fn section(report: &Report) -> Section {
    let mut names: Vec<&str> = Vec::new();
    for setting in report.nodes.iter().flat_map(|node| &node.settings) {
        if !names.contains(&setting.name.as_str()) {
            names.push(&setting.name);
        }
    }
    let of =
        |place: usize, name: &str| report.nodes[place].settings.iter().find(|setting| setting.name == name);
    let rows: Vec<Vec<Markup>> = (names.iter())
        .map(|name| {
            let required = (0..report.nodes.len())
                .find_map(|node| of(node, name).and_then(|setting| setting.required.as_deref()));
            let mut cells = vec![
                html! { code { (name) } },
                html! { @if let Some(value) = required { code { (value) } } @else { "–" } },
            ];
            cells.extend(
                (0..report.nodes.len()).map(|node| of(node, name).map_or_else(|| html! { "–" }, value)),
            );
            cells
        })
        .collect();
    let mut header = vec!["setting", "durability needs"];
    header.extend(report.nodes.iter().map(|node| node.node.as_str()));
    let body = html! {
        p { "Read with " code { "SHOW" } " on every node when the run began." }
        @if rows.is_empty() { p { "No settings were read." } } @else {
            (table("Settings by node", &header, header.len(), &rows))
        }
    };
    Section::new("settings", "Settings asserted", body)
}

fn value(setting: &Setting) -> Markup {
    let text = if setting.value.is_empty() { "(empty)" } else { &setting.value };
    html! {
        @match &setting.required {
            None => { code { (text) } }
            Some(required) if *required == setting.value => { span.found { (mark(Tone::Good)) code { (text) } } }
            Some(_) => { span.found { (mark(Tone::Observed)) code { (text) } span.muted { " differs" } } }
        }
    }
}
