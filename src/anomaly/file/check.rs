//! What no single value shows to be wrong.

use toml::de::DeTable;

use super::known;
use super::reader::{Named, Reader, get};
use super::steps::{KEYS, known_step, placeholders};
use crate::anomaly::{Action, Case};
use crate::suggest::hint;

/// Steps that name others: those have to exist, and to come before. Sessions have steps, and labels differ.
pub(super) fn steps(reader: &mut Reader<'_>, table: &DeTable<'_>, case: &Case) {
    let values = get(table, "steps").and_then(|value| value.get_ref().as_array());
    for value in values.into_iter().flatten() {
        let Some(item) = value.get_ref().as_table() else { continue };
        if let Some(condition) = get(item, "only_if") {
            known_step(reader, condition, case);
        }
        for (name, value) in item {
            if !KEYS.contains(&name.get_ref().as_ref())
                && let Some(sql) = value.get_ref().as_str()
            {
                let named = Named { text: sql.to_owned(), span: value.span() };
                placeholders_of(reader, &named, case);
            }
        }
    }
    if let Some(sessions) = get(table, "sessions").and_then(|value| value.get_ref().as_table()) {
        for name in sessions.keys() {
            if !case.steps.iter().any(|step| step.session == **name.get_ref()) {
                let message = format!("the session `{}` has no step", name.get_ref());
                reader.problem(name.span(), message);
            }
        }
    }
    let controls = case.steps.iter().any(|step| !matches!(step.action, Action::Sql(_)));
    if controls && !case.needs.superuser {
        let span = get(table, "steps").map(|value| value.span()).unwrap_or_default();
        let message = "a control changes the server's settings: add needs = [\"superuser\"]".to_owned();
        reader.problem(span.start..span.start + 1, message);
    }
    for (place, step) in case.after.iter().enumerate() {
        if case.steps.iter().chain(&case.after[..place]).any(|other| other.label == step.label) {
            let span = get(table, "after").map(|value| value.span()).unwrap_or_default();
            reader.problem(span, format!("two steps are called `{}`", step.label));
        }
    }
}

/// Complains of placeholders that stand for nothing.
pub(super) fn placeholders_of(reader: &mut Reader<'_>, sql: &Named, case: &Case) {
    for (kind, name) in placeholders(&sql.text) {
        match kind {
            "saw" => {
                let label = Named { text: name.to_owned(), span: sql.span.clone() };
                known(reader, case, &label);
            }
            "pid" if case.sessions.iter().any(|actor| actor.name == name) => {}
            "pid" => {
                let near = hint(name, case.sessions.iter().map(|actor| actor.name.as_str()));
                reader.problem(sql.span.clone(), format!("`{name}` is no session of this case{near}"));
            }
            _ => {
                let message = format!("`{{{kind}:…}}` is no placeholder: {{pid:SESSION}}, {{saw:STEP}}");
                reader.problem(sql.span.clone(), message);
            }
        }
    }
}
