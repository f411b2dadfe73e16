//! A case in the language of PostgreSQL's own isolationtester (src/test/isolation/README of its source).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Action, Case, Place};
use crate::isolation::Isolation;

/// A case that isolationtester has no words for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("isolationtester cannot express `{case}`: {why}")]
pub struct Inexpressible {
    case: String,
    why: String,
}

/// The schema of an exported case.
const SCHEMA: &str = "replab_anomaly";

/// The case at `level` as a specification with one permutation: the order of its steps.
///
/// # Errors
/// What needs a replica, another setting of the server or the number of a process, or a value that was read before and
/// has no constant beside it.
pub fn isolationtester(case: &Case, level: Isolation) -> Result<String, Inexpressible> {
    let no = |why: String| Inexpressible { case: case.name.clone(), why };
    if let Some(actor) = case.sessions.iter().find(|actor| actor.place == Place::Replica) {
        return Err(no(format!(
            "its session {} is on a replica, and all of its sessions are on one server",
            actor.name
        )));
    }
    if case.steps.iter().any(|step| !matches!(step.action, Action::Sql(_))) {
        return Err(no("it changes the server's settings and waits until they hold".to_owned()));
    }
    let mut names = BTreeMap::new();
    let mut bodies = BTreeMap::new();
    for step in case.steps.iter().chain(&case.after) {
        let slug: String = step
            .label
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
            .collect();
        let slug = if slug.starts_with(|c: char| c.is_ascii_digit()) { format!("s{slug}") } else { slug };
        let taken = names.values().filter(|name: &&String| name.starts_with(&slug)).count();
        names.insert(&step.label, if taken == 0 { slug } else { format!("{slug}_{}", taken + 1) });
        bodies.insert(&step.label, constant(step.action.text()).map_err(no)?);
    }
    let mut text = String::new();
    let _ = writeln!(text, "# {} ({}), at {level}", case.title, case.code.as_deref().unwrap_or("no code"));
    for step in case.steps.iter().filter(|step| step.only_if.is_some()) {
        let _ = writeln!(
            text,
            "# {}: sent in any case; an application looks at what it read first",
            names[&step.label]
        );
    }
    let _ = writeln!(text, "\nsetup {{ CREATE SCHEMA {SCHEMA}; SET search_path = {SCHEMA}, public; }}");
    if let Some(extension) = &case.needs.extension {
        let _ = writeln!(text, "setup {{ CREATE EXTENSION IF NOT EXISTS {extension}; }}");
    }
    for sql in &case.setup {
        let _ = writeln!(text, "setup {{ {sql}; }}");
    }
    let _ = writeln!(text, "teardown {{ DROP SCHEMA {SCHEMA} CASCADE; }}");
    let after = (!case.after.is_empty()).then_some(("after", Isolation::ReadCommitted));
    let sessions = case.sessions.iter().map(|actor| (actor.name.as_str(), actor.isolation.unwrap_or(level)));
    for (session, level) in sessions.chain(after) {
        let _ = writeln!(
            text,
            "\nsession {session}\nsetup {{ SET search_path = {SCHEMA}, public; SET default_transaction_isolation = '{level}'; }}"
        );
        for step in case.steps.iter().chain(&case.after).filter(|step| step.session == session) {
            let _ = writeln!(text, "step {} {{ {}; }}", names[&step.label], bodies[&step.label]);
        }
    }
    let order: Vec<&str> =
        case.steps.iter().chain(&case.after).map(|step| names[&step.label].as_str()).collect();
    let _ = writeln!(text, "\npermutation {}", order.join(" "));
    Ok(text)
}

/// The statement without placeholders.
fn constant(sql: &str) -> Result<String, String> {
    let mut text = String::new();
    let mut rest = sql;
    while let Some((before, inside)) = rest.split_once('{') {
        let (inside, behind) = inside.split_once('}').unwrap_or((inside, ""));
        match (inside.starts_with("saw:"), inside.split_once('|')) {
            (true, Some((_, value))) => text = text + before + value,
            (true, None) => {
                return Err(format!("`{{{inside}}}` is what was read before, and has no `|constant`"));
            }
            (false, _) if inside.starts_with("pid:") => {
                return Err("a step names the process of a session".to_owned());
            }
            (false, _) => return Err("a statement holds a brace, which would end its step".to_owned()),
        }
        rest = behind;
    }
    if rest.contains('}') {
        return Err("a statement holds a brace, which would end its step".to_owned());
    }
    Ok(text + rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anomaly::{catalogue, find};

    #[test]
    fn a_case_becomes_a_specification() {
        let cases = catalogue().unwrap();
        let spec = isolationtester(find(&cases, "lost-update").unwrap(), Isolation::RepeatableRead).unwrap();
        assert!(spec.contains("SET default_transaction_isolation = 'repeatable read'"), "{spec}");
        assert!(
            spec.contains("step bob_writes { UPDATE likes SET total = 10 + 1 WHERE post = 1; }"),
            "{spec}"
        );
        assert!(spec.contains("\npermutation alice_1 bob_1 alice_reads bob_reads"), "{spec}");
    }

    #[test]
    fn what_cannot_be_said_there_is_refused_with_the_reason() {
        let cases = catalogue().unwrap();
        let refused = |name: &str| {
            isolationtester(find(&cases, name).unwrap(), Isolation::ReadCommitted).unwrap_err().to_string()
        };
        assert!(refused("long-fork").contains("session rita is on a replica"), "{}", refused("long-fork"));
        let cancelled = refused("cancelled-commit");
        assert!(cancelled.contains("changes the server's settings"), "{cancelled}");
        assert!(constant("SELECT '{}'").is_err() && constant("SELECT '}'").is_err());
        assert!(constant("SELECT {saw:x}").unwrap_err().contains("no `|constant`"));
    }
}
