//! A matrix: its directory, its runs one after the other, and how it goes on after it was cut.
//!
//! ```text
//! runs/matrix-<stamp>/matrix.toml       what is measured
//!                     matrix.json       what was found, whole after every run
//!                     matrix.html, matrix.md
//!                     writer.json       the replab that works on it
//!                     cells/<cell>/<id> every run, with all of its evidence
//! ```
//!
//! Repetitions are interleaved: every cell once, then every cell again, so that noise over time spreads over all.

use std::path::{Path, PathBuf};
use std::{fs, io};

use chrono::Local;

use super::begin::{Leave, begin};
use super::directory::write_whole;
use super::execute::{RunError, Watcher, chain, execute};
use super::judge::judge;
use super::machine;
use super::manifest::{Ended, Manifest};
use super::publish::publish;
use crate::config::{MatrixCell, MatrixPlan};
use crate::history::Clock;
use crate::report::matrix::{self, Cell, CellRun, End, FaultFacts, Matrix, State, Summary, Turn};
use crate::topology::memory::Bug;
use crate::topology::{Category, Identity};

/// The version of `matrix.json`.
const FORMAT: u32 = 1;
/// What a matrix's directory begins with.
const PREFIX: &str = "matrix-";

/// Why a matrix cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ResumeError {
    /// Nothing of that name.
    #[error("there is no matrix `{0}`")]
    None(String),
    /// A file cannot be read.
    #[error("read {path}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// `matrix.json` is none.
    #[error("{path} is not what a matrix found")]
    Json {
        /// The file.
        path: String,
        /// Why.
        source: serde_json::Error,
    },
    /// It was written by another version.
    #[error("{path} has format {found}, but this program reads {FORMAT}")]
    Format {
        /// The file.
        path: String,
        /// Its version.
        found: u32,
    },
    /// It measures something else.
    #[error("the matrix in {path} is another one: `{stored}` there, `{asked}` here")]
    Differs {
        /// The directory.
        path: String,
        /// The first line that differs, as it is there.
        stored: String,
        /// As it would be now.
        asked: String,
    },
    /// Somebody works on it.
    #[error("process {pid} works on the matrix in {path}")]
    Running {
        /// The directory.
        path: String,
        /// Who.
        pid: i32,
    },
}

/// A matrix that is being measured.
#[derive(Debug)]
pub struct Campaign {
    folder: PathBuf,
    plan: MatrixPlan,
    bug: Option<Bug>,
    matrix: Matrix,
}

/// What is to be run next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next {
    /// Place of the cell.
    pub cell: usize,
    /// From 1.
    pub repetition: u32,
}

/// The directory that `name` means: a path, a name below `runs`, or `latest`.
pub fn find(runs: &Path, name: &str) -> Result<PathBuf, ResumeError> {
    let is_matrix = |path: &PathBuf| path.join("matrix.json").is_file();
    let found = if name == "latest" {
        let entries = fs::read_dir(runs).into_iter().flatten().flatten();
        let named =
            |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX));
        entries.map(|entry| entry.path()).filter(|path| named(path) && is_matrix(path)).max()
    } else {
        [PathBuf::from(name), runs.join(name)].into_iter().filter(|_| !name.is_empty()).find(is_matrix)
    };
    found.ok_or_else(|| ResumeError::None(name.to_owned()))
}

impl Campaign {
    /// A new one, in a directory of its own below `runs`, on clusters with `bug` planted.
    pub fn begin(plan: MatrixPlan, runs: &Path, bug: Option<Bug>) -> io::Result<Campaign> {
        fs::create_dir_all(runs)?;
        let now = Local::now();
        let folder = create(runs, &now.format("matrix-%Y%m%d-%H%M%S").to_string())?;
        let toml = plan.to_toml();
        write_whole(&folder, "matrix.toml", &toml)?;
        let plant = bug.map(|bug| format!(" --plant {bug}")).unwrap_or_default();
        let first = plan.cells.first().map(|cell| &cell.plan);
        let matrix = Matrix {
            format: FORMAT,
            exit_code: 0,
            end: End::Open,
            id: folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            started: now.format("%Y-%m-%dT%H:%M:%S%:z").to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            machine: machine::lines(),
            servers: Vec::new(),
            cluster: first.map(|plan| super::begin::cluster(plan, bug)).unwrap_or_default(),
            workloads: first.map(super::begin::workloads).unwrap_or_default(),
            duration_seconds: first.map_or(0.0, |plan| plan.load.duration.as_secs_f64()),
            repeat: plan.repeat,
            seed: plan.seed(),
            reproduce: format!("replab matrix {}{plant}", folder.join("matrix.toml").display()),
            plan: toml,
            synchronous_commit: plan.synchronous_commit.iter().map(ToString::to_string).collect(),
            standbys: plan.standbys.iter().map(ToString::to_string).collect(),
            faults: plan.faults.iter().map(facts).collect(),
            cells: plan.cells.iter().map(cell).collect(),
            not_checked: not_checked(),
        };
        let mut campaign = Campaign { folder, plan, bug, matrix };
        campaign.sign()?;
        campaign.write()?;
        Ok(campaign)
    }

    /// Goes on with the one in `folder`, if it is the one that `plan` and `bug` describe.
    pub fn resume(folder: PathBuf, plan: MatrixPlan, bug: Option<Bug>) -> Result<Campaign, ResumeError> {
        let matrix = stored(&folder)?;
        let path = || folder.display().to_string();
        let planted = matrix.reproduce.rsplit_once(" --plant ").map(|(_, bug)| bug.to_owned());
        let asked = plan.to_toml();
        let differs = |stored: &str, asked: &str| ResumeError::Differs {
            path: path(),
            stored: stored.to_owned(),
            asked: asked.to_owned(),
        };
        if let Some((stored, asked)) = first_difference(&matrix.plan, &asked) {
            return Err(differs(stored, asked));
        }
        if planted != bug.map(|bug| bug.to_string()) {
            let plant =
                |bug: Option<String>| bug.map_or("no bug planted".to_owned(), |bug| format!("--plant {bug}"));
            return Err(differs(&plant(planted), &plant(bug.map(|bug| bug.to_string()))));
        }
        if let Some(writer) = writer(&folder).filter(Identity::is_alive) {
            return Err(ResumeError::Running { path: path(), pid: writer.pid });
        }
        let mut campaign = Campaign { folder, plan, bug, matrix };
        let begun = campaign.sign().and_then(|()| campaign.write());
        begun.map_err(|source| ResumeError::Io { path: campaign.folder.display().to_string(), source })?;
        Ok(campaign)
    }

    /// What was found so far.
    pub fn matrix(&self) -> &Matrix {
        &self.matrix
    }

    /// Its directory.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The first run that is missing, repetition by repetition.
    pub fn next(&self) -> Option<Next> {
        let is_missing = |cell: &Cell, repetition| cell.runs.iter().all(|run| run.repetition != repetition);
        (1..=self.plan.repeat).find_map(|repetition| {
            let cell = self.matrix.cells.iter().position(|cell| is_missing(cell, repetition))?;
            Some(Next { cell, repetition })
        })
    }

    /// Makes one run, from its directory to its report, and writes down what it found. `false` when it was interrupted.
    ///
    /// A failure of the lab is a finding of its cell; one of the machine ends the matrix, as the next run would fail alike.
    pub async fn perform(&mut self, next: Next, watcher: Watcher) -> Result<bool, RunError> {
        let mut plan = self.plan.cells[next.cell].plan.clone();
        plan.runs = self.folder.join("cells").join(slug(&self.plan.cells[next.cell]));
        plan.load.seed = plan.load.seed.saturating_add(u64::from(next.repetition) - 1);
        let clock = Clock::start();
        let (dir, manifest) = begin(&plan, self.bug, Leave::default())?;
        let ended = execute(&plan, self.bug, &dir, manifest, watcher).await;
        let (interrupted, error) = match ended {
            Err(error) if error.category() == Category::Environment => {
                if dir.is_bare() {
                    drop(dir.remove());
                }
                return Err(error);
            }
            Err(error) => (false, Some(chain(&error))),
            Ok(ended) => (ended == Ended::Interrupted, None),
        };
        let is_judged = Manifest::read(&dir).is_ok_and(|manifest| !manifest.nodes.is_empty());
        let report = is_judged.then(|| judge(&dir, &[]));
        if let Some(Ok(report)) = &report {
            publish(&dir, report)?;
        }
        let directory = dir.path().strip_prefix(&self.folder).unwrap_or(dir.path());
        let turn = Turn {
            repetition: next.repetition,
            seed: plan.load.seed,
            directory: directory.display().to_string(),
            seconds: clock.now().as_secs_f64(),
        };
        let run = match (report, error) {
            (Some(Ok(report)), _) => CellRun::of(&report, turn),
            (_, Some(why)) => CellRun::failed(why, 12, turn),
            (Some(Err(error)), None) => CellRun::failed(format!("it cannot be judged: {error}"), 12, turn),
            (None, None) => CellRun::failed("it ended before its servers were known".to_owned(), 12, turn),
        };
        // What was violated before Ctrl-C was violated; otherwise an interrupted run says nothing.
        if interrupted {
            self.matrix.end = End::Interrupted;
        }
        if interrupted && run.state != State::Violated {
            drop(dir.remove());
        } else {
            self.matrix.cells[next.cell].runs.push(run);
        }
        self.write()?;
        Ok(!interrupted)
    }

    /// Notes that the user has had enough.
    pub fn interrupt(&mut self) -> io::Result<()> {
        self.matrix.end = End::Interrupted;
        self.write()
    }

    /// Every file but the description. A matrix without a missing run is complete.
    fn write(&mut self) -> io::Result<()> {
        if self.next().is_none() {
            self.matrix.end = End::Complete;
        }
        self.matrix.settle();
        write_whole(&self.folder, "matrix.json", &matrix::json(&self.matrix))?;
        write_whole(&self.folder, "matrix.html", &matrix::html(&self.matrix))?;
        write_whole(&self.folder, "matrix.md", &matrix::markdown(&self.matrix))
    }

    /// Says who works here.
    fn sign(&mut self) -> io::Result<()> {
        self.matrix.end = End::Open;
        write_whole(&self.folder, "writer.json", &serde_json::to_string(&Identity::of_self())?)
    }
}

fn writer(folder: &Path) -> Option<Identity> {
    let text = fs::read_to_string(folder.join("writer.json")).ok()?;
    serde_json::from_str::<Option<Identity>>(&text).ok()?
}

fn stored(folder: &Path) -> Result<Matrix, ResumeError> {
    let file = folder.join("matrix.json");
    let path = file.display().to_string();
    let text = match fs::read_to_string(&file) {
        Ok(text) => text,
        Err(source) => return Err(ResumeError::Io { path, source }),
    };
    match serde_json::from_str::<Matrix>(&text) {
        Ok(matrix) if matrix.format == FORMAT => Ok(matrix),
        Ok(matrix) => Err(ResumeError::Format { path, found: matrix.format }),
        Err(source) => Err(ResumeError::Json { path, source }),
    }
}

/// Makes a directory of that name, or of one with a number after it.
fn create(runs: &Path, name: &str) -> io::Result<PathBuf> {
    let mut path = runs.join(name);
    for number in 2.. {
        match fs::create_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                path = runs.join(format!("{name}-{number}"));
            }
            made => return made.map(|()| path),
        }
    }
    Ok(path)
}

/// The first lines that differ, of the one and of the other.
fn first_difference<'a>(one: &'a str, other: &'a str) -> Option<(&'a str, &'a str)> {
    let (mut ones, mut others) = (one.lines(), other.lines());
    loop {
        match (ones.next(), others.next()) {
            (None, None) => return None,
            (one, other) if one != other => return Some((one.unwrap_or(""), other.unwrap_or(""))),
            _ => {}
        }
    }
}

/// A folder's name for a cell: `kill-primary.remote_write.any-1`.
fn slug(cell: &MatrixCell) -> String {
    let plain = |text: String| -> String {
        let kept = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c.to_ascii_lowercase() } else { '-' };
        text.chars().map(kept).collect()
    };
    let (level, standbys) = (cell.synchronous_commit.to_string(), cell.standbys.to_string());
    format!("{}.{}.{}", plain(cell.fault.clone()), plain(level), plain(standbys))
}

fn facts(fault: &crate::config::MatrixFault) -> FaultFacts {
    let crate::config::MatrixFault { name, schedule, explanation } = fault.clone();
    FaultFacts { name, schedule, explanation }
}

fn cell(cell: &MatrixCell) -> Cell {
    let theory = cell.plan.durability();
    Cell {
        synchronous_commit: cell.synchronous_commit.to_string(),
        standbys: cell.standbys.to_string(),
        fault: cell.fault.clone(),
        claimed: theory.claimed,
        theory: theory.why,
        summary: Summary::of(&[]),
        runs: Vec::new(),
    }
}

/// What a reader might take for granted and must not.
fn not_checked() -> Vec<String> {
    [
        "Power loss and operating-system crashes: killing processes leaves the page cache, so nothing is said about what \
         `fsync = off`, or a level that waits for a standby's write but not for its flush, would lose.",
        "Network faults: every link was the machine's own loopback, and replicas fall behind only where a fault makes them.",
        "Other loads: how much is lost depends on how fast commits come, and how long the outage lasts on this machine.",
    ]
    .map(str::to_owned)
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{MatrixFlags, Overrides};

    fn plan() -> MatrixPlan {
        let settings = Overrides { seed: Some(7), ..Overrides::default() };
        let flags = MatrixFlags { repeat: Some(2), settings, ..MatrixFlags::default() };
        crate::config::matrix(None, &flags, []).unwrap()
    }

    #[test]
    fn repetitions_are_interleaved() {
        let runs = tempfile::tempdir().unwrap();
        let mut campaign = Campaign::begin(plan(), runs.path(), None).unwrap();
        let mut order = Vec::new();
        while let Some(next) = campaign.next() {
            order.push((next.repetition, next.cell));
            let turn = Turn { repetition: next.repetition, seed: 1, directory: String::new(), seconds: 1.0 };
            campaign.matrix.cells[next.cell].runs.push(CellRun::failed(String::new(), 12, turn));
        }
        assert!(order.is_sorted() && order.len() == 80, "{order:?}");
        campaign.write().unwrap();
        assert_eq!((campaign.matrix.end, campaign.matrix.exit_code), (End::Complete, 12));
    }

    #[test]
    fn another_matrix_is_not_resumed() {
        let runs = tempfile::tempdir().unwrap();
        let folder = Campaign::begin(plan(), runs.path(), None).unwrap().folder;
        let other = MatrixPlan { repeat: 3, ..plan() };
        let refused = |plan, bug| Campaign::resume(folder.clone(), plan, bug).unwrap_err().to_string();
        assert!(refused(other, None).ends_with("is another one: `repeat = 2` there, `repeat = 3` here"));
        assert!(refused(plan(), Some(Bug::Stale)).ends_with("`no bug planted` there, `--plant stale` here"));
        // The test's own process has begun it, and lives.
        assert!(refused(plan(), None).starts_with("process "));
        fs::write(folder.join("writer.json"), "null").unwrap();
        assert_eq!(Campaign::resume(folder.clone(), plan(), None).unwrap().matrix.planned(), 80);
        assert_eq!(find(runs.path(), "latest").unwrap(), folder);
        assert!(matches!(find(runs.path(), "x"), Err(ResumeError::None(_))));
        fs::write(folder.join("matrix.json"), "{}").unwrap();
        assert!(matches!(Campaign::resume(folder, plan(), None), Err(ResumeError::Json { .. })));
    }
}
