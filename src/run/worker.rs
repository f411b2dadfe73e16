//! One client of the load: one operation at a time, until told to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use super::progress::Tally;
use super::record::Recorder;
use crate::history::{Operation, Process};
use crate::pg::Deadlines;
use crate::topology::Site;
use crate::workload::{Answer, Client};

const FIRST_BACKOFF: Duration = Duration::from_millis(5);
const LAST_BACKOFF: Duration = Duration::from_millis(100);
/// A client that thinks for longer looks up as often, for the end of the load.
const LONGEST_NAP: Duration = Duration::from_millis(50);

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

/// A client thread of a workload, bound to one node.
pub(super) struct Worker<O: Operation, G> {
    pub(super) site: Site,
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
        let node = self.site.node;
        while !self.shared.stopped() {
            let Some(op) = self.generator.next().filter(|op| self.shared.may_start(op)) else { return };
            let process = Process::Client(number);
            let session = match &mut client {
                Some(session) => session,
                None => match C::connect(&self.site, self.shared.deadlines).await {
                    Ok(session) => client.insert(session),
                    Err(cause) => {
                        self.shared.tally.count(&op, &Answer::Fail(cause.clone()));
                        self.recorder.unsent(process, node, op, cause);
                        tokio::time::sleep(backoff).await;
                        backoff = (backoff * 2).min(LAST_BACKOFF);
                        continue;
                    }
                },
            };
            backoff = FIRST_BACKOFF;
            let start = self.recorder.invoke(process, node, op.clone());
            let answer = session.invoke(number, &op).await;
            self.shared.tally.count(&op, &answer);
            let session_over = match &answer {
                Answer::Ok { .. } => false,
                Answer::Fail(cause) => cause.class.ends_session(),
                Answer::Info(_) => true,
            };
            if matches!(answer, Answer::Info(_)) {
                // Its operation may still happen: nobody else may ever act in its name.
                number += self.concurrency;
            }
            let end = self.recorder.complete(process, node, answer);
            if session_over {
                client = None;
            }
            self.rest(self.pause.after(end.since(start).into())).await;
        }
    }
}
