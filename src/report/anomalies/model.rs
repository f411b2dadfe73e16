//! What playing cases found, as the one value that every format renders.

use schemars::JsonSchema;
use serde::Serialize;

use crate::anomaly::{Case, Ending, Placement, Prevention, Transcript};
use crate::isolation::Isolation;

/// Cases × levels × placements, each played and compared with what is expected.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Anomalies {
    /// Version of this structure; readers refuse a higher one.
    pub format: u32,
    /// 0: as expected; 1: something differs; 12: something could not be played; 130: interrupted.
    pub exit_code: u8,
    /// Whether Ctrl-C ended it early.
    pub interrupted: bool,
    /// replab's version.
    pub version: String,
    /// The version that the primary names itself.
    pub server: String,
    /// The cluster in a few words.
    pub cluster: String,
    /// The levels that were asked for, in order.
    pub levels: Vec<Isolation>,
    /// The placements that were asked for, in order.
    pub placements: Vec<Placement>,
    /// How often each cell was to be played.
    pub repeat: u32,
    /// How long it took, seconds.
    pub seconds: f64,
    /// The cases, in order.
    pub cases: Vec<CaseReport>,
    /// What it did not look at, one sentence each; never empty.
    pub not_checked: Vec<String>,
    /// A command that repeats it.
    pub reproduce: String,
}

/// A case.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct CaseReport {
    /// As it is named on the command line.
    pub name: String,
    /// For people.
    pub title: String,
    /// In Adya's or Berenson's notation.
    pub code: Option<String>,
    /// What it is.
    pub about: String,
    /// Who described it first.
    pub source: Option<String>,
    /// How to prevent it.
    pub remedy: Option<String>,
    /// Placement by placement, of each the levels.
    pub cells: Vec<Cell>,
    /// What was changed to prevent it.
    pub preventions: Vec<Tried>,
}

/// A case at one level with its readers in one place.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Cell {
    /// Where its readers were.
    pub on: Placement,
    /// The level.
    pub isolation: Isolation,
    /// What was found.
    pub result: Result,
}

/// A case with a prevention.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Tried {
    /// Its name.
    pub name: String,
    /// Whether it is said to help.
    pub helps: bool,
    /// Why.
    pub why: String,
    /// Where its readers were.
    pub on: Placement,
    /// Its level.
    pub isolation: Isolation,
    /// What was found.
    pub result: Result,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Result {
    /// What it is worth.
    pub state: State,
    /// What was expected; `None`: nothing was compared.
    pub expected: Option<Ending>,
    /// Every ending that was seen, the expected one first.
    pub endings: Vec<Times>,
    /// Why it was not played, or not to its end.
    pub why: Option<String>,
    /// One playing: the first that differs, or the first.
    pub transcript: Option<Transcript>,
}

/// An ending, and how often it was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Times {
    /// The ending.
    pub ending: Ending,
    /// How often.
    pub times: u32,
    /// In which repetition first, from 1.
    pub first: u32,
}

/// What a result is worth. Each is worse than the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Every playing ended as expected.
    AsExpected,
    /// Nothing was expected: it shows what happened.
    Shown,
    /// It was not played; it is neither as expected nor different.
    NotRun,
    /// A playing ended otherwise, or two of them differ.
    Differs,
    /// It could not be played to its end.
    Failed,
}

impl CaseReport {
    /// A case of which nothing was played yet.
    pub fn new(case: &Case) -> CaseReport {
        CaseReport {
            name: case.name.clone(),
            title: case.title.clone(),
            code: case.code.clone(),
            about: case.about.clone(),
            source: case.source.clone(),
            remedy: case.remedy.clone(),
            cells: Vec::new(),
            preventions: Vec::new(),
        }
    }

    /// Every result, with where it was found: `serializable, replica`, `for-update`.
    pub fn results(&self) -> impl Iterator<Item = (String, &Result)> {
        let cells = self.cells.iter().map(|cell| (format!("{}, {}", cell.isolation, cell.on), &cell.result));
        cells.chain(self.preventions.iter().map(|tried| (format!("with {}", tried.name), &tried.result)))
    }
}

impl Tried {
    /// A prevention of which nothing was played yet.
    pub fn new(prevention: &Prevention) -> Tried {
        Tried {
            name: prevention.name.clone(),
            helps: prevention.helps,
            why: prevention.why.clone(),
            on: prevention.on,
            isolation: prevention.isolation,
            result: Result::new(prevention.expect.clone()),
        }
    }
}

impl Result {
    /// Nothing was played yet.
    pub fn new(expected: Option<Ending>) -> Result {
        Result { state: State::NotRun, expected, endings: Vec::new(), why: None, transcript: None }
    }

    /// One more playing.
    pub fn add(&mut self, ending: Ending, transcript: Transcript, repetition: u32) {
        if self.state == State::Failed {
            return;
        }
        let is_new = !self.endings.iter().any(|times| times.ending == ending);
        let differs = match (&self.expected, self.endings.first()) {
            (Some(expected), _) => *expected != ending,
            (None, Some(first)) => first.ending != ending,
            (None, None) => false,
        };
        if self.transcript.is_none() || (differs && self.state != State::Differs) {
            self.transcript = Some(transcript);
        }
        let state = match (differs, &self.expected) {
            (true, _) => State::Differs,
            (false, Some(_)) => State::AsExpected,
            (false, None) => State::Shown,
        };
        self.state = if self.state == State::NotRun { state } else { self.state.max(state) };
        if is_new {
            self.endings.push(Times { ending, times: 1, first: repetition });
        } else if let Some(times) = self.endings.iter_mut().find(|times| times.ending == ending) {
            times.times += 1;
        }
    }

    /// It cannot be played here.
    pub fn not_run(&mut self, why: String) {
        (self.state, self.why) = (State::NotRun, Some(why));
    }

    /// It could not be played to its end.
    pub fn failed(&mut self, why: String) {
        (self.state, self.why) = (State::Failed, Some(why));
    }
}

impl Anomalies {
    /// Every result, with its case and where it was found.
    pub fn results(&self) -> impl Iterator<Item = (&CaseReport, String, &Result)> {
        self.cases.iter().flat_map(|case| case.results().map(move |(place, result)| (case, place, result)))
    }

    /// The worst of the results, as an exit code.
    pub fn decide(&mut self) {
        let any = |state| self.results().any(|(_, _, result)| result.state == state);
        self.exit_code = match (any(State::Failed), any(State::Differs), self.interrupted) {
            (true, _, _) => 12,
            (_, true, _) => 1,
            (_, _, true) => 130,
            _ => 0,
        };
    }
}
