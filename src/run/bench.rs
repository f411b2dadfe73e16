//! The driver against pgbench: the same statements, the same number of clients, the same cluster, in turn.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64};
use std::time::Duration;

use anyhow::Context;

use super::lab::{LoopDelay, cpu_time};
use super::load::Load;
use super::parts::{Counter, Orders, SharedPart, Style};
use super::progress::Tally;
use super::record::Scribe;
use super::worker::Shared;
use crate::config::{CounterPlan, OrdersPlan, ReadersPlan};
use crate::history::{Clock, Nanos};
use crate::pg::{Deadlines, Session};
use crate::topology::local::{Pgbench, Quantity};
use crate::topology::{Access, Role, Site};
use crate::workload::{counter, orders};

const DEADLINES: Deadlines =
    Deadlines { connect: Duration::from_secs(5), statement: Duration::from_secs(30) };
/// Products of the order race: all of them ample, since pgbench gives up on the first refused order.
const STOCK: orders::Stock = orders::Stock { products: 30, units: Some(1_000_000_000) };

/// How often the connections are looked for.
const LOOK: Duration = Duration::from_millis(1);

/// What is run by both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Race {
    /// Single-row increments, all of one row: the seed's hot counter.
    CounterHot,
    /// Single-row increments, each client its own row.
    CounterSpread,
    /// The five-statement order.
    Order,
}

/// One side of one pair.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Lap {
    /// Transactions per second.
    pub tps: f64,
    /// CPU of the client's side for each transaction.
    pub cpu: Nanos,
}

/// Both, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Pair {
    /// pgbench `-M prepared`.
    pub pgbench: Lap,
    /// replab with full recording.
    pub replab: Lap,
}

impl Pair {
    /// replab's rate, in pgbench's.
    pub fn ratio(&self) -> f64 {
        self.replab.tps / self.pgbench.tps
    }
}

impl Race {
    /// All of them.
    pub const ALL: [Race; 3] = [Race::CounterHot, Race::CounterSpread, Race::Order];

    /// In a few words.
    pub fn name(self) -> &'static str {
        match self {
            Race::CounterHot => "increment, one row",
            Race::CounterSpread => "increment, a row a client",
            Race::Order => "order, five statements",
        }
    }

    fn keys(self, clients: u32) -> i32 {
        if self == Race::CounterHot { 1 } else { i32::try_from(clients).unwrap_or(1) }
    }

    /// pgbench's script. Its `client_id` counts from 0.
    fn script(self) -> String {
        match self {
            Race::CounterHot => counter_script("1"),
            Race::CounterSpread => format!("\\set key :client_id + 1\n{}", counter_script(":key")),
            Race::Order => format!(
                "\\set product random(1, {})\n\\set quantity random(1, 3)\n\\set price :quantity * (999 + 50 * :product)\n\
                 BEGIN;\n{};\n{};\n{};\nCOMMIT;\n",
                STOCK.products,
                orders::INSERT_ORDER.replace("$1", ":client_id").replace("$2", ":price"),
                orders::INSERT_DETAIL
                    .replace("$1", ":product")
                    .replace("$2", ":quantity")
                    .replace("$3", ":price"),
                orders::TAKE_STOCK.replace("$1", ":quantity").replace("$2", ":product"),
            ),
        }
    }
}

fn counter_script(key: &str) -> String {
    format!("{};\n", counter::INCREMENT.replace("$1", key))
}

/// Who races, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// The primary.
    pub site: &'a Site,
    /// Clients of each side.
    pub clients: u32,
    /// Length of a lap.
    pub lap: Duration,
    /// For scripts and histories.
    pub directory: &'a Path,
    /// pgbench.
    pub pgbench: &'a Pgbench,
}

/// One pair; `first` says whether pgbench goes first, so that neither always finds the emptier tables.
pub async fn pair(rules: Rules<'_>, race: Race, number: u32) -> anyhow::Result<Pair> {
    if number.is_multiple_of(2) {
        let pgbench = pgbench(rules, race).await?;
        Ok(Pair { pgbench, replab: replab(rules, race, number).await? })
    } else {
        let replab = replab(rules, race, number).await?;
        Ok(Pair { pgbench: pgbench(rules, race).await?, replab })
    }
}

/// New tables, and a checkpoint behind us, for each lap.
async fn set_up(rules: Rules<'_>, race: Race) -> anyhow::Result<()> {
    let Access::Postgres(conninfo) = &rules.site.access else { anyhow::bail!("pgbench needs PostgreSQL") };
    let session = Session::connect(conninfo, "replab", DEADLINES).await?;
    match race {
        Race::CounterHot | Race::CounterSpread => counter::set_up(&session, race.keys(rules.clients)).await?,
        Race::Order => orders::set_up(&session, STOCK).await?,
    }
    session.batch("CHECKPOINT").await?;
    session.close().await;
    Ok(())
}

async fn pgbench(rules: Rules<'_>, race: Race) -> anyhow::Result<Lap> {
    set_up(rules, race).await?;
    let Access::Postgres(conninfo) = &rules.site.access else { anyhow::bail!("pgbench needs PostgreSQL") };
    let script = rules.directory.join("pgbench.sql");
    std::fs::write(&script, race.script()).context("write pgbench's script")?;
    let ran = rules.pgbench.run(conninfo, &script, rules.clients, Quantity::For(rules.lap)).await?;
    let cpu = Nanos(ran.cpu.0 / ran.transactions.max(1));
    Ok(Lap { tps: ran.tps, cpu })
}

async fn replab(rules: Rules<'_>, race: Race, number: u32) -> anyhow::Result<Lap> {
    set_up(rules, race).await?;
    let clock = Clock::start();
    let path = |workload: &str| rules.directory.join(format!("{workload}-{number}-{}.jsonl.zst", race as u8));
    let nobody = ReadersPlan { per_node: 0, interval: Nanos(0), stock_interval: Nanos(0) };
    let clients = rules.clients;
    let (part, scribe): (SharedPart, Scribe) = if race == Race::Order {
        let plan = OrdersPlan { clients, products: STOCK.products.unsigned_abs(), stock: None };
        let (part, scribe) = Orders::start(&path("orders"), &plan, &nobody, 1)?;
        (Arc::new(part), scribe)
    } else {
        let plan = CounterPlan { clients, keys: race.keys(clients).unsigned_abs() };
        let style = Style::Shared(Nanos(0));
        let (part, scribe) = Counter::start(&path("counter"), style, &plan, 0, 1)?;
        (Arc::new(part), scribe)
    };
    part.begin(clock);
    let shared = Arc::new(Shared {
        stop: AtomicBool::new(false),
        budget: AtomicI64::new(i64::MAX),
        tally: Tally::default(),
        deadlines: DEADLINES,
    });
    debug_assert_eq!(rules.site.role, Role::Primary);
    let load = Load {
        sites: vec![rules.site.clone()],
        reader_endpoint: None,
        primary_moves: false,
        seed: u64::from(number),
        parts: vec![part],
        shared: Arc::clone(&shared),
        delay: LoopDelay::new(clock),
    };
    let cpu = cpu_time();
    let running = load.start()?;
    // pgbench does not count the time of its connections either, but all that comes after it.
    let connected = async {
        while shared.tally.outcomes().write_ok < u64::from(rules.clients) {
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::time::timeout(DEADLINES.statement, connected)
        .await
        .context("wait for a first success of the clients")?;
    let (start, before) = (clock.now(), shared.tally.outcomes().write_ok);
    tokio::time::sleep(rules.lap).await;
    let (elapsed, done) = (clock.now().since(start), shared.tally.outcomes().write_ok - before);
    running.stop().await.map_err(anyhow::Error::msg)?;
    scribe.finish().context("write the history")?;
    let outcomes = shared.tally.outcomes();
    anyhow::ensure!(
        outcomes.write_fail + outcomes.write_info == 0,
        "{} operations failed",
        outcomes.write_fail + outcomes.write_info
    );
    // The recording is part of the work: its CPU is counted until the history is on disk.
    let cpu = Nanos(cpu_time().since(cpu).0 / outcomes.write_ok.max(1));
    Ok(Lap { tps: done as f64 / elapsed.as_secs_f64(), cpu })
}
