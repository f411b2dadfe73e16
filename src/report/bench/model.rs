//! What a bench found, as the one value that every format renders. Its JSON form is `bench.json`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::summary::Summary;
use crate::check::{Balance, Increments, Promise, Verdict};
use crate::history::Nanos;
use crate::measure::Percentiles;

/// Methods against each other, each measured several times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Bench {
    /// Version of this structure; readers refuse a higher one.
    pub format: u32,
    /// 0: every method kept its promise; 1: one did not; 3: nothing can be said of one; 12: the lab failed; 130: interrupted.
    pub exit_code: u8,
    /// What was measured: `counter` or `forum`.
    pub name: String,
    /// Whether every lap was made.
    pub complete: bool,
    /// Why the lab failed, if it did.
    pub failed: Option<String>,
    /// The name of its directory.
    pub id: String,
    /// When it was begun, RFC 3339 with offset.
    pub started: String,
    /// From the first lap to the end of the last, seconds.
    pub seconds: f64,
    /// replab's version.
    pub version: String,
    /// Operating system, kernel, cores, memory: one line each.
    pub machine: Vec<String>,
    /// The version that the primary named itself.
    pub server: String,
    /// The cluster in a few words: `local, 1 primary + 1 replica`.
    pub cluster: String,
    /// PostgreSQL's setting of that name, of every client's session.
    pub synchronous_commit: String,
    /// How often each method is measured with each number of clients.
    pub repeat: u32,
    /// Decides whatever is random about the tasks.
    pub seed: u64,
    /// What is broken in every lap, as `--fault` takes it; `None`: nothing.
    pub faults: Option<String>,
    /// Whether it is claimed that no acknowledged commit is lost, and why.
    pub durable: bool,
    /// Why, in one sentence without a full stop.
    pub theory: String,
    /// What is done when somebody else was faster, in a few words.
    pub retries: String,
    /// What is wrong on purpose, in a few words.
    pub mistake: Option<String>,
    /// A command that repeats it.
    pub reproduce: String,
    /// What is compared with each other, group by group.
    pub groups: Vec<Group>,
    /// What the figures mean beside those of the document that the bench grew out of; empty where they are not comparable.
    pub remarks: Vec<String>,
    /// What it did not look at, one sentence each; never empty.
    pub not_checked: Vec<String>,
}

/// Methods that do the same, with as many clients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Group {
    /// What they do.
    pub title: String,
    /// One of it: `increment`, `reaction`.
    pub task: String,
    /// What the tasks are counted in at the end: `counter`, `total`.
    pub value: String,
    /// Clients, each with a connection of its own.
    pub clients: u32,
    /// Tasks of each client; `None`: as many as there is time for.
    pub each: Option<u32>,
    /// The method that the others are compared with.
    pub base: String,
    /// The methods.
    pub rows: Vec<Row>,
}

/// One method in one group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// Its name.
    pub method: String,
    /// What it does, in a few words.
    pub about: String,
    /// What is promised of its acknowledged tasks.
    pub promise: Promise,
    /// What the document that the bench grew out of says of it.
    pub original: Option<Original>,
    /// Its laps together.
    pub summary: Summary,
    /// Its laps, in order.
    pub laps: Vec<Lap>,
}

/// A figure of the document that the bench grew out of: another machine, another server, another driver.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Original {
    /// Its time, seconds.
    pub seconds: f64,
    /// What it counted at the end.
    pub value: u64,
    /// How many tasks there were.
    pub tasks: u64,
}

/// One method measured once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Lap {
    /// From 1.
    pub repetition: u32,
    /// Which lap of its repetition it was, from 1: the order rotates.
    pub turn: u32,
    /// From the first task's beginning to the last one's end, seconds.
    pub seconds: f64,
    /// What the clients were told, and what was found.
    pub increments: Increments,
    /// Whether that is as promised.
    pub balance: Balance,
    /// Acknowledged tasks a second.
    pub rate: f64,
    /// Time to an acknowledgement, retries included.
    pub latency: Option<Percentiles>,
    /// Attempts that were made again, because somebody else was faster.
    pub retries: u64,
    /// Tasks that were given up after the last retry.
    pub given_up: u64,
    /// Attempts that certainly did nothing, as the server could not be reached or refused; they were made again.
    pub failed: u64,
    /// Rows that the tasks have left, where each leaves one.
    pub inserted: Option<u64>,
    /// Rows that are there and not counted.
    pub orphaned: Option<u64>,
    /// What replab's own process used of the machine, cores.
    pub busy: f64,
    /// The longest delay of a timer of the clients' event loop.
    pub late: Nanos,
    /// Faults that took hold, as words, where any was planned.
    pub faults: Vec<String>,
}

impl Lap {
    /// Tasks that were to be done, whatever became of them.
    pub fn wanted(&self) -> u64 {
        self.increments.acknowledged + self.increments.unknown + self.given_up
    }
}

impl Row {
    /// The worst verdict of its laps.
    pub fn verdict(&self) -> Verdict {
        self.laps.iter().map(|lap| lap.balance.verdict).max().unwrap_or(Verdict::Unknown)
    }
}

impl Bench {
    /// Brings everything that follows from the laps up to date.
    pub fn settle(&mut self) {
        let compares = self.faults.is_none();
        self.groups.iter_mut().for_each(|group| group.settle(compares));
        let worst = self.groups.iter().flat_map(|group| &group.rows).map(Row::verdict).max();
        self.exit_code = match worst {
            _ if self.failed.is_some() => 12,
            Some(Verdict::Fail) => 1,
            _ if !self.complete => 130,
            Some(Verdict::Pass) => 0,
            Some(Verdict::Unknown) | None => 3,
        };
    }
}

impl Group {
    /// With `compares` false nothing is compared: the rates include outages.
    fn settle(&mut self, compares: bool) {
        let base: Vec<Lap> = self
            .rows
            .iter()
            .find(|row| row.method == self.base)
            .map(|row| row.laps.clone())
            .unwrap_or_default();
        for row in &mut self.rows {
            let against = if compares && row.method != self.base { base.as_slice() } else { &[] };
            row.summary = Summary::of(&row.laps, against);
        }
    }
}
