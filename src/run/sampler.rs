//! The sampler: how far each replica is behind, asked of the primary beside the load; in somebody else's cluster, of the
//! replicas themselves.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::endpoints::Watch;
use super::lab::LabSampler;
use super::positions::Positions;
use super::samples::SampleFile;
use crate::history::{Clock, LagSample, NodeName};
use crate::pg::{Conninfo, Deadlines, PgError, Session, probe::LagProbe};
use crate::topology::{Access, Role, Site, Topology};

/// Answers later than this count as none: a sample says what is, not what was.
const DEADLINES: Deadlines = Deadlines { connect: Duration::from_secs(1), statement: Duration::from_secs(1) };

/// Every so many samples the nodes' logs are measured: each time a few hundred files are looked at.
const LOOK_AT_LOGS: u32 = 50;

/// Samples lag and the lab itself, until it is dropped.
pub(super) struct Sampler {
    pub(super) clock: Clock,
    /// Says who is the primary; after a failover another node than before.
    pub(super) topology: Arc<Topology>,
    pub(super) interval: Duration,
    pub(super) endpoints: Watch,
    pub(super) lag_file: SampleFile,
    pub(super) lab_file: SampleFile,
    pub(super) lab: LabSampler,
}

impl Sampler {
    /// Samples until it is dropped; ends only with an error of the files.
    pub(super) async fn run(self) -> io::Result<()> {
        let Sampler { clock, topology, interval, endpoints, lag_file, lab_file, lab } = self;
        let nodes = Nodes { clock, topology, interval, lag_file, lab_file, lab };
        tokio::try_join!(endpoints.run(), nodes.run()).map(drop)
    }
}

/// The nodes, and the lab itself.
struct Nodes {
    clock: Clock,
    topology: Arc<Topology>,
    interval: Duration,
    lag_file: SampleFile,
    lab_file: SampleFile,
    lab: LabSampler,
}

impl Nodes {
    /// One sample of everything each interval.
    async fn run(mut self) -> io::Result<()> {
        let mut ticks = tokio::time::interval(self.interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut link: Option<Link> = None;
        let mut count = 0u32;
        let mut positions = Positions::default();
        #[cfg(feature = "aurora")]
        let mut reader = None;
        loop {
            ticks.tick().await;
            let samples = match &*self.topology {
                Topology::Urls(_) => positions.sample(&self.topology.sites(), &self.clock, DEADLINES).await,
                #[cfg(feature = "aurora")]
                Topology::Aurora(cluster) => cluster.sample_lag(&mut reader, &self.clock, DEADLINES).await,
                Topology::Local(_) | Topology::Compose(_) | Topology::Memory(_) => self.lag(&mut link).await,
            };
            self.lag_file.append(&samples)?;
            let log_bytes = count.is_multiple_of(LOOK_AT_LOGS).then(|| self.topology.log_bytes()).flatten();
            count += 1;
            self.lab_file.append(&[self.lab.sample(log_bytes)])?;
        }
    }

    /// Without an answer nobody knows the lag, and that is what the samples say.
    async fn lag(&self, link: &mut Option<Link>) -> Vec<LagSample> {
        let asked = self.clock.now();
        // An observer has a line of its own: while clients or replicas are cut off, the primary is still asked.
        let sites = self.topology.direct_sites();
        let (primaries, replicas): (Vec<&Site>, Vec<&Site>) =
            sites.iter().partition(|site| site.role == Role::Primary);
        let Some(primary) = primaries.first() else { return Vec::new() };
        let Access::Postgres(conninfo) = &primary.access else { return Vec::new() };
        let replicas: Vec<NodeName> = replicas.iter().map(|site| site.node).collect();
        link.take_if(|link| link.primary != primary.node);
        let sampled = async {
            let link = match link {
                Some(link) => link,
                None => link.insert(Link::to(primary.node, conninfo).await?),
            };
            link.probe.sample(&link.session, &self.clock, &replicas).await
        };
        let sampled: Result<Vec<LagSample>, PgError> = sampled.await;
        sampled.unwrap_or_else(|_| {
            *link = None;
            LagProbe::unanswered(&self.clock, asked, &replicas)
        })
    }
}

/// A session with the primary.
struct Link {
    primary: NodeName,
    session: Session,
    probe: LagProbe,
}

impl Link {
    async fn to(primary: NodeName, conninfo: &Conninfo) -> Result<Link, PgError> {
        let session = Session::connect(conninfo, "replab sampler", DEADLINES).await?;
        let probe = LagProbe::prepare(&session).await?;
        Ok(Link { primary, session, probe })
    }
}
