//! What is expected where, and what prevents a case.

use std::collections::BTreeMap;

use super::check::placeholders_of;
use super::reader::{Named, Reader, Typed, get};
use super::{known, needs, place};
use crate::anomaly::{Case, Ending, Placement, Prevention};
use crate::isolation::Isolation;

const PLACEMENTS: [(&str, Placement); 2] = [("primary", Placement::Primary), ("replica", Placement::Replica)];

/// `[expect.primary]` with a line for each level.
pub(super) fn expectations(
    reader: &mut Reader<'_>,
    value: &Typed<'_>,
    case: &Case,
) -> BTreeMap<(Placement, Isolation), Ending> {
    let mut expect = BTreeMap::new();
    let Some(table) = reader.table("expect", value) else { return expect };
    reader.keys(table, &["primary", "replica"], "[expect]");
    for (name, placement) in PLACEMENTS {
        let Some(value) = get(table, name) else { continue };
        let Some(levels) = reader.table(name, value) else { continue };
        reader.keys(levels, &Isolation::ALL.map(Isolation::name), "what is expected");
        if !case.placements().contains(&placement) {
            let why = match placement {
                Placement::Primary => "one of its sessions is always on a replica",
                Placement::Replica => "none of its sessions is on \"either\" or on \"replica\"",
            };
            reader.problem(value.span(), format!("this case is never played on the {name}: {why}"));
        }
        for level in Isolation::ALL {
            if let Some(ending) = get(levels, level.name()).and_then(|value| ending(reader, value, case)) {
                expect.insert((placement, level), ending);
            }
        }
    }
    if case.happens.is_empty() {
        let message = "what is expected needs `happens`, by which the anomaly is recognised".to_owned();
        reader.problem(value.span(), message);
    }
    expect
}

fn ending(reader: &mut Reader<'_>, value: &Typed<'_>, case: &Case) -> Option<Ending> {
    let ending: Ending = reader.parsed("what is expected", value)?;
    if let Some(at) = ending.at() {
        known(reader, case, &Named { text: at.to_owned(), span: value.span() });
    }
    Some(ending)
}

/// Each `[[prevention]]`.
pub(super) fn preventions(reader: &mut Reader<'_>, value: &Typed<'_>, case: &Case) -> Vec<Prevention> {
    let mut preventions: Vec<Prevention> = Vec::new();
    for item in reader.list("prevention", value).unwrap_or_default() {
        let Some(prevention) = prevention(reader, item, case) else { continue };
        if preventions.iter().any(|other| other.name == prevention.name) {
            reader.problem(item.span(), format!("two preventions are called `{}`", prevention.name));
        }
        preventions.push(prevention);
    }
    preventions
}

fn prevention(reader: &mut Reader<'_>, whole: &Typed<'_>, case: &Case) -> Option<Prevention> {
    const KEYS: [&str; 11] = [
        "name",
        "helps",
        "isolation",
        "on",
        "why",
        "setup",
        "replace",
        "sessions",
        "retry",
        "needs",
        "expect",
    ];
    let table = reader.table("prevention", whole)?;
    reader.keys(table, &KEYS, "a prevention");
    let name = reader.required_in(table, whole, "name").and_then(|value| reader.name(value));
    let why = reader.required_in(table, whole, "why").and_then(|value| reader.text("why", value));
    let isolation =
        reader.required_in(table, whole, "isolation").and_then(|value| reader.parsed("isolation", value));
    let truth = |reader: &mut Reader<'_>, key, default| {
        get(table, key).map_or(Some(default), |value| reader.truth(key, value))
    };
    let (helps, retry) = (truth(reader, "helps", true), truth(reader, "retry", false));
    let setup = get(table, "setup").map_or(Some(Vec::new()), |value| reader.texts("setup", value));
    let mut replace = BTreeMap::new();
    for (name, value) in
        get(table, "replace").and_then(|value| reader.table("replace", value)).into_iter().flatten()
    {
        let label = Named { text: name.get_ref().to_string(), span: name.span() };
        if let Some(sql) = reader.named("replace", value).filter(|_| known(reader, case, &label)) {
            placeholders_of(reader, &sql, case);
            replace.insert(label.text, sql.text);
        }
    }
    let mut sessions = BTreeMap::new();
    for (name, value) in
        get(table, "sessions").and_then(|value| reader.table("sessions", value)).into_iter().flatten()
    {
        let session = name.get_ref().to_string();
        if !case.sessions.iter().any(|actor| actor.name == session) {
            let near = crate::suggest::hint(&session, case.sessions.iter().map(|actor| actor.name.as_str()));
            reader.problem(name.span(), format!("`{session}` is no session of this case{near}"));
        } else if let Some(place) = place(reader, value) {
            sessions.insert(session, place);
        }
    }
    let expect = get(table, "expect").and_then(|value| {
        let ending = ending(reader, value, case)?;
        let helps = helps?;
        if helps == (ending == Ending::Happens) {
            let message = if helps {
                "a prevention after which the anomaly happens is none: helps = false".to_owned()
            } else {
                "what does not help ends in `happens`".to_owned()
            };
            reader.problem(value.span(), message);
        }
        Some(ending)
    });
    let mut prevention = Prevention {
        name: name?,
        helps: helps?,
        isolation: isolation?,
        on: Placement::Primary,
        why: why?,
        setup: setup?,
        replace,
        sessions,
        retry: retry?,
        needs: needs(reader, table),
        expect,
    };
    let possible = case.with(&prevention).placements();
    prevention.on = possible.first().copied().unwrap_or(Placement::Primary);
    if let Some(value) = get(table, "on")
        && let Some(on) = reader.choice("`on`", value, &PLACEMENTS)
    {
        prevention.on = on;
        if !possible.contains(&on) {
            reader.problem(value.span(), format!("with its sessions this is never played on the {on}"));
        }
    }
    Some(prevention)
}
