//! What was found, in words that are the same in every format.

use super::anomaly::Step;
use super::model::{Transactions, Valid};
use crate::report::outcome::Tone;
use crate::report::words::{count, plain, plural};

/// The verdict in a word.
pub(super) fn headline(valid: Valid) -> (&'static str, Tone) {
    match valid {
        Valid::NotRefuted => ("NOT REFUTED", Tone::Good),
        Valid::Unknown => ("UNKNOWN", Tone::Unknown),
        Valid::Refuted => ("REFUTED", Tone::Bad),
    }
}

/// What the exit code says.
pub(super) fn exit(valid: Valid) -> &'static str {
    match valid {
        Valid::NotRefuted => "nothing in this history refutes the model",
        Valid::Unknown => "this history does not tell",
        Valid::Refuted => "an anomaly refutes the model",
    }
}

/// What is in the history.
pub(super) fn contents(found: &Transactions) -> String {
    format!(
        "{} ({}): {} acknowledged, {} failed, {} of unknown outcome; {} on {}",
        plural(found.transactions, "transaction"),
        found.format,
        count(found.acknowledged),
        count(found.failed),
        count(found.unknown),
        plural(found.operations, "operation"),
        plural(found.keys, "key"),
    )
}

/// What decided.
pub(super) fn decisive(found: &Transactions) -> String {
    let model = found.models.iter().find(|model| model.name == found.model);
    match (found.valid, model.and_then(|model| model.by.as_deref())) {
        (Valid::Refuted, Some(by)) => format!("{by} refutes {}", found.model),
        (Valid::Unknown, _) => format!("this history does not tell whether {} holds", found.model),
        _ => format!(
            "no counter-example to {} in {}",
            found.model,
            plural(found.acknowledged, "acknowledged transaction")
        ),
    }
}

/// One transaction of a counter-example in a line.
pub(super) fn transaction(step: &Step, is_timed: bool) -> String {
    format!("{}: {}", who(step, is_timed), plain(&step.operations.join(", ")))
}

/// Which transaction it is, who ran it, where, and when.
pub(super) fn who(step: &Step, is_timed: bool) -> String {
    let Step { name, transaction, process, node, start, end, xid, lsn, .. } = step;
    let times = match is_timed {
        true => format!(", {:.3} to {:.3} ms", start.as_millis_f64(), end.as_millis_f64()),
        false => String::new(),
    };
    let xid = xid.map(|xid| format!(", xid {xid}")).unwrap_or_default();
    let lsn = lsn.map(|lsn| format!(", log at {lsn}")).unwrap_or_default();
    format!("{name} = transaction {transaction}, process {process} on {}{times}{xid}{lsn}", plain(node))
}

/// The models by where they stand, with what that is called; empty ones are left out.
pub(super) fn ladder(found: &Transactions) -> Vec<(&'static str, Vec<&str>)> {
    let of = |valid: Valid| {
        found.models.iter().filter(|model| model.valid == valid).map(|model| model.name.as_str()).collect()
    };
    let mut all: Vec<(&'static str, Vec<&str>)> = vec![
        ("refuted first", found.not.iter().map(String::as_str).collect()),
        ("refuted with them", found.also_not.iter().map(String::as_str).collect()),
        ("not refuted", of(Valid::NotRefuted)),
        ("this history does not tell", of(Valid::Unknown)),
    ];
    all.retain(|(_, names)| !names.is_empty());
    all
}

/// What a report that says other things, too, has to say of them: a few lines, each with what it is about.
pub(in crate::report) fn summary(found: &Transactions) -> Vec<(&'static str, String)> {
    let mut lines: Vec<(&'static str, String)> = Vec::new();
    lines.extend(found.together.as_ref().map(|together| ("", together.sentence.clone())));
    let each = found.anomalies.iter().map(|one| format!("{} × {}", count(one.count), one.name));
    let each: Vec<String> = each.collect();
    let anomalies = if each.is_empty() { "none was found".to_owned() } else { each.join(", ") };
    lines.push(("all endpoints together, anomalies: ", anomalies));
    let names = |names: &[&str]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let not: Vec<&str> = found.not.iter().map(String::as_str).collect();
    let of = |valid: Valid| -> Vec<&str> {
        found.models.iter().filter(|model| model.valid == valid).map(|model| model.name.as_str()).collect()
    };
    lines.push(("models that they refute, the weakest: ", names(&not)));
    lines.push(("models that they do not refute: ", names(&of(Valid::NotRefuted))));
    if !found.troubles.is_empty() {
        lines.push(("not judged: ", found.troubles.join(" ")));
    }
    lines
}
