//! What a history shows, as parts of a page.

use maud::{Markup, html as markup};

use super::anomaly::{AnomalyReport, Outcome, Step};
use super::model::{ModelReport, NodeReport, Transactions, Valid};
use super::picture::picture;
use super::words::{ladder, who};
use crate::report::html::parts::{Section, mark, prose, table};
use crate::report::outcome::Tone;
use crate::report::picture::figure;
use crate::report::words::{count, plain};

/// What a history shows, for a page that says other things, too: headings of the third level, and all below them. Its
/// anchors begin with `prefix`, so that a page can have several.
pub fn section(found: &Transactions, prefix: &str) -> Markup {
    markup! { @for part in parts(found, prefix) { h3 { (part.title) } (part.body) } }
}

/// The same, section by section.
pub(super) fn parts(found: &Transactions, prefix: &str) -> Vec<Section> {
    let list =
        |lines: &[String]| markup! { ul.plain-list { @for line in lines { li { (prose(&plain(line))) } } } };
    let mut parts = Vec::new();
    if let Some(together) = &found.together {
        let body = markup! {
            p { strong { (together.sentence) } }
            p { (together.meaning) }
            p { strong { "What to do: " } (together.advice) }
        };
        parts.push(Section::new("together", "Each endpoint, and all of them", body));
    }
    parts.push(Section::new("contents", "What is there", contents(found)));
    parts.push(Section::new("anomalies", "Anomalies", anomalies(found, prefix)));
    parts.push(Section::new("models", "Models", models(found, prefix)));
    if !found.nodes.is_empty() {
        parts.push(Section::new("nodes", "Each node's readers alone", nodes(&found.nodes)));
    }
    if !found.troubles.is_empty() {
        parts.push(Section::new("not-judged", "Not judged", list(&found.troubles)));
    }
    parts.push(Section::new("not-checked", "Not checked", list(&found.not_checked)));
    parts
}

fn contents(found: &Transactions) -> Markup {
    let times =
        if found.is_timed { "when each began and ended" } else { "each session's order, and no times" };
    let rows = [
        ("Transactions", count(found.transactions)),
        ("acknowledged", count(found.acknowledged)),
        ("failed", count(found.failed)),
        ("of unknown outcome", count(found.unknown)),
        ("Operations", count(found.operations)),
        ("Keys", count(found.keys)),
        ("Format", found.format.clone()),
        ("It tells of", times.to_owned()),
    ];
    markup! { dl.facts { @for (name, value) in &rows { dt { (name) } dd { (value) } } } }
}

fn anomalies(found: &Transactions, prefix: &str) -> Markup {
    if found.anomalies.is_empty() {
        return markup! { p { "None was found. What was not looked at stands below." } };
    }
    let rows: Vec<Vec<Markup>> = (found.anomalies.iter())
        .map(|anomaly| {
            vec![
                markup! { a href={ "#" (prefix) "anomaly-" (anomaly.name) } { (anomaly.name) } },
                markup! { span.detail { (anomaly.meaning) } },
                markup! { (count(anomaly.count)) },
                markup! { (anomaly.places.map_or("–".to_owned(), count)) },
            ]
        })
        .collect();
    markup! {
        (table("Anomalies, the gravest first", &["anomaly", "what happened", "how often", "places"], 2, &rows))
        p.small {
            "The gravest first. Of cycles: how many dependencies close one, and in how many places: no cycle is in two of them."
        }
        @for anomaly in &found.anomalies { (details(anomaly, found.is_timed, prefix)) }
    }
}

fn details(anomaly: &AnomalyReport, is_timed: bool, prefix: &str) -> Markup {
    let smallest = match (anomaly.transactions.is_empty(), anomaly.is_smallest) {
        (true, _) => "It was counted, and no example of it was kept.",
        (false, true) => "The smallest one:",
        (false, false) => "The smallest one that was found; a smaller one may be there:",
    };
    markup! {
        h3 id={ (prefix) "anomaly-" (anomaly.name) } { (anomaly.name) }
        p { (anomaly.meaning) }
        p.small { (smallest) }
        @if !anomaly.transactions.is_empty() {
            (figure(&picture(anomaly, is_timed, prefix)))
            ul.plain-list { @for sentence in &anomaly.because { li { (plain(sentence)) } } }
            details {
                summary { "Its transactions, operation by operation" }
                @for step in &anomaly.transactions { (transaction(step, is_timed)) }
            }
        }
    }
}

fn transaction(step: &Step, is_timed: bool) -> Markup {
    let end = match step.outcome {
        Outcome::Acknowledged => "COMMIT;    -- acknowledged",
        Outcome::Failed => "ROLLBACK;  -- or refused: it did not commit",
        Outcome::Unknown => "COMMIT;    -- nobody knows whether it came to that",
    };
    markup! {
        pre {
            "-- " (who(step, is_timed)) "\nBEGIN;\n"
            @for (place, operation) in (0..).zip(&step.operations) {
                @let is_decisive = step.decisive.contains(&place);
                @let sql = step.sql.get(place as usize);
                "  " @if sql.is_some() { "-- " }
                @if is_decisive { strong { (plain(operation)) } } @else { (plain(operation)) } "\n"
                @if let Some(sql) = sql { "  " (plain(sql)) ";\n" }
            }
            (end)
        }
    }
}

fn models(found: &Transactions, prefix: &str) -> Markup {
    let mut rows: Vec<Vec<Markup>> = Vec::new();
    for (standing, names) in ladder(found) {
        for name in names {
            let model = found.models.iter().find(|model| model.name == name);
            rows.extend(model.map(|model| row([standing, prefix], model, name == found.model)));
        }
    }
    markup! {
        p.small {
            "A model is a promise to those who use a database. It is refuted by what it forbids; that it is not refuted is no "
            "proof. Refuted first: the weakest. With them go all that promise the same and more."
        }
        (table("Where the models stand", &["model", "where it stands", "what it promises", "refuted by"], 4, &rows))
    }
}

fn row([standing, prefix]: [&str; 2], model: &ModelReport, is_asked: bool) -> Vec<Markup> {
    let tone = match model.valid {
        Valid::NotRefuted => Tone::Good,
        Valid::Unknown => Tone::Unknown,
        Valid::Refuted => Tone::Bad,
    };
    vec![
        markup! { strong { (model.name) } @if is_asked { span.tag { "asked for" } } },
        markup! { span.found { (mark(tone)) (standing) } },
        markup! { span.detail { (prose(&model.meaning)) } },
        match &model.by {
            Some(by) => markup! { a href={ "#" (prefix) "anomaly-" (by) } { (by) } },
            None => markup! { "–" },
        },
    ]
}

fn nodes(nodes: &[NodeReport]) -> Markup {
    let names = |names: &[String]| if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
    let worst = |node: &NodeReport, text: String| if node.stale_reads == 0 { "–".to_owned() } else { text };
    let rows: Vec<Vec<Markup>> = (nodes.iter())
        .map(|node| {
            let anomalies: Vec<String> =
                node.anomalies.iter().map(|(name, times)| format!("{name} {}×", count(*times))).collect();
            vec![
                markup! { (plain(&node.name)) },
                markup! { span.detail { (names(&node.not)) } },
                markup! { span.detail { (names(&anomalies)) } },
                markup! { (count(node.stale_reads)) },
                markup! { (worst(node, format!("≤ {}", node.stale_versions))) },
                markup! { (worst(node, format!("≤ {}", node.stale_for))) },
            ]
        })
        .collect();
    let header = ["node", "refuted first", "anomalies", "stale reads", "versions missed", "stale for"];
    markup! {
        p.small { "What was read on one node, and what all of them wrote." }
        (table("Each node's readers alone", &header, 3, &rows))
    }
}
