//! How often a call was made that changes something.

use std::fmt;

/// Calls of one kind, each of which the API may have begun to carry out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// All of them.
    pub calls: u32,
    /// Those whose answer was lost, so that nobody knows whether they were accepted.
    pub lost: u32,
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let times = |calls: u32| if calls == 1 { "once".to_owned() } else { format!("{calls} times") };
        match *self {
            Asked { calls, lost: 0 } => write!(f, "accepted {}", times(calls)),
            Asked { calls: 1, .. } => write!(f, "made once, without an answer,"),
            Asked { calls, lost } => write!(f, "made {} ({lost} of them without an answer)", times(calls)),
        }
    }
}
