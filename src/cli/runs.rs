//! `replab runs`: what is stored, and less of it.

use std::path::Path;

use comfy_table::{Table, presets};
use serde::Serialize;
use serde_json::json;

use super::args::RunsCommand;
use super::console::Console;
use super::{Exit, Failure, failures};
use crate::run::{Ended, Manifest, RunDir};

/// One stored run in a list.
#[derive(Serialize)]
struct Row {
    id: String,
    started: String,
    topology: String,
    workloads: String,
    faults: String,
    result: String,
    bytes: u64,
}

/// Lists, shows, removes.
pub(super) fn runs(command: &RunsCommand, runs: &Path, console: &Console) -> Result<Exit, Failure> {
    match command {
        RunsCommand::List => list(runs, console),
        RunsCommand::Show { run } => {
            let dir = RunDir::find(runs, run).map_err(failures::find)?;
            show(&row(&dir), console);
        }
        RunsCommand::Rm { run } => {
            let dir = RunDir::find(runs, run).map_err(failures::find)?;
            // By its path any directory could be named, and this removes all that is in it.
            if !RunDir::list(runs).iter().any(|stored| stored.id() == dir.id() && stored.is(&dir)) {
                let error = anyhow::anyhow!("{} is not a run in {}", dir.path().display(), runs.display());
                return Err(Failure::new(Exit::Usage, error).help("replab runs list shows what is there"));
            }
            let manifest = Manifest::read(&dir).map_err(|error| Failure::new(Exit::Environment, error))?;
            if manifest.is_running() {
                let error = anyhow::anyhow!("{} is still running", dir.id());
                return Err(Failure::new(Exit::Usage, error).help("stop it with Ctrl-C first"));
            }
            remove(vec![dir], runs, console)?;
        }
        RunsCommand::Prune { keep } => {
            let stored = RunDir::list(runs);
            let surplus = stored.len().saturating_sub(*keep);
            remove(stored.into_iter().take(surplus).filter(is_done).collect(), runs, console)?;
        }
    }
    Ok(Exit::Valid)
}

fn list(runs: &Path, console: &Console) {
    let rows: Vec<Row> = RunDir::list(runs).iter().map(row).collect();
    if console.is_json() {
        return console.json(&rows);
    }
    if rows.is_empty() {
        return console.note(&format!("no runs in {}", runs.display()));
    }
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED.with_rounded_corners());
    table.set_header(["run", "started", "topology", "workloads", "result", "size"]);
    for row in rows {
        let size = format!("{:.1} MB", row.bytes as f64 / 1e6);
        table.add_row([row.id, row.started, row.topology, row.workloads, row.result, size]);
    }
    console.result(&format!("{table}\n"));
}

fn show(row: &Row, console: &Console) {
    if console.is_json() {
        return console.json(row);
    }
    let lines = [
        ("run", &row.id),
        ("started", &row.started),
        ("topology", &row.topology),
        ("workloads", &row.workloads),
        ("faults", &row.faults),
        ("result", &row.result),
    ];
    console.result(&lines.map(|(name, value)| format!("{name:<10} {value}\n")).concat());
}

fn row(dir: &RunDir) -> Row {
    let (id, bytes) = (dir.id(), dir.size());
    match Manifest::read(dir) {
        Ok(manifest) => Row {
            id,
            result: result(dir, &manifest),
            started: manifest.run.started,
            topology: manifest.run.topology,
            workloads: manifest.run.workloads,
            faults: if manifest.run.faults.is_empty() { "none".to_owned() } else { manifest.run.faults },
            bytes,
        },
        Err(error) => Row {
            id,
            started: String::new(),
            topology: String::new(),
            workloads: String::new(),
            faults: String::new(),
            result: error.to_string(),
            bytes,
        },
    }
}

/// The result that was written, or why there is none. A run without a violation is not valid where a threshold was
/// missed or could not be measured: then its exit code says so, and not its verdict.
fn result(dir: &RunDir, manifest: &Manifest) -> String {
    let written = std::fs::read_to_string(dir.file("results.json")).ok();
    let written = written.and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok());
    let verdict = written.as_ref().and_then(|results| {
        let verdict = results["verdict"].as_str()?;
        Some(match (verdict, results["exit_code"].as_u64()) {
            ("fail", _) => "INVALID",
            ("pass", Some(4)) => "threshold missed",
            ("pass", Some(0)) => "valid",
            _ => "unknown",
        })
    });
    match (verdict, &manifest.ended) {
        (Some(verdict), Some(Ended::Complete)) => verdict.to_owned(),
        (verdict, Some(Ended::Interrupted)) => format!("{} (interrupted)", verdict.unwrap_or("not judged")),
        (verdict, Some(Ended::Failed { .. })) => {
            format!("{} (the lab failed)", verdict.unwrap_or("not judged"))
        }
        (_, None) if manifest.is_running() => "running".to_owned(),
        (_, None) => "killed".to_owned(),
        (None, Some(Ended::Complete)) => "not judged".to_owned(),
    }
}

/// A run that can be read and that nobody writes to.
fn is_done(dir: &RunDir) -> bool {
    Manifest::read(dir).is_ok_and(|manifest| !manifest.is_running())
}

/// Removes all of `dirs`, and says which; `latest` leads to one that stays.
fn remove(dirs: Vec<RunDir>, runs: &Path, console: &Console) -> Result<(), Failure> {
    let mut removed = Vec::new();
    for dir in dirs {
        let (id, path) = (dir.id(), dir.path().to_owned());
        let done = dir.remove().map_err(|error| failures::directory(&path, error));
        // Also where the next one cannot be removed.
        RunDir::mend_latest(runs).map_err(|error| failures::directory(runs, error))?;
        done?;
        console.note(&format!("removed {id}"));
        removed.push(id);
    }
    if console.is_json() {
        console.json(&json!({ "removed": removed }));
    }
    Ok(())
}
