//! A reboot of one instance, as far as the API shows it.

use tokio::time::Instant;

use super::api::Api;
use super::discovery::glance;
use super::failover::once_idle;
use super::patience::Pauses;
use super::survey::AVAILABLE;
use super::{Patience, Problem};

const CALL: &str = "RebootDBInstance";

/// How a reboot went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rebooted {
    /// How often it was asked for.
    pub(super) calls: u32,
}

/// Asks for a reboot until it is seen to be carried out: by the instance's state, or, where that is over before it is
/// looked at, by `restarted`, which asks the server.
///
/// # Errors
/// [`Problem::NotPerformed`]; what the API says to a call.
pub(super) async fn reboot(
    api: &Api,
    cluster: &str,
    instance: &str,
    patience: &Patience,
    mut restarted: impl AsyncFnMut() -> bool,
) -> Result<Rebooted, Problem> {
    for calls in 1..=patience.calls {
        once_idle(patience, async || api.reboot(instance).await).await?;
        let begun = Instant::now();
        let mut pauses = Pauses::new();
        while begun.elapsed() < patience.notice {
            let found = glance(api, cluster).await?;
            let is_out = found.member(instance).is_some_and(|member| member.status != AVAILABLE);
            if is_out || restarted().await {
                return Ok(Rebooted { calls });
            }
            pauses.pause().await;
        }
    }
    let (instance, calls) = (instance.to_owned(), patience.calls);
    let why = "it stays available, and its server is the same".to_owned();
    Err(Problem::NotPerformed { call: CALL, instance, calls, why })
}
