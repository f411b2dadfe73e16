//! Reads a case's file, and says of everything that is wrong in it where it stands and what would be right.

mod check;
mod reader;
mod steps;
#[cfg(test)]
mod tests;
mod variants;

use toml::de::DeTable;

use super::{Actor, Case, CaseError, Needs, Place, Problem};
use reader::{Named, Reader, Typed, get};

/// The keys of a case.
const KEYS: [&str; 14] = [
    "name",
    "title",
    "code",
    "about",
    "source",
    "remedy",
    "needs",
    "setup",
    "sessions",
    "steps",
    "after",
    "happens",
    "expect",
    "prevention",
];

/// Reads the file `path`, which holds `text`.
///
/// # Errors
/// Everything that is wrong, in the order of the file.
pub fn read(path: &str, text: &str) -> Result<Case, CaseError> {
    let mut reader = Reader::new(path, text);
    let case = reader.parse().and_then(|table| case(&mut reader, &table));
    let mut problems = reader.finish();
    match case {
        Some(case) if problems.is_empty() => Ok(case),
        _ => {
            if problems.is_empty() {
                let message = "it is no case".to_owned();
                problems.push(Problem { place: path.to_owned(), message, excerpt: None });
            }
            Err(CaseError { problems })
        }
    }
}

fn case(reader: &mut Reader<'_>, table: &DeTable<'_>) -> Option<Case> {
    reader.keys(table, &KEYS, "a case");
    let name = reader.required(table, "name").and_then(|value| reader.name(value));
    let title = reader.required(table, "title").and_then(|value| reader.text("title", value));
    let about = reader.required(table, "about").and_then(|value| reader.text("about", value));
    let optional = |reader: &mut Reader<'_>, key| get(table, key).and_then(|value| reader.text(key, value));
    let (code, source, remedy) =
        (optional(reader, "code"), optional(reader, "source"), optional(reader, "remedy"));
    let needs = needs(reader, table);
    let setup = get(table, "setup").map_or(Some(Vec::new()), |value| reader.texts("setup", value));
    let mut sessions = reader.required(table, "sessions").and_then(|value| sessions(reader, value))?;
    if reader.is_wrong() {
        return None;
    }
    let steps = reader.required(table, "steps").and_then(|value| steps::steps(reader, value, &sessions))?;
    let after = get(table, "after").map_or(Some(Vec::new()), |value| steps::after(reader, value));
    // What follows from these mistakes is none of its own.
    if reader.is_wrong() {
        return None;
    }
    // In the order in which they appear.
    sessions.sort_by_key(|actor| steps.iter().position(|step| step.session == actor.name));
    let mut case = Case {
        name: name?,
        title: title?,
        code,
        about: about?,
        source,
        remedy,
        needs,
        setup: setup?,
        sessions,
        steps,
        after: after?,
        happens: Vec::new(),
        expect: std::collections::BTreeMap::new(),
        preventions: Vec::new(),
        retry: false,
    };
    check::steps(reader, table, &case);
    if let Some(value) = get(table, "happens") {
        case.happens = steps::sights(reader, value, &case).unwrap_or_default();
    }
    if let Some(value) = get(table, "expect") {
        case.expect = variants::expectations(reader, value, &case);
    }
    if let Some(value) = get(table, "prevention") {
        case.preventions = variants::preventions(reader, value, &case);
    }
    Some(case)
}

/// `needs = ["superuser", "extension btree_gist"]`.
fn needs(reader: &mut Reader<'_>, table: &DeTable<'_>) -> Needs {
    let mut needs = Needs::default();
    let Some(value) = get(table, "needs") else { return needs };
    for need in reader.texts("needs", value).unwrap_or_default() {
        match need.split_once(' ') {
            None if need == "superuser" => needs.superuser = true,
            Some(("extension", name)) if is_name(name) => needs.extension = Some(name.to_owned()),
            _ => reader.problem(
                value.span(),
                format!("`needs` knows `superuser` and `extension NAME`, not `{need}`"),
            ),
        }
    }
    needs
}

/// `{ alice = "primary", rita = { on = "replica", isolation = "repeatable-read" } }`.
fn sessions(reader: &mut Reader<'_>, value: &Typed<'_>) -> Option<Vec<Actor>> {
    let table = reader.table("sessions", value)?;
    let mut sessions = Vec::new();
    for (name, value) in table {
        let session = name.get_ref().to_string();
        if !is_name(&session) || steps::KEYS.contains(&&*session) || session == "after" {
            reader.problem(
                name.span(),
                format!("`{session}` cannot name a session: lower-case letters, digits and `_`, and none of {}, after", steps::KEYS.join(", ")),
            );
            continue;
        }
        let (place, isolation) = match value.get_ref().as_table() {
            None => (place(reader, value), None),
            Some(table) => {
                reader.keys(table, &["on", "isolation"], "a session");
                let place = reader.required_in(table, value, "on").and_then(|value| place(reader, value));
                let isolation = get(table, "isolation").and_then(|value| reader.parsed("isolation", value));
                (place, isolation)
            }
        };
        if let Some(place) = place {
            sessions.push(Actor { name: session, place, isolation });
        }
    }
    Some(sessions)
}

/// Where a session is connected to.
fn place(reader: &mut Reader<'_>, value: &Typed<'_>) -> Option<Place> {
    reader.choice("the place of a session", value, &Place::NAMES)
}

/// What PostgreSQL takes without quotes, and isolationtester as well.
fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// The labels that a case has.
fn labels(case: &Case) -> impl Iterator<Item = &str> {
    case.steps.iter().chain(&case.after).map(|step| step.label.as_str())
}

/// Complains of a label that the case does not have.
fn known(reader: &mut Reader<'_>, case: &Case, label: &Named) -> bool {
    let known = labels(case).any(|one| one == label.text);
    if !known {
        let near = crate::suggest::hint(&label.text, labels(case));
        reader.problem(label.span.clone(), format!("no step is called `{}`{near}", label.text));
    }
    known
}
