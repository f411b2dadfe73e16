//! The histories of one run while they are written.

use std::io;

use super::directory::RunDir;
use super::parts::{self, SharedPart};
use super::record::{Recorder, Scribe};
use crate::config::Plan;
use crate::history::{Clock, FaultOp, Header};
use crate::topology::{Role, Site};

/// All of them: the nemesis', and one for each workload.
pub(super) struct Histories {
    pub(super) nemesis: Recorder<FaultOp>,
    pub(super) parts: Vec<SharedPart>,
    scribes: Vec<Scribe>,
}

impl Histories {
    pub(super) fn start(plan: &Plan, dir: &RunDir, nodes: usize, endpoints: usize) -> io::Result<Histories> {
        let header = Header { workload: "nemesis".to_owned(), concurrency: 1 };
        let (nemesis, scribe) = Recorder::start(&dir.history("nemesis"), &header)?;
        let (parts, mut scribes): (Vec<SharedPart>, Vec<Scribe>) =
            parts::start(plan, dir, nodes, endpoints)?.into_iter().unzip();
        scribes.push(scribe);
        Ok(Histories { nemesis, parts, scribes })
    }

    /// The load begins: from here on their time is that of `clock`.
    pub(super) fn begin(&self, clock: Clock) {
        self.nemesis.begin(clock);
        self.parts.iter().for_each(|part| part.begin(clock));
    }

    /// What is there before the load.
    pub(super) async fn baseline(&self, sites: &[Site]) {
        for part in &self.parts {
            for site in sites.iter().filter(|site| site.role == Role::Primary) {
                part.baseline(site).await;
            }
        }
    }

    pub(super) fn is_broken(&self) -> bool {
        self.nemesis.is_broken() || self.parts.iter().any(|part| part.is_broken())
    }

    /// Writes what is left; the first error of any history is the error.
    pub(super) fn finish(self) -> io::Result<()> {
        let results: Vec<io::Result<()>> = self.scribes.into_iter().map(Scribe::finish).collect();
        results.into_iter().collect()
    }
}
