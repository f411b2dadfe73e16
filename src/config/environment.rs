//! Settings in the environment: `REPLAB_LOAD__DURATION=30s`.

use crate::suggest::hint;

use super::error::{Origin, Problem};
use super::layers::{Entry, Raw};
use super::settings::{KEYS, Key, Kind};

/// Variables that are replab's own and no settings of a run.
pub const OTHER_VARIABLES: [&str; 6] = [
    "REPLAB_PG_BIN",
    "REPLAB_STATE_DIR",
    "REPLAB_REQUIRE_PG",
    "REPLAB_REQUIRE_DOCKER",
    "REPLAB_REQUIRE_BROWSER",
    "REPLAB_REQUIRE_AWS",
];

/// What a restart or failover command is told; it may call replab.
const OF_COMMANDS: [&str; 4] = ["REPLAB_NODE", "REPLAB_PRIMARY", "REPLAB_HOST", "REPLAB_PORT"];

/// The settings among `variables`. What starts with `REPLAB_` and means nothing is a problem: a misspelt variable that
/// is silently ignored is a run with other settings than one thinks.
pub(super) fn entries(
    variables: impl IntoIterator<Item = (String, String)>,
    problems: &mut Vec<Problem>,
) -> Vec<Entry> {
    let mut variables: Vec<(String, String)> = variables
        .into_iter()
        .filter(|(name, _)| name.starts_with("REPLAB_") && !OTHER_VARIABLES.contains(&name.as_str()))
        .filter(|(name, _)| !OF_COMMANDS.contains(&name.as_str()))
        .collect();
    variables.sort();
    let mut entries = Vec::new();
    for (variable, text) in variables {
        let mut problem = |message| {
            problems.push(Problem { place: variable.clone(), message, excerpt: None, is_usage: false });
        };
        let Some(key) = KEYS.iter().find(|key| key.variable() == variable) else {
            problem(format!("there is no such setting{}", suggestion(&variable)));
            continue;
        };
        match parse(key, &text) {
            Some(value) => {
                entries.push(Entry { key, value, origin: Origin::Environment { variable }, excerpt: None });
            }
            None => problem(format!("`{text}` is not {}", key.kind.noun())),
        }
    }
    entries
}

fn parse(key: &Key, text: &str) -> Option<Raw> {
    match key.kind {
        Kind::Number => text.trim().parse().ok().map(Raw::Number),
        Kind::Text => Some(Raw::Text(text.to_owned())),
        Kind::List if text.trim().is_empty() => Some(Raw::List(Vec::new())),
        Kind::List => Some(Raw::List(text.split(',').map(|item| item.trim().to_owned()).collect())),
    }
}

/// One underscore where two belong is the likeliest mistake, and never a question of similarity.
fn suggestion(variable: &str) -> String {
    let flat = |name: &str| name.to_ascii_uppercase().replace("__", "_");
    let names: Vec<String> = KEYS.iter().map(Key::variable).collect();
    match names.iter().find(|name| flat(name) == flat(variable)) {
        Some(name) => format!(" (did you mean `{name}`, with two underscores after the section?)"),
        None => hint(variable, names.iter().map(String::as_str).chain(OTHER_VARIABLES)),
    }
}
