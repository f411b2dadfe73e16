//! The sampler: how far each replica is behind, asked of the primary beside the load.

use std::io;
use std::time::Duration;

use super::lab::LabSampler;
use super::samples::SampleFile;
use crate::history::{Clock, LagSample, NodeName};
use crate::pg::{Deadlines, PgError, Session, probe::LagProbe};
use crate::topology::{Access, Site};

/// Answers later than this count as none: a sample says what is, not what was.
const DEADLINES: Deadlines = Deadlines { connect: Duration::from_secs(1), statement: Duration::from_secs(1) };

/// Samples lag and the lab itself, until it is dropped.
pub(super) struct Sampler {
    pub(super) clock: Clock,
    pub(super) primary: Site,
    pub(super) replicas: Vec<NodeName>,
    pub(super) interval: Duration,
    pub(super) lag_file: SampleFile,
    pub(super) lab_file: SampleFile,
    pub(super) lab: LabSampler,
}

impl Sampler {
    /// One sample of everything each interval; ends only with an error of the files.
    pub(super) async fn run(mut self) -> io::Result<()> {
        let mut ticks = tokio::time::interval(self.interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut link: Option<(Session, LagProbe)> = None;
        loop {
            ticks.tick().await;
            let samples = self.lag(&mut link).await;
            self.lag_file.append(&samples)?;
            self.lab_file.append(&[self.lab.sample()])?;
        }
    }

    /// Without an answer nobody knows the lag, and that is what the samples say.
    async fn lag(&self, link: &mut Option<(Session, LagProbe)>) -> Vec<LagSample> {
        let Access::Postgres(conninfo) = &self.primary.access else { return Vec::new() };
        let asked = self.clock.now();
        let sampled = async {
            let (session, probe) = match link {
                Some(link) => link,
                None => {
                    let session = Session::connect(conninfo, "replab sampler", DEADLINES).await?;
                    let probe = LagProbe::prepare(&session).await?;
                    link.insert((session, probe))
                }
            };
            probe.sample(session, &self.clock, &self.replicas).await
        };
        let sampled: Result<Vec<LagSample>, PgError> = sampled.await;
        sampled.unwrap_or_else(|_| {
            *link = None;
            LagProbe::unanswered(&self.clock, asked, &self.replicas)
        })
    }
}
