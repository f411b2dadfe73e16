//! What only a cluster of AWS's has: instances behind the nodes, endpoints that lead to one of several, and events.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::directory::RunDir;
use super::manifest::Manifest;
use super::samples::SampleFile;
use crate::history::{Clock, EndpointSample, Nanos};
use crate::pg::Deadlines;
use crate::report::{ClusterEvent, InstanceFacts, NodeFacts};
use crate::topology::{Topology, aurora};

/// As often an application makes a new connection through each endpoint.
const INTERVAL: Duration = Duration::from_millis(200);

/// What clients of Aurora's are advised to wait for a connection.
const DEADLINES: Deadlines = Deadlines { connect: Duration::from_secs(2), statement: Duration::from_secs(2) };

/// Where connections through endpoints went that lead to one of several nodes: those of the load, and those that are made
/// beside it to see where they lead.
#[derive(Debug)]
pub(super) struct EndpointLog {
    clock: Clock,
    file: Mutex<io::Result<SampleFile>>,
}

impl EndpointLog {
    /// Makes the file of `dir`, where `topology` has such endpoints.
    pub(super) fn create(
        topology: &Topology,
        clock: Clock,
        dir: &RunDir,
    ) -> io::Result<Option<Arc<EndpointLog>>> {
        if !topology.has_shared_endpoints() {
            return Ok(None);
        }
        let file = Mutex::new(Ok(SampleFile::create(&dir.file("endpoints.jsonl"))?));
        Ok(Some(Arc::new(EndpointLog { clock, file })))
    }

    /// The run's time.
    pub(super) fn now(&self) -> Nanos {
        self.clock.now()
    }

    /// What cannot be written any more is an error of [`EndpointLog::check`].
    pub(super) fn add(&self, samples: &[EndpointSample]) {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(open) = &mut *file
            && let Err(error) = open.append(samples)
        {
            *file = Err(error);
        }
    }

    /// Whether all of it was written.
    pub(super) fn check(&self) -> io::Result<()> {
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.as_ref().map(drop).map_err(|error| io::Error::new(error.kind(), error.to_string()))
    }
}

/// Samples the endpoints beside the load.
pub(super) struct Watch {
    pub(super) topology: Arc<Topology>,
    /// `None` where no endpoint leads to one of several nodes.
    pub(super) log: Option<Arc<EndpointLog>>,
}

impl Watch {
    /// Samples until it is dropped; ends only with an error of the file.
    pub(super) async fn run(self) -> io::Result<()> {
        let Watch { topology, log } = self;
        let Some(log) = log else { return std::future::pending().await };
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            log.add(&topology.sample_endpoints(&log.clock, DEADLINES).await);
            log.check()?;
        }
    }
}

/// Adds to `nodes` which instances they are.
pub(super) async fn describe(topology: &Topology, nodes: &mut [NodeFacts]) {
    for facts in topology.instances().await {
        if let Some(node) = nodes.iter_mut().find(|node| node.node == facts.node) {
            let (name, address, version) = (facts.instance, facts.address, facts.version);
            let refused = facts.answers.refused.into_iter().collect();
            let unanswered = facts.answers.unanswered;
            node.instance = Some(InstanceFacts { name, address, version, refused, unanswered });
        }
    }
}

/// Adds to `manifest` what was reported of the cluster, unless the user has had enough. What cannot be read is said, and
/// fails nothing.
pub(super) async fn events(
    topology: &Topology,
    manifest: &mut Manifest,
    interrupt: &mut watch::Receiver<bool>,
) {
    if !topology.has_shared_endpoints() {
        return;
    }
    let event = |event: aurora::ClusterEvent| {
        let aurora::ClusterEvent { time, source, id, message } = event;
        ClusterEvent { time, source, id, message }
    };
    let read = tokio::select! {
        biased;
        _ = interrupt.wait_for(|interrupt| *interrupt) => Err("the events were not read: interrupted".to_owned()),
        read = topology.events() => read.map_err(|error| format!("the events could not be read: {error}")),
    };
    manifest.events = match read {
        Ok(events) => events.into_iter().map(event).collect(),
        Err(message) => {
            let (time, source) = (String::new(), "replab".to_owned());
            vec![ClusterEvent { time, source, id: None, message }]
        }
    };
}
