//! A failover, as far as the API shows it: asked for, seen to happen, over.
//!
//! A call that is accepted is not one that is carried out, which happens after several failovers in short order, and the
//! target is a wish. So the members' roles decide, and the call is made again where nothing changes.

use tokio::time::{Instant, sleep};

use super::api::Api;
use super::discovery::glance;
use super::patience::Pauses;
use super::survey::AVAILABLE;
use super::{Patience, Problem, Survey};

const CALL: &str = "FailoverDBCluster";

/// Codes that mean that something is being done already.
const BUSY: [&str; 2] = ["InvalidDBClusterStateFault", "InvalidDBInstanceState"];

/// How a failover went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Promoted {
    /// How often it was asked for.
    pub(super) calls: u32,
    /// Others that became the writer on the way.
    pub(super) detours: Vec<String>,
}

/// Makes `target` the writer.
///
/// # Errors
/// [`Problem::NotPerformed`] when the role did not change after the last call; what the API says to a call.
pub(super) async fn promote(
    api: &Api,
    cluster: &str,
    target: &str,
    patience: &Patience,
) -> Result<Promoted, Problem> {
    let mut writer = writer(&glance(api, cluster).await?);
    let mut promoted = Promoted { calls: 0, detours: Vec::new() };
    let mut last = String::new();
    while promoted.calls < patience.calls {
        promoted.calls += 1;
        match api.fail_over(cluster, target).await {
            Ok(()) => {}
            // The call before this one is being carried out after all.
            Err(error) if promoted.calls > 1 && is_busy(&error) => {}
            Err(error) => return Err(error),
        }
        match follow(api, cluster, target, &writer, patience).await? {
            Change::Promoted => return Ok(promoted),
            Change::Other(other) => {
                last = format!("{other} became the writer instead");
                promoted.detours.push(other.clone());
                writer = Some(other);
            }
            Change::None { status } => {
                last = format!(
                    "the cluster is `{status}`, and {} is the writer still",
                    writer.as_deref().unwrap_or("nobody")
                );
            }
        }
    }
    let (instance, calls) = (target.to_owned(), promoted.calls);
    Err(Problem::NotPerformed { call: CALL, instance, calls, why: last })
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
    let mut pauses = Pauses::new();
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
    let mut pauses = Pauses::new();
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

/// Makes a call that is refused while something else is being done, until it is taken or the time is over.
pub(super) async fn once_idle<T>(
    patience: &Patience,
    mut call: impl AsyncFnMut() -> Result<T, Problem>,
) -> Result<T, Problem> {
    let begun = Instant::now();
    loop {
        match call().await {
            Err(error) if is_busy(&error) && begun.elapsed() < patience.available => {
                sleep(std::time::Duration::from_secs(1)).await;
            }
            done => return done,
        }
    }
}
