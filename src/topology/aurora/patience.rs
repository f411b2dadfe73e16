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

/// Between two looks at the API, which counts calls.
#[cfg(feature = "aurora")]
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(5);
