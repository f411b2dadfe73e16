//! Which cases are meant.

use std::collections::BTreeMap;
use std::fs;

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::json;

use super::super::console::Console;
use super::super::{Exit, Failure};
use super::args::{On, ShowArgs};
use crate::anomaly::{Case, CaseError, Placement, catalogue, find, read};
use crate::isolation::Isolation;

/// Prints the catalogue.
pub(super) fn list(console: &Console) -> Result<Exit, Failure> {
    let cases = built_in()?;
    if console.is_json() {
        let one = |case: &Case| {
            let preventions: Vec<&str> = case.preventions.iter().map(|one| one.name.as_str()).collect();
            let placements = case.placements();
            json!({ "name": case.name, "title": case.title, "code": case.code, "about": case.about,
                "placements": placements, "preventions": preventions })
        };
        console.json(&cases.iter().map(one).collect::<Vec<_>>());
        return Ok(Exit::Valid);
    }
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED.with_rounded_corners());
    table.force_no_tty().set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(console.width()).unwrap_or(u16::MAX));
    table.set_header(["case", "code", "what it is", "--with"]);
    for case in &cases {
        let preventions: Vec<&str> = case.preventions.iter().map(|one| one.name.as_str()).collect();
        let code = case.code.clone().unwrap_or_default();
        table.add_row([case.name.clone(), code, case.title.clone(), preventions.join("\n")]);
    }
    console.result(&format!("{table}\nreplab anomalies show NAME plays one, step by step.\n"));
    Ok(Exit::Valid)
}

/// The cases called `names`, or all; none twice.
pub(super) fn named(names: &[String]) -> Result<Vec<Case>, Failure> {
    if names.is_empty() {
        return built_in();
    }
    let mut cases: Vec<Case> = Vec::new();
    for name in names {
        let case = one(name)?;
        if cases.iter().any(|other| other.name == case.name) {
            let error = anyhow::anyhow!("two cases are called `{}`", case.name);
            return Err(Failure::new(Exit::Usage, error).help("name each case once"));
        }
        cases.push(case);
    }
    Ok(cases)
}

/// The case called `name`, or that of a file.
pub(super) fn one(name: &str) -> Result<Case, Failure> {
    if name.contains('/') || name.ends_with(".toml") {
        let text = fs::read_to_string(name).map_err(|error| {
            let error = anyhow::Error::new(error).context(format!("read `{name}`"));
            Failure::new(Exit::Usage, error).help("a case of the catalogue is named without `/` and `.toml`")
        })?;
        return read(name, &text).map_err(wrong);
    }
    let cases = built_in()?;
    find(&cases, name).cloned().map_err(|near| {
        let error = anyhow::anyhow!("there is no case `{name}`{near}");
        Failure::new(Exit::Usage, error)
            .help("replab anomalies list shows them; a file of your own has `/` or `.toml` in its name")
    })
}

/// What `replab anomalies show` plays: a case without its preventions, or with one of them and what is expected then.
pub(super) fn chosen(case: Case, args: &ShowArgs) -> Result<(Case, Placement, Vec<Isolation>), Failure> {
    let mut chosen = match &args.with {
        None => case.clone(),
        Some(name) => {
            let prevention = case.prevention(name).ok_or_else(|| {
                let names: Vec<&str> = case.preventions.iter().map(|one| one.name.as_str()).collect();
                let near = crate::suggest::hint(name, names.iter().copied());
                let error = anyhow::anyhow!("`{}` has no prevention `{name}`{near}", case.name);
                let known = if names.is_empty() {
                    "it has none".to_owned()
                } else {
                    format!("it has {}", names.join(", "))
                };
                Failure::new(Exit::Usage, error).help(known)
            })?;
            let mut with = case.with(prevention);
            let at = (prevention.on, prevention.isolation);
            with.title = format!("{}, with {name}", case.title);
            with.about = format!("{} {}", case.about, prevention.why);
            with.expect =
                prevention.expect.clone().map(|ending| (at, ending)).into_iter().collect::<BTreeMap<_, _>>();
            with
        }
    };
    let places = chosen.placements();
    let prevention = args.with.as_ref().and_then(|name| case.prevention(name));
    let default = prevention.map_or(places[0], |prevention| prevention.on);
    let on = match args.on {
        None => default,
        Some(On::Primary) => Placement::Primary,
        Some(On::Replica) => Placement::Replica,
        Some(On::Both) => {
            let error = anyhow::anyhow!("a case is shown in one place at a time");
            return Err(Failure::new(Exit::Usage, error).help("--on primary, or --on replica"));
        }
    };
    if !places.contains(&on) {
        let places: Vec<String> = places.iter().map(ToString::to_string).collect();
        let error = anyhow::anyhow!("`{}` is never played with its readers on the {on}", case.name);
        return Err(Failure::new(Exit::Usage, error)
            .help(format!("leave out --on: it is played on the {}", places.join(" and the "))));
    }
    chosen.preventions.clear();
    let levels = match (prevention, args.isolation.is_empty()) {
        (Some(prevention), _) => vec![prevention.isolation],
        (None, true) => Isolation::ALL.to_vec(),
        (None, false) => super::sorted(&args.isolation),
    };
    Ok((chosen, on, levels))
}

fn built_in() -> Result<Vec<Case>, Failure> {
    catalogue().map_err(wrong)
}

/// A file that is no case.
fn wrong(error: CaseError) -> Failure {
    Failure::new(Exit::Config, error).help("docs/anomalies.md describes the format by a complete example")
}
