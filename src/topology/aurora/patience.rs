//! How long the lab waits for AWS, and how often it looks.

use std::time::Duration;

/// Limits of what is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For any sign that an accepted call is being carried out; then it is made again.
    pub notice: Duration,
    /// For the role of a member to change once there is such a sign.
    pub change: Duration,
    /// For every instance to be available again.
    pub available: Duration,
    /// For the servers, and the cluster's endpoint, to show it.
    pub servers: Duration,
    /// How often a call is made that is accepted and not carried out.
    pub calls: u32,
}

impl Default for Patience {
    /// A failover is said to take less than a minute, and less than ten where no reader is there.
    fn default() -> Patience {
        Patience {
            notice: Duration::from_secs(30),
            change: Duration::from_secs(300),
            available: Duration::from_secs(900),
            servers: Duration::from_secs(300),
            calls: 3,
        }
    }
}

#[cfg(feature = "aurora")]
/// Pauses between two looks: short at first, as a stand-in answers at once, and longer as it takes longer, as the API
/// counts calls.
#[cfg(feature = "aurora")]
#[derive(Debug)]
pub(super) struct Pauses(Duration);

#[cfg(feature = "aurora")]
const FIRST: Duration = Duration::from_millis(100);
#[cfg(feature = "aurora")]
const LONGEST: Duration = Duration::from_secs(5);

#[cfg(feature = "aurora")]
impl Pauses {
    pub(super) fn new() -> Pauses {
        Pauses(FIRST)
    }

    /// Waits for the next look.
    pub(super) async fn pause(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 3 / 2).min(LONGEST);
    }
}
