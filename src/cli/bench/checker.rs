//! `replab bench checker`: the checker of transactions on histories of known isolation, valid and not.

use comfy_table::{CellAlignment, Table, presets};
use serde_json::json;

use crate::cli::console::Console;
use crate::cli::{Exit, Failure};
use crate::history::Clock;
use crate::history::simulation::{Fault, Level, Settings};
use crate::import::Format;
use crate::run::checker::{Judged, Reading, judged, reading};

/// Below the flags.
pub(super) const HELP: &str = "\
Histories of imagined databases: 20 clients, one to four operations a transaction, up to 100 appends a key. Each is made in \
memory, then judged against every model at once; only the judgement is timed. The peak of memory contains the history. \
The strict serializable one is also written as Jepsen would, and as a run does, and read: up to a million transactions of it. \
Exit code 1: a history was judged otherwise than its database deserves.";

/// `replab bench checker`.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct CheckerArgs {
    /// Transactions of each history; several with commas
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "100000,1000000", value_parser = clap::value_parser!(u32).range(1..=50_000_000))]
    transactions: Vec<u32>,
    /// Judge each history so many times
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    repeat: u32,
    /// For the histories
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

/// A kind of history, and what has to be said of it.
struct Kind {
    name: &'static str,
    registers: bool,
    level: Level,
    fault: Option<(Fault, u32)>,
    refuted: &'static [&'static str],
    kept: &'static [&'static str],
}

const KINDS: [Kind; 8] = [
    Kind {
        name: "strict serializable",
        registers: false,
        level: Level::StrictSerializable,
        fault: None,
        refuted: &[],
        kept: &["strict-serializable"],
    },
    Kind {
        name: "snapshots",
        registers: false,
        level: Level::Snapshot,
        fault: None,
        refuted: &["serializable"],
        kept: &["strong-snapshot-isolation"],
    },
    Kind {
        name: "snapshots, stale on a replica",
        registers: false,
        level: Level::StaleSnapshot,
        fault: None,
        refuted: &["serializable", "strong-snapshot-isolation"],
        kept: &["snapshot-isolation"],
    },
    Kind {
        name: "long forks",
        registers: false,
        level: Level::LongFork,
        fault: None,
        refuted: &["snapshot-isolation", "prefix"],
        kept: &["parallel-snapshot-isolation"],
    },
    Kind {
        name: "read committed",
        registers: false,
        level: Level::ReadCommitted,
        fault: None,
        refuted: &["parallel-snapshot-isolation"],
        kept: &["strong-PL-2"],
    },
    Kind {
        name: "one commit in 10,000 lost",
        registers: false,
        level: Level::StrictSerializable,
        fault: Some((Fault::LostWrite, 10_000)),
        refuted: &["strong-PL-1"],
        kept: &["read-committed"],
    },
    Kind {
        name: "registers, strict serializable",
        registers: true,
        level: Level::StrictSerializable,
        fault: None,
        refuted: &[],
        kept: &["strict-serializable"],
    },
    Kind {
        name: "registers, stale on a replica",
        registers: true,
        level: Level::StaleSnapshot,
        fault: None,
        refuted: &["strong-snapshot-isolation"],
        kept: &["snapshot-isolation"],
    },
];

/// The most transactions that are written and read again.
const READ: u32 = 1_000_000;

/// Judges and shows.
pub(super) fn run(args: &CheckerArgs, console: &Console) -> Result<Exit, Failure> {
    let clock = Clock::start();
    let mut all: Vec<(&Kind, Judged)> = Vec::new();
    for &transactions in &args.transactions {
        for kind in &KINDS {
            for _ in 0..args.repeat {
                let settings = Settings {
                    transactions,
                    registers: kind.registers,
                    level: kind.level,
                    fault: kind.fault,
                    seed: args.seed,
                    ..Settings::default()
                };
                let one = judged(&settings, &clock).map_err(|error| Failure::new(Exit::Usage, error))?;
                console.note(&format!(
                    "{transactions} transactions, {}: {:.0} a second",
                    kind.name,
                    one.rate()
                ));
                all.push((kind, one));
            }
        }
    }
    let transactions = args.transactions.iter().copied().max().unwrap_or(1).min(READ);
    let settings = Settings { transactions, seed: args.seed, ..Settings::default() };
    let mut read: Vec<Reading> = Vec::new();
    for format in [Format::Edn, Format::Json, Format::Replab] {
        let one = reading(&settings, format, &clock).map_err(|error| Failure::new(Exit::Lab, error))?;
        console.note(&format!("{format} read: {:.0} transactions a second", one.rate()));
        read.push(one);
    }
    if console.is_json() {
        let row = |(kind, judged): &(&Kind, Judged)| json!({ "history": kind.name, "judged": judged });
        console.json(&json!({ "judged": all.iter().map(row).collect::<Vec<_>>(), "read": read }));
    } else {
        console.result(&table(&all, args.repeat as usize));
        console.result(&read_table(&read));
    }
    Ok(if all.iter().all(|(kind, judged)| is_right(kind, judged)) { Exit::Valid } else { Exit::Invalid })
}

fn is_right(kind: &Kind, judged: &Judged) -> bool {
    let has = |model: &&str| judged.refuted.contains(model);
    kind.refuted.iter().all(has) && !kind.kept.iter().any(has) && !judged.undecided
}

fn table(all: &[(&Kind, Judged)], repeat: usize) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED.with_rounded_corners());
    table.set_header([
        "history",
        "transactions",
        "seconds",
        "transactions/s",
        "peak memory",
        "refuted first",
    ]);
    for same in all.chunks(repeat.max(1)) {
        let Some((kind, first)) = same.first() else { continue };
        let mut seconds: Vec<f64> = same.iter().map(|(_, judged)| judged.seconds).collect();
        seconds.sort_by(f64::total_cmp);
        let median = seconds[seconds.len() / 2];
        let peak = same.iter().filter_map(|(_, judged)| judged.peak).max();
        table.add_row([
            kind.name.to_owned(),
            first.transactions.to_string(),
            format!("{median:.3}"),
            format!("{:.0}", first.transactions as f64 / median),
            peak.map_or("?".to_owned(), |bytes| format!("{} MB", bytes / 1_000_000)),
            first.weakest.join(", "),
        ]);
    }
    for column in 1..5 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    format!("{table}\n")
}

fn read_table(all: &[Reading]) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED.with_rounded_corners());
    table.set_header(["read", "transactions", "file", "seconds", "transactions/s"]);
    for one in all {
        table.add_row([
            one.format.clone(),
            one.transactions.to_string(),
            format!("{} MB", one.bytes / 1_000_000),
            format!("{:.3}", one.seconds),
            format!("{:.0}", one.rate()),
        ]);
    }
    for column in 1..5 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    format!("{table}\n")
}
