//! What a history shows as one self-contained page, in the style of a run's report.

use maud::html as markup;

use super::model::Transactions;
use super::sections::parts;
use super::words::{contents, decisive, exit, headline};
use crate::report::html::parts::Section;
use crate::report::html::shell::{Shell, hero};
use crate::report::words::{plain, quoted};

/// What was found as one HTML page that makes no network request.
pub fn html(found: &Transactions) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let (word, tone) = headline(found.valid);
    let file = plain(&found.file);
    let command = format!("replab check {} --input {} --model {}", quoted(&file), found.format, found.model);
    let mut sections = parts(found, "");
    sections.push(Section::new("repeat", "Repeat", markup! { pre.command { (command) } }));
    Shell {
        title: &format!("{word} · {} · replab", found.model),
        word,
        tone,
        run: &file,
        version,
        hero: hero(
            &format!("{}: {}", found.model, contents(found)),
            word,
            tone,
            &format!("{}.", decisive(found)),
            (found.exit_code, exit(found.valid)),
        ),
        sections: &sections,
        footer: markup! { "Written by replab " (version) "." },
    }
    .render()
}
