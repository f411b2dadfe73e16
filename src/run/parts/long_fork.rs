//! The long fork's part of a run: clients that wait for what the others see.

use std::io;
use std::path::Path;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::Part;
use super::crew::{Crew, Size};
use crate::config::WorkloadPlan;
use crate::history::{Clock, Nanos, TxnOp, TxnReply};
use crate::run::load::Load;
use crate::run::place::{Place, Whereabouts};
use crate::run::record::Scribe;
use crate::run::source::Source;
use crate::run::worker::Pause;
use crate::topology::{Access, Role, Site};
use crate::workload::Answer;
use crate::workload::long_fork::{Actor, Rounds, keys, operation};
use crate::workload::transactions::{Holds, Terms, TxnClient, last_reads};

/// Of every session: what a reader sees is one snapshot.
const TERMS: Terms = Terms { holds: Holds::List, level: WorkloadPlan::LONG_FORK_ISOLATION };

/// Those that are always at the primary.
const AT_PRIMARY: [Actor; 3] = [Actor::First, Actor::Second, Actor::Comparer];

/// Two clients that write, one that reads the primary, and one that reads each replica.
pub(in crate::run) struct LongFork {
    crew: Crew<TxnOp>,
    read_interval: Nanos,
    stage: Stage,
}

/// Where the rounds stand, for everybody to see.
type Stage = Arc<watch::Sender<State>>;

#[derive(Debug, Default)]
struct State {
    rounds: Rounds,
    /// One of them has ended, so that the others would wait for ever.
    is_over: bool,
}

/// What one of them does.
struct Turns {
    actor: Actor,
    /// The newest round that it has acted in.
    last: u64,
    stage: Stage,
}

impl LongFork {
    /// Starts its history in `path`, for a cluster of so many replicas.
    pub(in crate::run) fn start(
        path: &Path,
        read_interval: Nanos,
        replicas: usize,
    ) -> io::Result<(LongFork, Scribe)> {
        let size = Size { writers: AT_PRIMARY.len() as u32, readers_per_place: 1, places: replicas };
        let (crew, scribe) = Crew::start("longfork", size, path)?;
        Ok((LongFork { crew, read_interval, stage: Arc::default() }, scribe))
    }

    fn turns(&self, actor: Actor) -> Turns {
        Turns { actor, last: 0, stage: Arc::clone(&self.stage) }
    }
}

impl Part for LongFork {
    fn begin(&self, clock: Clock) {
        self.crew.recorder.begin(clock);
    }

    fn is_broken(&self) -> bool {
        self.crew.recorder.is_broken()
    }

    fn spawn(&self, load: &Load, workers: &mut JoinSet<()>) {
        let primary = Whereabouts::default();
        let sites: Vec<Site> = load.writers().cloned().collect();
        let hasty: Vec<Site> = load.writers().cloned().map(waits_for_nobody).collect();
        let count = AT_PRIMARY.len() as u32;
        for (thread, actor) in (0..).zip(AT_PRIMARY) {
            let sites = if actor == Actor::Second { &hasty } else { &sites };
            // The others wait for it meanwhile: each looks for the primary at every node by itself.
            let place = Place::writer(sites.iter(), 0, 1, &primary);
            let worker = self.crew.worker(load, (place, None), true, thread, self.turns(actor), Pause::None);
            workers.spawn(worker.run::<TxnClient>(TERMS));
        }
        let pause = Pause::Fixed(self.read_interval.into());
        let replicas = load.sites.iter().filter(|site| site.role == Role::Replica);
        for (thread, site) in (count..).zip(replicas) {
            let turns = self.turns(Actor::Watcher);
            let worker = self.crew.worker(load, (Place::node(site), None), true, thread, turns, pause);
            workers.spawn(worker.run::<TxnClient>(TERMS));
        }
    }

    /// Every list, and the table.
    fn last_reads<'a>(&'a self, site: &'a Site) -> BoxFuture<'a, ()> {
        Box::pin(async {
            let rounds = self.stage.borrow().rounds.number();
            let keys: Vec<i64> = (1..=rounds).flat_map(keys).collect();
            let digest = TxnOp::Digest { table: TERMS.holds.table() };
            for op in last_reads(&keys).into_iter().chain([digest]) {
                self.crew.read::<TxnClient>(site, &TERMS, op).await;
            }
        })
    }
}

/// The same site for sessions whose commits are acknowledged as soon as they are on the primary's own disk. In memory no commit
/// waits for anybody.
fn waits_for_nobody(site: Site) -> Site {
    let access = match site.access {
        Access::Postgres(conninfo) => Access::Postgres(conninfo.with_setting("synchronous_commit", "local")),
        Access::Memory(handle) => Access::Memory(handle),
    };
    Site { access, ..site }
}

impl Source for Turns {
    type Op = TxnOp;

    async fn next_op(&mut self) -> Option<TxnOp> {
        let Turns { actor, last, stage } = self;
        let may = |state: &State| state.rounds.turn(*actor, *last);
        let mut changes = stage.subscribe();
        let round = {
            let state = changes.wait_for(|state| state.is_over || may(state).is_some()).await.ok()?;
            may(&state).filter(|_| !state.is_over)?
        };
        if *actor == Actor::First {
            stage.send_modify(|state| state.rounds.begin(round));
        }
        *last = round;
        Some(operation(*actor, round))
    }

    fn ended(&mut self, answer: &Answer<TxnReply>) {
        self.stage.send_modify(|state| state.rounds.ended(self.actor, self.last, answer));
    }
}

impl Drop for Turns {
    fn drop(&mut self) {
        self.stage.send_modify(|state| state.is_over = true);
    }
}
