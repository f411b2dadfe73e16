//! Durability: what became of each class of commits.

use crate::report::outcome;
use maud::{Markup, html};

use crate::check::{Guarantee, Judgement};
use crate::report::Report;
use crate::report::html::parts::{Section, mark};
use crate::report::words::count;

pub(super) fn section(report: &Report) -> Section {
    let judged: Vec<&Judgement> =
        (report.judgements.iter()).filter(|judgement| judgement.guarantee == Guarantee::Durability).collect();
    let body = html! {
        p { "A commit was acknowledged to its client, or its outcome stayed unknown; at the end it is there, or it is "
            "not. Only " b { "acknowledged and absent" } " is a loss: a commit with unknown outcome may have happened or not." }
        @if judged.is_empty() { p { "No check of durability ran." } }
        @for judgement in judged { (classes(judgement)) }
    };
    Section::new("durability", "Durability", body)
}

fn classes(judgement: &Judgement) -> Markup {
    let value = |name: &str| judgement.counts.iter().find(|item| item.name == name).map(|item| item.value);
    let shown = |value: Option<u64>| value.map_or_else(|| "not known".to_owned(), count);
    const CLASSES: [[&str; 3]; 2] = [
        ["acknowledged", "acknowledged and present", "acknowledged and absent"],
        ["unknown outcome", "unknown and present", "unknown and absent"],
    ];
    let in_matrix =
        |name: &str| CLASSES.iter().any(|[_, present, absent]| name == *present || name == *absent);
    let has_matrix = value(CLASSES[0][1]).is_some();
    let others = judgement.counts.iter().filter(|item| !(has_matrix && in_matrix(&item.name)));
    html! {
        div.durable {
            h3 { (mark(outcome::tone(judgement))) (outcome::subject(judgement)) }
            p { (judgement.summary) }
            @if has_matrix {
                table.matrix {
                    caption.hidden { "Commits by outcome and presence: " (outcome::subject(judgement)) }
                    thead { tr { td {} th scope="col" { "present" } th scope="col" { "absent" } } }
                    tbody {
                        @for (place, [name, present, absent]) in CLASSES.into_iter().enumerate() {
                            tr {
                                th scope="row" { (name) }
                                td { (shown(value(present))) }
                                @let lost = place == 0 && value(absent).is_some_and(|lost| lost > 0);
                                td.lost[lost] { (shown(value(absent))) @if lost { span.tag { "lost" } } }
                            }
                        }
                    }
                }
            }
            ul.counts { @for item in others { li { strong { (count(item.value)) } " " (item.name) } } }
        }
    }
}
