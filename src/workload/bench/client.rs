//! A session that does tasks.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::retry::{Attempt, Effort, Tried};
use super::subject::Subject;
use super::task::Task;
use crate::history::Cause;
use crate::pg::{Deadlines, Failed, PgError, Session, Stage};
use crate::topology::{Access, Site};
use crate::workload::counter::{self, Mistake};
use crate::workload::{Answer, Client, Live, forum, session, warning};

/// Every such task is done once too often, where that mistake is made.
const REPEATED: u32 = 10;

/// One session; the statements are prepared when the first task names its subject.
#[derive(Debug)]
pub struct BenchClient {
    session: Session,
    prepared: Option<Prepared>,
}

impl Client for BenchClient {
    type Op = Task;
    type Terms = ();

    async fn connect(site: &Site, (): &(), deadlines: Deadlines) -> Result<BenchClient, Cause> {
        match &site.access {
            Access::Postgres(conninfo) => {
                Ok(BenchClient { session: session(conninfo, deadlines).await?, prepared: None })
            }
            Access::Memory(_) => Err(crate::workload::refused_connection()),
        }
    }

    fn live(&self) -> Live<'_> {
        Live::Postgres(&self.session)
    }

    async fn invoke(&mut self, _process: u32, task: &Task) -> Answer<Effort> {
        let prepared = match &mut self.prepared {
            Some(prepared) => prepared,
            None => match prepare(&self.session, task).await {
                Ok(prepared) => self.prepared.insert(prepared),
                Err(error) => return Answer::error(Stage::BeforeCommit, &error),
            },
        };
        let mut rng = ChaCha8Rng::seed_from_u64(task.draw);
        let slot = i32::try_from(rng.random_range(1..=task.slots.max(1))).unwrap_or(1);
        let mut errand = match prepared {
            Prepared::Counter(increment) => Errand::Increment { session: &self.session, increment, slot },
            Prepared::Forum(method) => {
                let call = method.call(task, slot.unsigned_abs());
                Errand::Forum { session: &self.session, method, call }
            }
        };
        let done = task.policy.pursue(&mut rng, &mut errand).await;
        let is_repeated = task.number % REPEATED == REPEATED - 1 && matches!(done, Answer::Ok { .. });
        if task.mistake == Some(Mistake::DoubleApply) && is_repeated {
            // The client takes it for the first time, so what comes of it counts nothing.
            drop(task.policy.pursue(&mut rng, &mut errand).await);
        }
        match done {
            Answer::Ok { reply, .. } => Answer::Ok { reply, warning: warned(&self.session) },
            other => other,
        }
    }
}

/// A method whose statements are prepared.
#[derive(Debug)]
enum Prepared {
    Counter(counter::Prepared),
    Forum(forum::Prepared),
}

/// A task that is under way.
enum Errand<'a> {
    Increment { session: &'a Session, increment: &'a counter::Prepared, slot: i32 },
    Forum { session: &'a Session, method: &'a forum::Prepared, call: forum::Call },
}

impl Attempt for Errand<'_> {
    async fn attempt(&mut self) -> Result<Tried, Failed> {
        match self {
            Errand::Increment { session, increment, slot } => {
                drop(session.take_warnings());
                increment.attempt(session, *slot).await
            }
            Errand::Forum { session, method, call } => {
                drop(session.take_warnings());
                method.attempt(session, call).await
            }
        }
    }
}

/// What the server said of the last attempt that makes it doubtful whether its commit lasts: that the wait for a standby
/// was cancelled (01000). Whatever else it says excuses no loss.
fn warned(session: &Session) -> Option<Box<str>> {
    warning(session.take_warnings().into_iter().filter(|notice| notice.sqlstate == "01000").collect())
}

async fn prepare(session: &Session, task: &Task) -> Result<Prepared, PgError> {
    match task.subject {
        Subject::Counter(method) => {
            counter::Prepared::prepare(session, method, task.mistake).await.map(Prepared::Counter)
        }
        Subject::Forum(method) => {
            forum::Prepared::prepare(session, method, task.mistake).await.map(Prepared::Forum)
        }
    }
}
