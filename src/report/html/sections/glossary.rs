//! The words of the page, for someone who has never heard of them.

use maud::html;

use crate::check::Guarantee;
use crate::report::html::parts::Section;

const WORDS: [(&str, &str); 9] = [
    (
        "acknowledged",
        "The server told the client that the commit succeeded. From then on the client relies on it.",
    ),
    (
        "unknown outcome",
        "The connection broke or the deadline passed after the commit was sent: it may or may not have happened. \
         It is never counted as a failure, and never retried.",
    ),
    (
        "claimed, observed",
        "A run claims what its settings promise. What contradicts a claim makes it invalid; what contradicts \
         something that nobody claimed is observed and counted, and does not.",
    ),
    (
        "counter-example",
        "Something in the history that cannot be, if the guarantee holds. That none was found is no proof that \
         there is none.",
    ),
    (
        "log position (LSN)",
        "A place in PostgreSQL's write-ahead log, in bytes from its start. The distance of two is how much log lies between.",
    ),
    (
        "replay lag",
        "How far the replica is behind the primary in applying the log: in bytes, or in time from the primary's \
         flush to the replica's confirmation that it has applied it.",
    ),
    (
        "visibility",
        "How long after its acknowledgement a change was first seen by a client that reads the replica.",
    ),
    (
        "long fork",
        "Two changes A and B that have nothing to do with each other. One reader sees A and not yet B; another, \
         on a different node, sees B and not yet A. Each picture is possible on its own, but there is no one order of events \
         in which both are true: the two readers live in histories that fork. On PostgreSQL it happens because a replica shows \
         commits in the order of the log, while the primary shows them in the order in which they finish.",
    ),
    (
        "p50, p95, p99",
        "Half of all values are at most p50, 95 of a hundred at most p95, 99 of a hundred at most p99.",
    ),
];

pub(super) fn section() -> Section {
    let body = html! {
        dl.glossary {
            @for guarantee in Guarantee::ALL {
                dt id={ "glossary-" (guarantee) } { (guarantee) }
                dd { (guarantee.meaning()) }
            }
            @for (word, meaning) in WORDS { dt { (word) } dd { (meaning) } }
        }
    };
    Section::new("glossary", "Glossary", body)
}
