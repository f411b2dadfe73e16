//! A matrix: every value of some settings with every fault, each combination a plan of its own.
//!
//! Built-in defaults < the matrix's file < environment < flags. `replab.toml` is not read: a matrix is described by
//! one file, so that it means the same everywhere.

mod file;
#[cfg(test)]
mod tests;

use std::path::Path;

use super::error::{ConfigError, Origin, Problem};
use super::layers::{Entry, Raw, defaults, random_seed, resolve};
use super::overrides::Overrides;
use super::plan::{Plan, SynchronousCommit};
use super::settings::{Settings, key};
use super::{environment, overrides};
use crate::topology::Wanted;
use file::{Axis, Value};

/// The commented file of the matrix that is measured when none is named.
pub const DEFAULT_MATRIX: &str = include_str!("default.toml");

/// What the matrix itself sets, in every cell anew.
const VARIED: [&str; 3] = ["topology.synchronous_commit", "topology.synchronous_standbys", "faults.schedule"];

/// A matrix, every cell of it valid. As TOML it is a file that describes it in full.
#[derive(Clone, Debug, PartialEq)]
pub struct MatrixPlan {
    /// How often each cell is measured.
    pub repeat: u32,
    /// Of every client's session.
    pub synchronous_commit: Vec<SynchronousCommit>,
    /// Which replicas a commit waits for.
    pub standbys: Vec<Wanted>,
    /// What is done to the cluster.
    pub faults: Vec<MatrixFault>,
    /// Every combination: fault by fault, of each the standbys, of these the levels. Never empty.
    pub cells: Vec<MatrixCell>,
}

/// A fault of a matrix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatrixFault {
    /// What reports call it.
    pub name: String,
    /// What is done when, as `--fault` takes it.
    pub schedule: String,
    /// For whoever reads the table; may be empty.
    pub explanation: String,
}

/// One combination.
#[derive(Clone, Debug, PartialEq)]
pub struct MatrixCell {
    /// The level.
    pub synchronous_commit: SynchronousCommit,
    /// The standbys.
    pub standbys: Wanted,
    /// The fault's name.
    pub fault: String,
    /// A run of it.
    pub plan: Plan,
}

/// What the command line says of a matrix.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MatrixFlags {
    /// `--repeat`.
    pub repeat: Option<i64>,
    /// `--only`: `fault=kill primary`, `synchronous_commit=off`, `standbys=ANY 1`. Several of one kind add up.
    pub only: Vec<String>,
    /// Settings of every cell.
    pub settings: Overrides,
}

/// The matrix of the file `named`, or the built-in one.
pub fn matrix(
    named: Option<&Path>,
    flags: &MatrixFlags,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<MatrixPlan, ConfigError> {
    let mut problems = Vec::new();
    let read = match named {
        Some(path) => super::file::read(Some(path)),
        None => Ok(Some(("the built-in matrix".to_owned(), DEFAULT_MATRIX.to_owned()))),
    };
    let (path, text) = match read {
        Ok(found) => found.unwrap_or_default(),
        Err(problem) => return Err(ConfigError { problems: vec![problem] }),
    };
    let Some(mut axes) = file::read(&path, &text, &mut problems) else {
        return Err(ConfigError { problems });
    };
    axes.override_repeat(flags.repeat, &mut problems);
    axes.select(&flags.only, &mut problems);
    let mut layers = vec![defaults(), std::mem::take(&mut axes.settings)];
    layers.push(environment::entries(environment, &mut problems));
    layers.push(overrides::entries(&flags.settings, &layers.concat(), &mut problems));
    refuse_varied(&layers[1..], &mut problems);
    if !layers.concat().iter().any(|entry| entry.key.path() == "load.seed") {
        // One for all: otherwise every combination would draw its own.
        layers.push(entry("load.seed", Raw::Number(random_seed()), Origin::Random).into_iter().collect());
    }
    let cells = cells(&axes, &layers, &mut problems);
    if problems.is_empty() { Ok(plan(axes, cells)) } else { Err(ConfigError { problems }) }
}

fn plan(axes: file::Axes, cells: Vec<MatrixCell>) -> MatrixPlan {
    let values = |axis: &[Value]| axis.iter().map(|value| value.text.clone()).collect::<Vec<_>>();
    let fault = |fault: &file::Fault| MatrixFault {
        name: fault.name.clone(),
        schedule: fault.schedule.text.clone(),
        explanation: fault.explanation.clone(),
    };
    // Every value stands in some cell, and is valid there.
    let levels = values(&axes.synchronous_commit);
    let standbys = values(&axes.standbys);
    MatrixPlan {
        repeat: axes.repeat,
        synchronous_commit: levels.iter().filter_map(|text| text.parse().ok()).collect(),
        standbys: standbys.iter().filter_map(|text| text.parse().ok()).collect(),
        faults: axes.faults.iter().map(fault).collect(),
        cells,
    }
}

/// What a matrix varies cannot be set beside it, and would be overridden in silence.
fn refuse_varied(layers: &[Vec<Entry>], problems: &mut Vec<Problem>) {
    for entry in layers.iter().flatten() {
        let path = entry.key.path();
        let message = match path.as_str() {
            "topology.synchronous_commit" => "a matrix varies it: list its values in `synchronous_commit`",
            "topology.synchronous_standbys" => "a matrix varies it: list its values in `standbys`",
            "faults.schedule" => "a matrix varies it: give each a `[[fault]]` with a name and a schedule",
            "output.runs" if matches!(entry.origin, Origin::File { .. }) => {
                "where a matrix is kept is no part of it; --runs says it"
            }
            _ => continue,
        };
        problems.push(Problem {
            place: entry.origin.to_string(),
            message: format!("{path}: {message}"),
            excerpt: entry.excerpt.clone(),
            is_usage: matches!(entry.origin, Origin::Flag { .. }),
        });
    }
}

/// The plans of all combinations. A value that is wrong is wrong in many of them, and one mistake.
fn cells(axes: &file::Axes, layers: &[Vec<Entry>], problems: &mut Vec<Problem>) -> Vec<MatrixCell> {
    let mut cells = Vec::new();
    for fault in &axes.faults {
        for standbys in &axes.standbys {
            for level in &axes.synchronous_commit {
                let values = VARIED.into_iter().zip([level, standbys, &fault.schedule]);
                let varied: Vec<Entry> = values.filter_map(|(path, value)| value.entry(path)).collect();
                let layers = layers.iter().cloned().chain([varied]).collect();
                let plan = match resolve(layers, Vec::new(), false) {
                    Ok(loaded) => loaded.plan,
                    Err(error) => {
                        problems.extend(error.problems);
                        continue;
                    }
                };
                let topology = &plan.topology;
                let wanted = topology.synchronous_standbys.clone().unwrap_or(Wanted::Nobody);
                cells.push(MatrixCell {
                    synchronous_commit: topology.synchronous_commit,
                    standbys: wanted,
                    fault: fault.name.clone(),
                    plan,
                });
            }
        }
    }
    let mut distinct: Vec<Problem> = Vec::new();
    for problem in problems.drain(..) {
        if !distinct.contains(&problem) {
            distinct.push(problem);
        }
    }
    *problems = distinct;
    cells
}

fn entry(path: &str, value: Raw, origin: Origin) -> Option<Entry> {
    key(path).map(|key| Entry { key, value, origin, excerpt: None })
}

impl MatrixPlan {
    /// The whole matrix as the text of a file: what it varies, and every setting of its cells.
    pub fn to_toml(&self) -> String {
        let settings: Option<Settings> = self.cells.first().map(|cell| cell.plan.clone().into());
        let mut table =
            settings.and_then(|settings| toml::Table::try_from(settings).ok()).unwrap_or_default();
        for path in VARIED {
            if let Some((section, name)) = path.split_once('.')
                && let Some(section) = table.get_mut(section).and_then(toml::Value::as_table_mut)
            {
                section.remove(name);
            }
        }
        table.retain(|_, section| section.as_table().is_none_or(|section| !section.is_empty()));
        table.remove("output");
        let list = |texts: Vec<String>| toml::Value::from(texts);
        table.insert(Axis::Repeat.name().to_owned(), i64::from(self.repeat).into());
        let levels = self.synchronous_commit.iter().map(ToString::to_string).collect();
        table.insert(Axis::SynchronousCommit.name().to_owned(), list(levels));
        let standbys = self.standbys.iter().map(ToString::to_string).collect();
        table.insert(Axis::Standbys.name().to_owned(), list(standbys));
        let faults = self.faults.iter().map(|fault| {
            let pairs =
                [("name", &fault.name), ("schedule", &fault.schedule), ("explanation", &fault.explanation)];
            let pairs = pairs.map(|(name, text)| (name.to_owned(), toml::Value::from(text.as_str())));
            toml::Value::Table(pairs.into_iter().collect())
        });
        table.insert(Axis::Fault.name().to_owned(), toml::Value::Array(faults.collect()));
        toml::to_string(&table).expect("numbers below 2^63, texts and lists of texts always make TOML")
    }

    /// Decides the operations of every cell.
    pub fn seed(&self) -> u64 {
        self.cells.first().map_or(0, |cell| cell.plan.load.seed)
    }
}
