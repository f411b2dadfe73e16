//! A reboot of one instance, as far as the API shows it.

use tokio::time::Instant;

use super::api::Api;
use super::discovery::glance;
use super::failover::{is_busy, once_idle};
use super::patience::LONGEST_PAUSE;
use super::survey::AVAILABLE;
use super::{Asked, Patience, Problem, Survey};
use crate::topology::attached::Pauses;

const CALL: &str = "RebootDBInstance";

/// Asks for a reboot until it is seen to be carried out: by the instance's state, or, where that is over before it is
/// looked at, by `restarted`, which asks the server. Answers how often it asked.
///
/// # Errors
/// [`Problem::NotPerformed`]; what the API says to a call.
pub(super) async fn reboot(
    api: &Api,
    cluster: &str,
    instance: &str,
    patience: &Patience,
    mut restarted: impl AsyncFnMut() -> bool,
) -> Result<Asked, Problem> {
    let mut asked = Asked::default();
    while asked.calls < patience.calls {
        let again = asked.calls > 0;
        let taken = once_idle(patience, async || {
            // What comes late would be done a second time.
            if again && (is_out(&glance(api, cluster).await?, instance) || restarted().await) {
                return Ok(None);
            }
            match api.reboot(instance).await {
                // The call before this one is being carried out after all.
                Err(error) if again && is_busy(&error) => Ok(None),
                taken => taken.map(Some),
            }
        });
        let Some(taken) = taken.await? else { return Ok(asked) };
        asked.add(taken);
        let begun = Instant::now();
        let mut pauses = Pauses::up_to(LONGEST_PAUSE);
        while begun.elapsed() < patience.notice {
            if is_out(&glance(api, cluster).await?, instance) || restarted().await {
                return Ok(asked);
            }
            pauses.pause().await;
        }
    }
    let instance = instance.to_owned();
    let why = "it stays available, and its server is the same".to_owned();
    Err(Problem::NotPerformed { call: CALL, instance, asked, why })
}

fn is_out(found: &Survey, instance: &str) -> bool {
    found.member(instance).is_some_and(|member| member.status != AVAILABLE)
}
