//! A lap that lasts as long as planned, with a nemesis beside the clients.

use std::sync::Arc;

use tokio::sync::watch;

use super::design::Design;
use super::ground::Ground;
use super::lap::Crew;
use crate::history::{FaultOp, Header, History, Nanos, Outcome, file};
use crate::run::execute::RunError;
use crate::run::injector::Injector;
use crate::run::nemesis::{Nemesis, Recorded};
use crate::run::record::Recorder;
use crate::topology::Topology;

/// The clients go on for a moment after the last node has come back.
const AFTER_LAST_FAULT: Nanos = Nanos::from_millis(300);

impl Ground {
    /// Lets `crew` work for `time`, and until the schedule is done and healed. Answers whether it was not interrupted, and
    /// what was done to whom.
    pub(super) async fn troubled(
        &self,
        topology: &Arc<Topology>,
        design: &Design,
        crew: Crew,
        time: Nanos,
        number: u32,
    ) -> Result<(Option<super::lap::Tallied>, Vec<String>), RunError> {
        let path = self.dir().history(&format!("faults-{number}"));
        let header = Header { workload: "nemesis".to_owned(), concurrency: 1 };
        let (recorder, scribe) = Recorder::start(&path, &header)?;
        recorder.begin(crew.clock());
        let (_stop, stopped) = watch::channel(false);
        let witness = Recorded { recorder, progress: self.progress() };
        let nemesis = Nemesis {
            injector: Injector::new(Arc::clone(topology), witness),
            clock: crew.clock(),
            stop: stopped,
        };
        let worked = self.work(topology, design, &crew, &nemesis, time).await;
        // Clients that wait for a node which is paused are answered by the healing.
        let heal = async { if matches!(worked, Ok(true)) { nemesis.injector.heal().await } else { Ok(()) } };
        let (tallied, healed) = tokio::join!(crew.end(), heal);
        scribe.finish()?;
        healed?;
        let tallied = tallied?;
        let seen = file::read::<FaultOp>(&path).map_err(|error| RunError::Lab(error.to_string()))?;
        Ok((worked?.then_some(tallied), words(&seen.history)))
    }

    async fn work(
        &self,
        topology: &Topology,
        design: &Design,
        crew: &Crew,
        nemesis: &Nemesis,
        time: Nanos,
    ) -> Result<bool, RunError> {
        let mut interrupt = self.interrupt();
        let clock = crew.clock();
        let planned = async {
            nemesis.run(&design.plan.faults).await?;
            let until =
                time.max(if design.plan.faults.is_empty() { time } else { clock.now() + AFTER_LAST_FAULT });
            tokio::time::sleep_until(clock.instant(until).into()).await;
            Ok::<_, RunError>(())
        };
        tokio::select! {
            done = planned => done.map(|()| true),
            // Tasks without end are done only when nobody can go on.
            done = crew.done(topology, &mut interrupt) => match done? {
                true => Err(RunError::Lab("the clients ended before their time".to_owned())),
                false => Ok(false),
            },
        }
    }
}

/// What was done to whom, and when, in words.
fn words(history: &History<FaultOp>) -> Vec<String> {
    let done = history.calls().filter_map(|call| {
        let FaultOp::Act { action, .. } = call.op else { return None };
        let at = call.start.as_secs_f64();
        Some(match &call.outcome {
            Outcome::Ok { .. } => format!("{action} {} at {at:.2} s", call.node),
            Outcome::Fail(cause) => {
                format!("{action} {} at {at:.2} s was not possible: {}", call.node, cause.message)
            }
            Outcome::Info(_) => format!("{action} {} at {at:.2} s did not take hold", call.node),
        })
    });
    done.collect()
}
