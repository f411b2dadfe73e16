//! A reboot of one instance, as far as the API shows it.

use tokio::time::Instant;

use super::api::Api;
use super::discovery::glance;
use super::failover::once_idle;
use super::patience::LONGEST_PAUSE;
use super::survey::AVAILABLE;
use super::{Asked, Patience, Problem};
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
        asked.add(once_idle(patience, async || api.reboot(instance).await).await?);
        let begun = Instant::now();
        let mut pauses = Pauses::up_to(LONGEST_PAUSE);
        while begun.elapsed() < patience.notice {
            let found = glance(api, cluster).await?;
            let is_out = found.member(instance).is_some_and(|member| member.status != AVAILABLE);
            if is_out || restarted().await {
                return Ok(asked);
            }
            pauses.pause().await;
        }
    }
    let instance = instance.to_owned();
    let why = "it stays available, and its server is the same".to_owned();
    Err(Problem::NotPerformed { call: CALL, instance, asked, why })
}
