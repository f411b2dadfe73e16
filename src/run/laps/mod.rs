//! A bench: methods that do the same, measured in turn on one cluster, as often as it takes to tell them apart.
//!
//! ```text
//! runs/bench-<name>-<stamp>/plan.toml        the cluster
//!                           bench.json       what was found, whole after every lap
//!                           bench.html, bench.md
//!                           history/         what was broken, a file a lap
//!                           nodes/           the servers' logs
//! ```
//!
//! The order of the methods rotates from one repetition to the next, so that none always comes first. Where something is
//! broken in every lap, each has a cluster of its own.

mod design;
mod ground;
mod lap;
mod meter;
mod peer;
mod trouble;

pub use design::{Amount, Contest, Design, Entry};

use std::io;

use chrono::Local;

use super::directory::RunDir;
use super::execute::{RunError, Watcher, chain};
use super::machine;
use super::progress::Progress;
use crate::history::Clock;
use crate::report::bench::{self, Bench, Group, Row, Summary};
use crate::workload::bench::Policy;
use ground::Ground;
use lap::Turn;

/// The version of `bench.json`.
const FORMAT: u32 = 1;

/// A bench that is being made.
#[derive(Debug)]
pub struct Series {
    design: Design,
    dir: RunDir,
    bench: Bench,
}

impl Series {
    /// A new one, in a directory of its own.
    pub fn begin(design: Design) -> io::Result<Series> {
        let now = Local::now();
        let stamp = now.format("%Y%m%d-%H%M%S");
        let dir = RunDir::create(&design.plan.runs, &format!("bench-{}-{stamp}", design.name))?;
        dir.write("plan.toml", &design.plan.to_toml())?;
        let theory = design.plan.durability();
        let bench = Bench {
            format: FORMAT,
            exit_code: 0,
            name: design.name.to_owned(),
            complete: false,
            failed: None,
            id: dir.id(),
            started: now.format("%Y-%m-%dT%H:%M:%S%:z").to_string(),
            seconds: 0.0,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            machine: machine::lines(),
            server: String::new(),
            cluster: super::begin::cluster(&design.plan, None),
            synchronous_commit: design.plan.topology.synchronous_commit.to_string(),
            repeat: design.repeat,
            seed: design.plan.load.seed,
            faults: (!design.plan.faults.is_empty()).then(|| design.plan.faults.to_string()),
            durable: theory.claimed,
            theory: theory.why,
            retries: retries(&design.contests),
            mistake: design.mistake.map(|mistake| mistake.to_string()),
            reproduce: format!(
                "replab bench {} --config {}{}",
                design.name,
                dir.file("plan.toml").display(),
                design.flags
            ),
            groups: design.contests.iter().map(|contest| group(&design, contest)).collect(),
            remarks: design.remarks.clone(),
            not_checked: not_checked(&design),
        };
        Ok(Series { design, dir, bench })
    }

    /// What was found so far.
    pub fn bench(&self) -> &Bench {
        &self.bench
    }

    /// Its directory.
    pub fn dir(&self) -> &RunDir {
        &self.dir
    }

    /// Makes every lap; whatever happens, the cluster is down when this returns, and what was found is written.
    pub async fn perform(&mut self, watcher: Watcher) -> Result<(), RunError> {
        let clock = Clock::start();
        let mut ground = Ground::new(self.design.plan.clone(), self.dir.clone(), watcher);
        let done = self.laps(&mut ground, clock).await;
        let done = match (done, ground.clear().await) {
            (Ok(_), Err(error)) => Err(error),
            (done, _) => done,
        };
        self.bench.server = ground.server().to_owned();
        self.bench.complete = matches!(done, Ok(true));
        self.bench.failed = done.as_ref().err().map(|error| chain(error));
        let written = self.write(clock);
        done?;
        Ok(written?)
    }

    /// `false`: it was interrupted.
    async fn laps(&mut self, ground: &mut Ground, clock: Clock) -> Result<bool, RunError> {
        let mut number = 0;
        for repetition in 1..=self.design.repeat {
            for place in 0..self.design.contests.len() {
                let contest = self.design.contests[place].clone();
                let (clients, entries) = (contest.clients, contest.entries.len());
                for turn in 0..entries {
                    number += 1;
                    let row = (turn + repetition as usize - 1) % entries;
                    let entry = &contest.entries[row];
                    ground.tell(Progress::Stage(format!(
                        "lap {number} of {}: {}, {}, {clients} clients",
                        self.design.laps(),
                        contest.title,
                        entry.name()
                    )));
                    let turn = Turn { repetition, turn: turn as u32 + 1, clients, number };
                    let Some(lap) = ground.lap(&self.design, &contest, entry, turn).await? else {
                        return Ok(false);
                    };
                    self.remark(ground.remark());
                    self.bench.groups[place].rows[row].laps.push(lap);
                    self.write(clock)?;
                }
            }
        }
        Ok(true)
    }

    /// Keeps what was learnt about the tables, once.
    fn remark(&mut self, remark: Option<&str>) {
        let is_new = |remark: &&str| self.bench.remarks.iter().all(|known| known != remark);
        if let Some(remark) = remark.filter(is_new) {
            self.bench.remarks.push(remark.to_owned());
        }
    }

    fn write(&mut self, clock: Clock) -> io::Result<()> {
        self.bench.seconds = clock.now().as_secs_f64();
        self.bench.settle();
        self.dir.write("bench.json", &bench::json(&self.bench))?;
        self.dir.write("bench.html", &bench::html(&self.bench))?;
        self.dir.write("bench.md", &bench::markdown(&self.bench))
    }
}

fn group(design: &Design, contest: &Contest) -> Group {
    let row = |entry: &Entry| Row {
        method: entry.name(),
        about: entry.subject.about().to_owned(),
        promise: design.promise(entry),
        original: entry.original,
        summary: Summary::default(),
        laps: Vec::new(),
    };
    let task = contest.entries.first().map(|entry| entry.subject.task()).unwrap_or_default();
    Group {
        title: contest.title.clone(),
        task: task.to_owned(),
        value: contest.value.to_owned(),
        clients: contest.clients,
        each: match contest.amount {
            Amount::Each(each) => Some(each),
            Amount::For(_) => None,
        },
        base: contest.base.to_owned(),
        rows: contest.entries.iter().map(row).collect(),
    }
}

/// Every policy once, and whose it is where there are several.
fn retries(contests: &[Contest]) -> String {
    let mut policies: Vec<(Policy, Vec<&str>)> = Vec::new();
    for contest in contests {
        let title = contest.title.as_str();
        match policies.iter_mut().find(|(policy, _)| *policy == contest.policy) {
            Some((_, titles)) if titles.contains(&title) => {}
            Some((_, titles)) => titles.push(title),
            None => policies.push((contest.policy, vec![title])),
        }
    }
    let is_one = policies.len() == 1;
    let words = policies.into_iter().map(|(policy, titles)| match is_one {
        true => again(policy),
        false => format!("{} ({})", again(policy), titles.join("; ")),
    });
    words.collect::<Vec<_>>().join("; ")
}

fn again(Policy { max_retries, backoff }: Policy) -> String {
    let often = max_retries.map_or("until it is done".to_owned(), |most| format!("at most {most} times"));
    match backoff {
        backoff if backoff.is_zero() => format!("{often}, at once"),
        backoff => format!("{often}, after a random part of {backoff:?}, doubled each time"),
    }
}

/// What a reader might take for granted and must not.
fn not_checked(design: &Design) -> Vec<String> {
    let mut lines = vec![
        "What readers see meanwhile: the totals are read once, when nobody writes any more.".to_owned(),
        "Tasks that cancel out: one that was lost and another that was applied twice leave the same sum."
            .to_owned(),
        "Other shapes of load: all clients want the same row, or one of a few, and none of them thinks."
            .to_owned(),
    ];
    if design.plan.faults.is_empty() {
        lines.push("Failures: nothing was broken (--fault breaks what it names in every lap).".to_owned());
    }
    lines
}
