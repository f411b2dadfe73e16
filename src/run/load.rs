//! The load: every client of every workload, on a thread and an event loop of their own, so that nothing else the lab
//! does delays them.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::endpoints::EndpointLog;
use super::lab::LoopDelay;
use super::parts::SharedPart;
use super::place::Place;
use super::running::Running;
use super::through::Through;
use super::worker::Shared;
use crate::topology::{ReaderEndpoint, Role, Site};

/// Everything that runs at the same time.
pub(super) struct Load {
    pub(super) sites: Vec<Site>,
    /// What leads to any of the replicas, and where it is written down to which it led.
    pub(super) reader_endpoint: Option<(ReaderEndpoint, Arc<EndpointLog>)>,
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

    /// Where readers are, so many at each node, and as many at the endpoint that leads to any of them: each numbered within
    /// its place.
    pub(super) fn readers(&self, per_place: u32) -> impl Iterator<Item = (Place, Option<Through>, u32)> {
        let nodes = self
            .sites
            .iter()
            .flat_map(move |site| (0..per_place).map(move |reader| (Place::node(site), None, reader)));
        let through = self.reader_endpoint.iter().flat_map(move |(endpoint, log)| {
            let through = move || Some(Through::new(endpoint, log));
            (0..per_place).map(move |reader| (Place::reader_endpoint(endpoint), through(), reader))
        });
        nodes.chain(through)
    }
}
