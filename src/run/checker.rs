//! The checker on histories of imagined databases: how fast, in how much memory, and whether it finds what is there.

use std::fs;

use crate::check::cycle::{Analysis, Order, Scope, Standing, analyze};
use crate::history::Clock;
use crate::history::simulation::{Settings, simulate};
use crate::history::txn::{Refused, Txns};
use crate::import::{self, Format, Imported};

/// One history, judged.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Judged {
    /// How many transactions were invoked.
    pub transactions: u64,
    /// Micro-operations of all of them.
    pub operations: u64,
    /// How long the judgement took, in seconds; the history was in memory.
    pub seconds: f64,
    /// The most memory of the process meanwhile, the history's own included, in bytes; `None` where the kernel does not say.
    pub peak: Option<u64>,
    /// The models that are refuted.
    pub refuted: Vec<&'static str>,
    /// Of these, the ones that contain no other.
    pub weakest: Vec<&'static str>,
    /// Anomalies and how often each was found.
    pub found: Vec<(String, u64)>,
    /// Whether something was left undecided.
    pub undecided: bool,
}

impl Judged {
    /// Transactions a second.
    pub fn rate(&self) -> f64 {
        self.transactions as f64 / self.seconds
    }
}

/// Imagines a history, then judges it.
pub fn judged(settings: &Settings, clock: &Clock) -> Result<Judged, Refused> {
    let txns = simulate(settings)?;
    forget_peak();
    let before = clock.now();
    let analysis = analyze(&txns, Scope::Whole, Order::RealTime);
    let seconds = clock.now().since(before).as_secs_f64();
    Ok(of(&txns, &analysis, seconds))
}

/// One history, read.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Reading {
    /// How it was written.
    pub format: String,
    /// How many transactions were read.
    pub transactions: u64,
    /// How long the text was, in bytes.
    pub bytes: u64,
    /// How long it took to read it, in seconds; the text was in memory.
    pub seconds: f64,
}

impl Reading {
    /// Transactions a second.
    pub fn rate(&self) -> f64 {
        self.transactions as f64 / self.seconds
    }
}

/// Imagines a history, writes it as Jepsen or a run of replab would, and reads that.
pub fn reading(settings: &Settings, format: Format, clock: &Clock) -> anyhow::Result<Reading> {
    let txns = simulate(settings)?;
    let mut text = Vec::new();
    match format {
        Format::Json => import::json(&txns, &mut text)?,
        Format::Replab => drop(import::replab(&txns, "append", &mut text)?),
        _ => import::edn(&txns, &mut text)?,
    }
    let before = clock.now();
    let read = import::read_from("memory", text.as_slice(), Some(format))?;
    let seconds = clock.now().since(before).as_secs_f64();
    let transactions = match read.history {
        Imported::Transactions(txns) => txns.len() as u64,
        _ => 0,
    };
    anyhow::ensure!(
        transactions == txns.len() as u64,
        "{transactions} of {} transactions were read",
        txns.len()
    );
    Ok(Reading { format: format.to_string(), transactions, bytes: text.len() as u64, seconds })
}

fn of(txns: &Txns, analysis: &Analysis, seconds: f64) -> Judged {
    let standings = analysis.standings();
    let names = |is: fn(&Standing) -> bool| {
        standings.iter().filter(move |(_, one)| is(one)).map(|(model, _)| model.name)
    };
    Judged {
        transactions: txns.len() as u64,
        operations: txns.mops() as u64,
        seconds,
        peak: peak(),
        refuted: names(|one| matches!(one, Standing::Refuted { .. })).collect(),
        weakest: names(|one| matches!(one, Standing::Refuted { is_weakest: true, .. })).collect(),
        found: analysis.found.iter().map(|found| (found.anomaly.name(), found.count)).collect(),
        undecided: !analysis.troubles.is_empty(),
    }
}

/// The kernel counts the peak of this process's memory from here (proc(5), `clear_refs`).
fn forget_peak() {
    // Where it cannot, the peak is that of the whole process, which is no less.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

fn peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib * 1024)
}
