//! Objects that are not linearizable, as pictures and as a page.

use maud::{Markup, html as markup};

use super::{CallReport, Failing, Object, Objects, SHOWN, after, contents, decisive, headline};
use crate::report::html::parts::Section;
use crate::report::html::shell::{Shell, hero};
use crate::report::picture::{Ending, Lane, Picture, figure, standalone};
use crate::report::words::{plain, plural, quoted};

/// The calls that show that an object is not linearizable, the first such object's, as an SVG file; where there is none, it
/// says so.
pub fn svg(found: &Objects) -> String {
    standalone(&found.not_linearizable.first().map_or_else(
        || Picture {
            id: "picture-nothing".to_owned(),
            title: "No calls to draw".to_owned(),
            about: format!("{}.", decisive(found)),
            description: String::new(),
            is_timed: true,
            lanes: Vec::new(),
            arrows: Vec::new(),
            note: None,
        },
        |failing| picture(failing, 0),
    ))
}

/// What was found as one HTML page that makes no network request.
pub fn html(found: &Objects) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let (word, tone) = headline(found);
    let file = plain(&found.file);
    let exit = match found.exit_code {
        0 => "every object is linearizable",
        1 => "an object is not linearizable",
        _ => "nothing can be said about an object",
    };
    Shell {
        title: &format!("{word} · replab"),
        word,
        tone,
        run: &file,
        version,
        hero: hero(&contents(found), word, tone, &format!("{}.", decisive(found)), (found.exit_code, exit)),
        sections: &sections(found, &file),
        footer: markup! { "Written by replab " (version) "." },
    }
    .render()
}

fn sections(found: &Objects, file: &str) -> Vec<Section> {
    let mut sections = vec![Section::new("calls", "Calls that have no order", calls(found))];
    if !found.unknown.is_empty() {
        let body = markup! { ul.plain-list { @for line in &found.unknown { li { (plain(line)) } } } };
        sections.push(Section::new("not-judged", "Not judged", body));
    }
    let meaning = markup! {
        p {
            "An object is linearizable if each of its calls can have taken effect at one moment between its invocation and its "
            "completion, so that every answer is right. Whether that can be is looked for object by object: objects that are "
            "linearizable are so together."
        }
    };
    sections.push(Section::new("meaning", "What linearizable means", meaning));
    let not_checked = markup! { ul.plain-list {
        li { "Clocks: real time is the order of the history's events." }
        li { "What nobody called: a history without counter-examples is no proof." }
    } };
    sections.push(Section::new("not-checked", "Not checked", not_checked));
    let model = if found.object == Object::Key { " --model linearizable" } else { "" };
    let command = format!("replab check {}{model}", quoted(file));
    sections.push(Section::new("repeat", "Repeat", markup! { pre.command { (command) } }));
    sections
}

fn calls(found: &Objects) -> Markup {
    let more = found.not_linearizable.len().saturating_sub(SHOWN) as u64;
    markup! {
        @if found.not_linearizable.is_empty() { p { "None was found." } }
        @for (place, failing) in found.not_linearizable.iter().take(SHOWN).enumerate() {
            h3 { (plain(&failing.name)) }
            p.small { (about(failing)) }
            (figure(&picture(failing, place)))
        }
        @if more > 0 { p.small { (plural(more, "more object")) ": --format json has them all." } }
    }
}

fn about(failing: &Failing) -> String {
    format!("{}{} that no order explains.", plural(failing.window.len() as u64, "call"), after(failing))
}

/// The most calls in one picture.
const MOST: usize = 40;

fn picture(failing: &Failing, place: usize) -> Picture {
    let all = failing.window.len();
    let note = (all > MOST).then(|| format!("The first {MOST} of {}.", plural(all as u64, "call")));
    let calls: Vec<String> = failing.window.iter().map(CallReport::line).collect();
    Picture {
        id: format!("picture-{place}"),
        title: format!("{}: calls that have no order", failing.name),
        about: about(failing),
        description: calls.join(". "),
        is_timed: true,
        lanes: (1..).zip(failing.window.iter().take(MOST)).map(|(number, call)| lane(number, call)).collect(),
        arrows: Vec::new(),
        note,
    }
}

fn lane(number: usize, call: &CallReport) -> Lane {
    Lane {
        name: format!("C{number}"),
        process: call.process,
        node: call.node.clone(),
        start: call.start,
        end: call.end,
        ending: if call.is_acknowledged { Ending::Acknowledged } else { Ending::Unknown },
        operations: vec![(call.call.clone(), true)],
    }
}
