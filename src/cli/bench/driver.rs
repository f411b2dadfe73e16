//! `replab bench driver`: replab's driver and pgbench in turn.

use std::path::PathBuf;
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use serde_json::json;

use super::start;
use crate::cli::console::Console;
use crate::cli::{Exit, Failure, failures};
use crate::history::Nanos;
use crate::measure::median;
use crate::run::bench::{Pair, Race, Rules, pair};
use crate::topology::Topology;
use crate::topology::local::{Binaries, Pgbench};

/// `replab bench driver`.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct DriverArgs {
    /// Pairs of laps for each kind of transaction
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pairs: u32,
    /// Length of a lap, in seconds
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    /// Clients of each side
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100))]
    clients: u32,
    /// The folder of PostgreSQL's programs [default: the newest that is found]
    #[arg(long, value_name = "DIR")]
    pg_bin: Option<PathBuf>,
}

/// Runs the pairs.
pub(super) async fn driver(args: &DriverArgs, console: &Console) -> Result<Exit, Failure> {
    let binaries = Binaries::discover(args.pg_bin.as_deref()).await.map_err(failures::topology)?;
    let pgbench = Pgbench::find(&binaries).ok_or_else(|| {
        let error = anyhow::anyhow!("there is no pgbench in {} nor in PATH", binaries.directory.display());
        Failure::new(Exit::Environment, error).help("Debian, Ubuntu: apt-get install postgresql-contrib")
    })?;
    let cluster = start("bench", args.pg_bin.clone()).await?;
    let topology = Topology::Local(Box::new(cluster));
    let raced = race(args, &topology, &pgbench, console).await;
    topology.down().await.map_err(failures::topology)?;
    let laps = raced.map_err(|error| Failure::new(Exit::Lab, error))?;
    if console.is_json() {
        let document: Vec<_> =
            laps.iter().map(|(race, pairs)| json!({ "race": race.name(), "pairs": pairs })).collect();
        console.json(&document);
    } else {
        console.result(&table(&laps));
    }
    Ok(Exit::Valid)
}

type Laps = Vec<(Race, Vec<Pair>)>;

async fn race(
    args: &DriverArgs,
    topology: &Topology,
    pgbench: &Pgbench,
    console: &Console,
) -> anyhow::Result<Laps> {
    let directory = std::env::temp_dir().join(format!("replab-bench-{}", std::process::id()));
    std::fs::create_dir_all(&directory)?;
    let site = &topology.sites()[0];
    let lap = Duration::from_secs(u64::from(args.seconds));
    let rules = Rules { site, clients: args.clients, lap, directory: &directory, pgbench };
    let mut laps = Vec::new();
    for race in Race::ALL {
        let mut pairs = Vec::new();
        for number in 0..args.pairs {
            let done = pair(rules, race, number).await?;
            console.note(&format!(
                "{}, pair {} of {}: pgbench {:.0} tps, replab {:.0} tps, ratio {:.3}",
                race.name(),
                number + 1,
                args.pairs,
                done.pgbench.tps,
                done.replab.tps,
                done.ratio(),
            ));
            pairs.push(done);
        }
        laps.push((race, pairs));
    }
    std::fs::remove_dir_all(&directory)?;
    Ok(laps)
}

fn table(laps: &Laps) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED.with_rounded_corners());
    table.set_header([
        "transaction",
        "pairs",
        "pgbench tps",
        "replab tps",
        "ratio",
        "min",
        "max",
        "pgbench CPU",
        "replab CPU",
    ]);
    for (race, pairs) in laps {
        let of = |pick: fn(&Pair) -> f64| median(&pairs.iter().map(pick).collect::<Vec<_>>());
        let cpu = |pick: fn(&Pair) -> f64| Nanos(of(pick) as u64).to_string();
        let ratios = pairs.iter().map(Pair::ratio);
        table.add_row([
            race.name().to_owned(),
            pairs.len().to_string(),
            format!("{:.0}", of(|pair| pair.pgbench.tps)),
            format!("{:.0}", of(|pair| pair.replab.tps)),
            format!("{:.3}", of(Pair::ratio)),
            format!("{:.3}", ratios.clone().fold(f64::INFINITY, f64::min)),
            format!("{:.3}", ratios.fold(0.0, f64::max)),
            cpu(|pair| pair.pgbench.cpu.0 as f64),
            cpu(|pair| pair.replab.cpu.0 as f64),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!(
        "{table}\nMedians of pairs run in turn on one cluster; the ratio is replab's to pgbench's within a pair.\n\
         CPU is the client's, for each transaction; replab's includes recording the history.\n"
    )
}
