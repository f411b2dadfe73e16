//! One client of the load: one operation at a time, until told to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use super::place::Place;
use super::progress::Tally;
use super::record::Recorder;
use crate::history::{Operation, Process};
use crate::pg::Deadlines;
use crate::workload::{Answer, Client};

const FIRST_BACKOFF: Duration = Duration::from_millis(5);
const LAST_BACKOFF: Duration = Duration::from_millis(100);
/// Of the one client whose attempts decide how finely the time without service is seen.
const SCOUT_BACKOFF: Duration = Duration::from_millis(5);
/// A client that thinks for longer looks up as often, for the end of the load.
const LONGEST_NAP: Duration = Duration::from_millis(50);

/// `read_only_sql_transaction`: a write on a replica.
const READ_ONLY: &str = "25006";

/// What all workers of a run share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) stop: AtomicBool,
    /// Writes that may still be started.
    pub(super) budget: AtomicI64,
    pub(super) tally: Tally,
    pub(super) deadlines: Deadlines,
}

impl Shared {
    pub(super) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn may_start<O: Operation>(&self, op: &O) -> bool {
        op.is_read_only() || self.budget.fetch_sub(1, Ordering::Relaxed) > 0
    }
}

/// A client thread of a workload.
pub(super) struct Worker<O: Operation, G> {
    pub(super) place: Place,
    /// Whether it tries again every few milliseconds while nobody lets it in. One of a kind is enough: each attempt costs
    /// a server that is about to come up a process.
    pub(super) is_scout: bool,
    /// Its number, and its first process id.
    pub(super) thread: u32,
    /// Threads of the workload: the step to the next process id.
    pub(super) concurrency: u32,
    pub(super) generator: G,
    /// Pause after each operation.
    pub(super) pause: Pause,
    pub(super) recorder: Recorder<O>,
    pub(super) shared: Arc<Shared>,
}

/// How long a client thinks between two operations.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pause {
    None,
    /// This long.
    Fixed(Duration),
    /// This long, and at least nine times as long as the operation took: a heavy read never takes more than a tenth
    /// of a connection's time.
    Heavy(Duration),
}

impl Pause {
    fn after(self, took: Duration) -> Duration {
        match self {
            Pause::None => Duration::ZERO,
            Pause::Fixed(pause) => pause,
            Pause::Heavy(pause) => pause.max(took * 9),
        }
    }
}

impl<O: Operation, G: Iterator<Item = O>> Worker<O, G> {
    /// Sleeps for `pause`, or until the load stops.
    async fn rest(&self, pause: Duration) {
        let mut left = pause;
        while !left.is_zero() && !self.shared.stopped() {
            let nap = left.min(LONGEST_NAP);
            tokio::time::sleep(nap).await;
            left -= nap;
        }
    }

    /// Runs until the load stops, the generator ends, or the writes are used up.
    pub(super) async fn run<C: Client<Op = O>>(mut self) {
        let mut number = self.thread;
        let mut client: Option<C> = None;
        let mut backoff = FIRST_BACKOFF;
        let last_backoff = if self.is_scout { SCOUT_BACKOFF } else { LAST_BACKOFF };
        while !self.shared.stopped() {
            let Some(op) = self.generator.next().filter(|op| self.shared.may_start(op)) else { return };
            let (process, node) = (Process::Client(number), self.place.node_name());
            // Where a session is to be opened, that is part of what the client waits for.
            let start = self.recorder.invoke(process, node, op.clone());
            let connected = match client.take() {
                Some(session) => Ok(session),
                None => C::connect(self.place.site(), self.shared.deadlines).await,
            };
            let answer = match connected {
                Ok(session) => client.insert(session).invoke(number, &op).await,
                Err(cause) => Answer::Fail(cause),
            };
            self.shared.tally.count(&op, &answer);
            let session_over = match &answer {
                Answer::Ok { .. } => false,
                Answer::Fail(cause) => cause.class.ends_session(),
                Answer::Info(_) => true,
            };
            let turned_away = match &answer {
                Answer::Ok { .. } | Answer::Info(_) => false,
                // The latter from a server that is a replica, or has become one under the client's hands.
                Answer::Fail(cause) => client.is_none() || cause.sqlstate.as_deref() == Some(READ_ONLY),
            };
            if matches!(answer, Answer::Ok { .. }) {
                self.place.stay();
            }
            if matches!(answer, Answer::Info(_)) {
                // Its operation may still happen: nobody else may ever act in its name.
                number += self.concurrency;
            }
            let end = self.recorder.complete(process, node, answer);
            let all_in_vain = turned_away && self.place.leave();
            // Who keeps asking the replica that may be promoted does so over one session.
            if session_over || self.place.node_name() != node {
                client = None;
            }
            if all_in_vain {
                tokio::time::sleep(backoff).await;
                backoff = (backoff * 2).min(last_backoff);
            } else if !turned_away {
                backoff = FIRST_BACKOFF;
                self.rest(self.pause.after(end.since(start).into())).await;
            }
        }
    }
}
