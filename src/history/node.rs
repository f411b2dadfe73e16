//! Names of nodes: few, repeated in every event, so interned.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Mutex;

use serde::{Deserialize, Deserializer, Serialize};

/// A node's name: `primary`, `replica-1`. Copies are one word; equal names are one string.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct NodeName(&'static str);

static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

impl NodeName {
    /// The name `name`, kept for the life of the process (a cluster has a handful).
    pub fn new(name: &str) -> NodeName {
        let mut names = NAMES.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(known) = names.get(name) {
            return NodeName(known);
        }
        let kept: &'static str = Box::leak(name.into());
        names.insert(kept);
        NodeName(kept)
    }

    /// The first primary of a cluster that replab makes.
    pub fn primary() -> NodeName {
        NodeName::new("primary")
    }

    /// The `number`th replica, counted from 1, of a cluster that replab makes.
    pub fn replica(number: usize) -> NodeName {
        NodeName::new(&format!("replica-{number}"))
    }

    /// The name as text.
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

impl fmt::Debug for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl<'de> Deserialize<'de> for NodeName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<NodeName, D::Error> {
        let name = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Ok(NodeName::new(&name))
    }
}
