//! The same statement by pgbench, with as many clients.

use anyhow::Context;

use super::design::{Amount, Contest, Design, Entry};
use super::lap::Turn;
use super::lap::{left, primary};
use crate::check::Increments;
use crate::history::Nanos;
use crate::report::bench::Lap;
use crate::run::directory::RunDir;
use crate::topology::Topology;
use crate::topology::local::{Pgbench, Quantity};
use crate::workload::bench::Subject;
use crate::workload::counter::Recipe;

/// pgbench's lap. It says how long its transactions took together, and not each.
pub(super) async fn race(
    pgbench: &Pgbench,
    topology: &Topology,
    design: &Design,
    contest: &Contest,
    entry: &Entry,
    turn: Turn,
    dir: &RunDir,
) -> anyhow::Result<Lap> {
    let recipe = match entry.subject {
        Subject::Counter(method) => Some(method.recipe(None)),
        Subject::Forum(_) => None,
    };
    let Some(Recipe::Statement { sql, has_slot: false }) = recipe else {
        anyhow::bail!("pgbench can only do what is one statement without parameters")
    };
    let script = dir.file("pgbench.sql");
    std::fs::write(&script, format!("{sql};\n")).context("write pgbench's script")?;
    // It does not run in the folder that replab runs in.
    let script = script.canonicalize().context("find pgbench's script again")?;
    let quantity = match contest.amount {
        Amount::Each(each) => Quantity::Each(each),
        Amount::For(time) => Quantity::For(time.into()),
    };
    let ran = pgbench.run(&primary(topology)?, &script, turn.clients, quantity).await?;
    let found = left(topology, entry.subject).await?;
    let acknowledged = ran.transactions;
    let increments = Increments { acknowledged, found: Some(found.value), ..Increments::default() };
    let seconds = acknowledged as f64 / ran.tps;
    Ok(Lap {
        repetition: turn.repetition,
        turn: turn.turn,
        seconds,
        increments,
        balance: increments.judge(design.promise(entry), design.rows(entry)),
        rate: ran.tps,
        latency: None,
        retries: 0,
        given_up: 0,
        failed: 0,
        inserted: None,
        orphaned: None,
        busy: ran.cpu.as_secs_f64() / seconds,
        late: Nanos(0),
        faults: Vec::new(),
    })
}
