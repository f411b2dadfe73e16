//! One client of the load: one operation at a time, until told to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use super::place::Place;
use super::progress::Tally;
use super::record::Journal;
use super::source::Source;
use super::through::Through;
use tokio::sync::Barrier;
use tokio::time::{Instant, timeout};

use crate::history::{Cause, CauseClass, Operation, Process};
use crate::pg::Deadlines;
use crate::workload::{Answer, Client};

const FIRST_BACKOFF: Duration = Duration::from_millis(5);
const LAST_BACKOFF: Duration = Duration::from_millis(100);
/// Of the client of each node whose attempts decide how finely the time without service is seen.
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
pub(super) struct Worker<G, J> {
    pub(super) place: Place,
    /// Where an endpoint leads it to one node after the other.
    pub(super) through: Option<Through>,
    /// Whether it tries again every few milliseconds while nobody lets it in. One of a kind for each node is enough:
    /// each attempt costs a server that is about to come up a process.
    pub(super) is_scout: bool,
    /// Its number, and its first process id.
    pub(super) thread: u32,
    /// Threads of the workload: the step to the next process id.
    pub(super) concurrency: u32,
    pub(super) source: G,
    /// Pause after each operation.
    pub(super) pause: Pause,
    pub(super) journal: J,
    pub(super) shared: Arc<Shared>,
    /// Nobody begins before all who share it are connected.
    pub(super) gate: Arc<Barrier>,
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

impl<O: Operation, G: Source<Op = O>, J: Journal<O>> Worker<G, J> {
    /// Sleeps for `pause`, or until the load stops.
    async fn rest(&self, pause: Duration) {
        let mut left = pause;
        while !left.is_zero() && !self.shared.stopped() {
            let nap = left.min(LONGEST_NAP);
            tokio::time::sleep(nap).await;
            left -= nap;
        }
    }

    /// A session with the node that it is at, which is ready for what the client needs: the `old` one, if there is one. An
    /// error means that nothing was sent that could happen; with the session, where that may still be of use.
    async fn session<C: Client<Op = O>>(
        &self,
        terms: &C::Terms,
        old: Option<C>,
    ) -> Result<C, (Option<C>, Cause)> {
        let site = self.place.site();
        let mut client = match old {
            Some(client) => client,
            None => C::connect(site, terms, self.shared.deadlines).await.map_err(|cause| (None, cause))?,
        };
        match client.admits(site.role).await {
            Ok(()) => Ok(client),
            Err(cause) if cause.class.ends_session() => Err((None, cause)),
            Err(cause) => Err((Some(client), cause)),
        }
    }

    /// Runs until the load stops, the source ends, or the writes are used up.
    pub(super) async fn run<C: Client<Op = O>>(mut self, terms: C::Terms) {
        let mut number = self.thread;
        let mut backoff = FIRST_BACKOFF;
        let last_backoff = if self.is_scout { SCOUT_BACKOFF } else { LAST_BACKOFF };
        // Nobody waits for an application that is only starting.
        let mut held = match self.through {
            None => C::connect(self.place.site(), &terms, self.shared.deadlines).await.ok().map(Held::new),
            Some(_) => None,
        };
        self.gate.wait().await;
        while !self.shared.stopped() {
            if let Some(through) = self.through.as_mut().filter(|through| held.is_none() || through.is_over())
            {
                drop(held.take());
                let site = self.place.site();
                let (client, node) = match through.open::<C>(site, &terms, self.shared.deadlines).await {
                    Ok(there) => there,
                    // What it would have read it never got to ask.
                    Err(least) => {
                        self.rest(backoff.max(least)).await;
                        backoff = (backoff * 2).min(last_backoff);
                        continue;
                    }
                };
                backoff = FIRST_BACKOFF;
                self.place.arrive(node);
                // Another connection is another session.
                number += self.concurrency;
                held = Some(Held { client, ready: true });
            }
            let Some(op) = self.source.next_op().await.filter(|op| self.shared.may_start(op)) else { return };
            let (process, node) = (Process::Client(number), self.place.node_name());
            // Where a session is to be opened, that is part of what the client waits for.
            self.journal.invokes(process, node, op.clone());
            let session = match held.take() {
                Some(Held { client, ready: true }) => Ok(client),
                held => tokio::select! {
                    session = self.session(&terms, held.map(|held| held.client)) => session,
                    () = self.place.is_elsewhere() => Err((None, given_up())),
                },
            };
            let sent = Instant::now();
            let (answer, turned_away) = match session {
                Ok(mut client) => {
                    let answer = client.invoke(number, &op).await;
                    let (over, refused) = ended(&answer);
                    held = (!over).then_some(Held { client, ready: !refused });
                    (answer, refused)
                }
                Err((client, cause)) => {
                    held = client.map(Held::new);
                    (Answer::Fail(cause), true)
                }
            };
            self.shared.tally.count(&op, &answer);
            if matches!(answer, Answer::Ok { .. }) {
                self.place.stay();
                if let Some(through) = &mut self.through {
                    through.count();
                }
            }
            if matches!(answer, Answer::Info(_)) {
                // Its operation may still happen: nobody else may ever act in its name.
                number += self.concurrency;
            }
            // Without a pause in between, on the load's one thread: nobody acts upon it before it is written down.
            self.source.ended(&answer);
            self.journal.completes(process, node, answer);
            if !turned_away {
                backoff = FIRST_BACKOFF;
                self.rest(self.pause.after(sent.elapsed())).await;
                continue;
            }
            let all_in_vain = self.place.leave();
            // Who keeps asking the replica that may be promoted does so over one session.
            held = held.filter(|_| self.place.node_name() == node);
            if all_in_vain {
                let _ = timeout(backoff, self.place.is_elsewhere()).await;
                backoff = (backoff * 2).min(last_backoff);
            }
        }
    }
}

/// A session, and whether its node is known to be what the client needs.
struct Held<C> {
    client: C,
    ready: bool,
}

impl<C> Held<C> {
    fn new(client: C) -> Held<C> {
        Held { client, ready: false }
    }
}

/// Whether the session is over with this answer, and whether the node is none for what was asked: it is a replica, or has
/// become one under the client's hands.
fn ended<R>(answer: &Answer<R>) -> (bool, bool) {
    match answer {
        Answer::Ok { .. } => (false, false),
        Answer::Fail(cause) => (cause.class.ends_session(), cause.sqlstate.as_deref() == Some(READ_ONLY)),
        Answer::Info(_) => (true, false),
    }
}

fn given_up() -> Cause {
    let message = "given up, as the primary was found elsewhere".to_owned();
    Cause { class: CauseClass::CannotConnect, sqlstate: None, message }
}
