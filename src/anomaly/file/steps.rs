//! The steps of a case, and what may be seen of them.

use toml::de::DeTable;

use super::reader::{Reader, Typed, get};
use super::{is_name, known};
use crate::anomaly::{Action, Actor, Case, Place, Seen, Sight, Step};
use crate::suggest::hint;

/// What else a step has, besides its session.
pub(super) const KEYS: [&str; 4] = ["as", "only_if", "control", "until"];

/// `[{ alice = "BEGIN" }, { alice = "SELECT …", as = "alice reads" }]`.
pub(super) fn steps(reader: &mut Reader<'_>, value: &Typed<'_>, sessions: &[Actor]) -> Option<Vec<Step>> {
    let items = reader.list("steps", value)?;
    let mut steps: Vec<Step> = Vec::new();
    for item in items {
        let Some(table) = reader.table("steps", item) else { continue };
        if let Some(step) = step(reader, item, table, sessions, &steps) {
            steps.push(step);
        }
    }
    if items.is_empty() {
        reader.problem(value.span(), "a case has one step at least".to_owned());
    }
    Some(steps)
}

fn step(
    reader: &mut Reader<'_>,
    whole: &Typed<'_>,
    table: &DeTable<'_>,
    sessions: &[Actor],
    before: &[Step],
) -> Option<Step> {
    let names = || sessions.iter().map(|actor| actor.name.as_str());
    let (mut session, mut action) = (None, None);
    for (name, value) in table {
        let typed = name.get_ref().as_ref();
        if KEYS.contains(&typed) {
            continue;
        }
        if !names().any(|name| name == typed) {
            let near = hint(typed, names().chain(KEYS));
            let near = if near.is_empty() {
                format!("; its sessions are {}", names().collect::<Vec<_>>().join(", "))
            } else {
                near
            };
            let message = format!("`{typed}` is neither a session of this case nor a key of a step{near}");
            reader.problem(name.span(), message);
            return None;
        }
        if session.is_some() {
            reader.problem(name.span(), "a step is of one session".to_owned());
            return None;
        }
        session = Some(typed.to_owned());
        action = reader.text(typed, value).map(Action::Sql);
    }
    if let Some(value) = get(table, "control") {
        let admin = sessions.iter().find(|actor| actor.place == Place::Admin);
        match (admin, session.is_some()) {
            (Some(admin), false) => {
                session = Some(admin.name.clone());
                action = reader.choice("a control", value, &Action::CONTROLS);
            }
            (None, _) => {
                let message = "a control needs a session that is \"admin\"".to_owned();
                reader.problem(value.span(), message);
                return None;
            }
            (Some(_), true) => {
                reader.problem(value.span(), "a control stands alone, without a session".to_owned());
                return None;
            }
        }
    }
    let Some(session) = session else {
        reader.problem(whole.span(), "a step names its session: { alice = \"SELECT 1\" }".to_owned());
        return None;
    };
    let action = action?;
    let label = match get(table, "as") {
        Some(value) => reader.text("as", value)?,
        None => numbered(&session, before),
    };
    if let Some(value) = get(table, "as").filter(|_| before.iter().any(|step| step.label == label)) {
        reader.problem(value.span(), format!("two steps are called `{label}`"));
    }
    let only_if = get(table, "only_if").and_then(|value| sight(reader, value));
    let until = get(table, "until").and_then(|value| reader.named("until", value));
    if let Some(until) = until.as_ref().filter(|until| before.iter().all(|step| step.label != until.text)) {
        let near = hint(&until.text, before.iter().map(|step| step.label.as_str()));
        reader
            .problem(until.span.clone(), format!("no step before this one is called `{}`{near}", until.text));
    }
    Some(Step { session, action, label, only_if, until: until.map(|until| until.text) })
}

/// `alice 3`: the third step of alice.
fn numbered(session: &str, before: &[Step]) -> String {
    let number = before.iter().filter(|step| step.session == session).count() + 1;
    format!("{session} {number}")
}

/// `[{ "in the end" = "SELECT …" }]`.
pub(super) fn after(reader: &mut Reader<'_>, value: &Typed<'_>) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    for item in reader.list("after", value)? {
        for (name, value) in reader.table("after", item)? {
            let label = name.get_ref().to_string();
            let action = Action::Sql(reader.text(&label, value)?);
            steps.push(Step { session: "after".to_owned(), action, label, only_if: None, until: None });
        }
    }
    Some(steps)
}

/// What the anomaly is recognised by.
pub(super) fn sights(reader: &mut Reader<'_>, value: &Typed<'_>, case: &Case) -> Option<Vec<Sight>> {
    let mut sights = Vec::new();
    for item in reader.list("happens", value)? {
        sights.extend(sight(reader, item));
        known_step(reader, item, case);
    }
    Some(sights)
}

/// Complains where the step of a sight is none of the case's.
pub(super) fn known_step(reader: &mut Reader<'_>, value: &Typed<'_>, case: &Case) -> bool {
    let label = value.get_ref().as_table().and_then(|table| get(table, "step"));
    let label = label.and_then(|label| reader.named("step", label));
    label.is_some_and(|label| known(reader, case, &label))
}

/// `{ step = "alice reads", rows = [[1, "x"]] }`.
pub(super) fn sight(reader: &mut Reader<'_>, value: &Typed<'_>) -> Option<Sight> {
    const SEEN: [&str; 5] = ["rows", "affected", "warning", "ok", "waited"];
    let table = reader.table("only_if", value)?;
    reader.keys(table, &["step", "rows", "affected", "warning", "ok", "waited"], "what is seen of a step");
    let step = reader.required_in(table, value, "step").and_then(|value| reader.text("step", value))?;
    let found: Vec<&str> = SEEN.into_iter().filter(|key| get(table, key).is_some()).collect();
    let [key] = found[..] else {
        reader.problem(value.span(), format!("what is seen is one of {}", SEEN.join(", ")));
        return None;
    };
    let value = get(table, key)?;
    let seen = match key {
        "rows" => Seen::Rows(rows(reader, value)?),
        "affected" => Seen::Affected(reader.count(key, value)?),
        "warning" => Seen::Warning(reader.text(key, value)?),
        "waited" => Seen::Waited(reader.truth(key, value)?),
        _ => {
            if !reader.truth(key, value)? {
                reader.problem(value.span(), "`ok` is true; what is refused is for `expect`".to_owned());
            }
            Seen::Ok
        }
    };
    Some(Sight { step, seen })
}

fn rows(reader: &mut Reader<'_>, value: &Typed<'_>) -> Option<Vec<Vec<String>>> {
    let mut rows = Vec::new();
    for row in reader.list("rows", value)? {
        let values = reader.list("a row of `rows`", row)?;
        rows.push(values.iter().map(|value| reader.value(value)).collect::<Option<Vec<_>>>()?);
    }
    Some(rows)
}

/// The placeholders of a statement: `pid:alice`, `saw:alice reads|10`.
pub(super) fn placeholders(sql: &str) -> Vec<(&str, &str)> {
    let inside = sql.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(inside, _)| inside);
    let pairs = inside.filter_map(|inside| inside.split_once(':'));
    pairs
        .filter(|(kind, _)| is_name(kind))
        .map(|(kind, name)| (kind, name.split_once('|').map_or(name, |(name, _)| name)))
        .collect()
}
