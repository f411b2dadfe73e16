//! The load: every client of every workload, on a thread and an event loop of their own, so that nothing else the lab
//! does delays them.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::lab::LoopDelay;
use super::parts::SharedPart;
use super::running::Running;
use super::worker::Shared;
use crate::topology::{Role, Site};

/// Everything that runs at the same time.
pub(super) struct Load {
    pub(super) sites: Vec<Site>,
    /// Whether clients that have lost the primary look for it at every node.
    pub(super) primary_moves: bool,
    pub(super) seed: u64,
    pub(super) parts: Vec<SharedPart>,
    pub(super) shared: Arc<Shared>,
    pub(super) delay: Arc<LoopDelay>,
}

impl Load {
    /// Starts every client.
    pub(super) fn start(self) -> std::io::Result<Running> {
        let (shared, delay) = (Arc::clone(&self.shared), Arc::clone(&self.delay));
        Running::start(shared, delay, move || {
            let mut workers = JoinSet::new();
            self.parts.iter().for_each(|part| part.spawn(&self, &mut workers));
            workers
        })
    }

    /// Where a primary may be.
    pub(super) fn writers(&self) -> impl Iterator<Item = &Site> + Clone {
        self.sites.iter().filter(|site| self.primary_moves || site.role == Role::Primary)
    }

    /// The readers of every node, numbered within their node.
    pub(super) fn readers(&self, per_node: u32) -> impl Iterator<Item = (&Site, u32)> {
        self.sites.iter().flat_map(move |site| (0..per_node).map(move |reader| (site, reader)))
    }
}
