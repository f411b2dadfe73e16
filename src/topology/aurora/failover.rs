//! A failover, as far as the API shows it: asked for, seen to happen, over.
//!
//! A call that is accepted is not one that is carried out, which happens after several failovers in short order, and the
//! target is a wish. So the members' roles decide, and the call is made again where nothing changes.

use tokio::time::Instant;

use super::api::{Api, Taken};
use super::discovery::glance;
use super::patience::LONGEST_PAUSE;
use super::survey::AVAILABLE;
use super::{Asked, Patience, Problem, Survey};
use crate::topology::attached::Pauses;

const CALL: &str = "FailoverDBCluster";

/// Codes that mean that something is being done already.
const BUSY: [&str; 2] = ["InvalidDBClusterStateFault", "InvalidDBInstanceState"];

/// How a failover went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Promoted {
    /// How often it was asked for; never where it had come so before a call was taken.
    pub(super) asked: Asked,
    /// Others that became the writer on the way.
    pub(super) detours: Vec<String>,
}

/// What came of the wish to call.
enum Step {
    /// There was no need to.
    There,
    /// It was refused, as something is being done already.
    Refused,
    Taken(Taken),
}

/// Makes `target` the writer. While the API is at something else, the first call waits for its end. One after it that is
/// refused for that is no call: the one before it is being carried out after all, and is looked at as long as the first
/// would have waited.
///
/// # Errors
/// [`Problem::NotPerformed`] when the role did not change after the last call; what the API says to a call.
pub(super) async fn promote(
    api: &Api,
    cluster: &str,
    target: &str,
    patience: &Patience,
) -> Result<Promoted, Problem> {
    let mut promoted = Promoted { asked: Asked::default(), detours: Vec::new() };
    let mut last = String::new();
    let mut refused: Option<Instant> = None;
    let is_late = |since: Instant| since.elapsed() >= patience.available;
    while promoted.asked.calls < patience.calls && !refused.is_some_and(is_late) {
        let again = promoted.asked.calls > 0;
        let mut old = None;
        let step = once_idle(patience, async || {
            old = writer(&glance(api, cluster).await?);
            if old.as_deref() == Some(target) {
                return Ok(Step::There);
            }
            match api.fail_over(cluster, target).await {
                Err(error) if again && is_busy(&error) => Ok(Step::Refused),
                taken => taken.map(Step::Taken),
            }
        });
        match step.await? {
            Step::There => return Ok(promoted),
            Step::Refused => refused = refused.or(Some(Instant::now())),
            Step::Taken(taken) => {
                refused = None;
                promoted.asked.add(taken);
            }
        }
        match follow(api, cluster, target, &old, patience).await? {
            Change::Promoted => return Ok(promoted),
            Change::Other(other) => {
                last = format!("{other} became the writer instead");
                promoted.detours.push(other);
            }
            Change::None { status } => {
                let old = old.as_deref().unwrap_or("nobody");
                last = format!("the cluster is `{status}`, and {old} is the writer still");
            }
        }
    }
    let (instance, asked) = (target.to_owned(), promoted.asked);
    Err(Problem::NotPerformed { call: CALL, instance, asked, why: last })
}

/// What a call led to.
enum Change {
    Promoted,
    Other(String),
    None { status: String },
}

/// Looks until somebody else than `old` is the writer: for a short time where nothing says that anything is done, and for
/// a long one otherwise.
async fn follow(
    api: &Api,
    cluster: &str,
    target: &str,
    old: &Option<String>,
    patience: &Patience,
) -> Result<Change, Problem> {
    let begun = Instant::now();
    let mut pauses = Pauses::up_to(LONGEST_PAUSE);
    let mut is_seen = false;
    loop {
        let found = glance(api, cluster).await?;
        let now = writer(&found);
        if now.as_deref() == Some(target) {
            return Ok(Change::Promoted);
        }
        let is_over = found.status == AVAILABLE;
        if let Some(other) = now.filter(|now| Some(now) != old.as_ref())
            && is_over
        {
            return Ok(Change::Other(other));
        }
        is_seen = is_seen || !is_over;
        let limit = if is_seen { patience.change } else { patience.notice };
        if begun.elapsed() >= limit {
            return Ok(Change::None { status: found.status });
        }
        pauses.pause().await;
    }
}

/// Waits until the cluster and every instance of it are available.
///
/// # Errors
/// [`Problem::NeverAvailable`].
pub(super) async fn settle(api: &Api, cluster: &str, patience: &Patience) -> Result<Survey, Problem> {
    let begun = Instant::now();
    let mut pauses = Pauses::up_to(LONGEST_PAUSE);
    loop {
        let found = glance(api, cluster).await?;
        let late = found.members.iter().find(|member| member.status != AVAILABLE);
        let (instance, status) = match late {
            Some(member) => (member.instance.clone(), member.status.clone()),
            None if found.status == AVAILABLE => return Ok(found),
            None => (cluster.to_owned(), found.status.clone()),
        };
        let waited = begun.elapsed();
        if waited >= patience.available {
            return Err(Problem::NeverAvailable { instance, status, waited });
        }
        pauses.pause().await;
    }
}

/// Whether the API is at something that has to end first.
pub(super) fn is_busy(error: &Problem) -> bool {
    error.code().is_some_and(|code| BUSY.contains(&code))
}

fn writer(found: &Survey) -> Option<String> {
    found.writer().map(|writer| writer.instance.clone())
}

/// Makes a call that is refused while something else is being done, until it is taken or the time is over. One that is
/// refused because there are too many is made again, too, for a short time.
pub(super) async fn once_idle<T>(
    patience: &Patience,
    mut call: impl AsyncFnMut() -> Result<T, Problem>,
) -> Result<T, Problem> {
    let begun = Instant::now();
    let mut pauses = Pauses::up_to(LONGEST_PAUSE);
    loop {
        let done = call().await;
        let limit = match &done {
            Err(error) if is_busy(error) => patience.available,
            Err(Problem::Throttled { .. }) => patience.notice,
            _ => return done,
        };
        if begun.elapsed() >= limit {
            return done;
        }
        pauses.pause().await;
    }
}

impl Asked {
    /// One more call.
    pub(super) fn add(&mut self, taken: Taken) {
        self.calls += 1;
        self.lost += u32::from(taken == Taken::Lost);
    }
}
