//! What one client did in one lap.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::history::{Cause, Clock, Nanos, NodeName, Process};
use crate::measure::Distribution;
use crate::run::record::Journal;
use crate::workload::Answer;
use crate::workload::bench::{Crowd, Effort, Task, Tasks};

/// Counts and times one client's tasks; copies share the same sheet.
#[derive(Clone)]
pub(super) struct Meter {
    clock: Clock,
    sheet: Arc<Mutex<Sheet>>,
}

/// What it counts.
#[derive(Clone, Debug)]
pub(super) struct Sheet {
    /// Tasks that may still be begun; `None`: any number.
    left: Option<u32>,
    /// When the task that is under way was begun, its failed attempts included.
    open: Option<Nanos>,
    pub(super) first: Option<Nanos>,
    pub(super) last: Nanos,
    pub(super) acknowledged: u64,
    pub(super) warned: u64,
    pub(super) unknown: u64,
    pub(super) given_up: u64,
    pub(super) failed: u64,
    pub(super) retries: u64,
    pub(super) latency: Distribution,
    /// Why the last attempt that failed did.
    pub(super) failure: Option<Cause>,
}

impl Meter {
    /// For a client that has `each` tasks to do, or any number.
    pub(super) fn new(clock: Clock, each: Option<u32>) -> Meter {
        let sheet = Sheet {
            left: each,
            open: None,
            first: None,
            last: Nanos(0),
            acknowledged: 0,
            warned: 0,
            unknown: 0,
            given_up: 0,
            failed: 0,
            retries: 0,
            latency: Distribution::new(),
            failure: None,
        };
        Meter { clock, sheet: Arc::new(Mutex::new(sheet)) }
    }

    /// What it has counted.
    pub(super) fn sheet(&self) -> Sheet {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Sheet> {
        self.sheet.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal<Task> for Meter {
    fn invokes(&self, _process: Process, _node: NodeName, _task: Task) {
        let now = self.clock.now();
        let mut sheet = self.lock();
        sheet.first.get_or_insert(now);
        sheet.open.get_or_insert(now);
    }

    fn completes(&self, _process: Process, _node: NodeName, answer: Answer<Effort>) {
        let now = self.clock.now();
        let mut sheet = self.lock();
        sheet.last = now;
        let effort = match answer {
            // It certainly did nothing, so it is still to be done, and who waits for it goes on waiting.
            Answer::Fail(cause) => {
                sheet.failed += 1;
                sheet.failure = Some(cause);
                sheet.left = sheet.left.map(|left| left + 1);
                return;
            }
            Answer::Info(_) => {
                sheet.unknown += 1;
                sheet.open = None;
                return;
            }
            Answer::Ok { reply, warning } => {
                sheet.warned += u64::from(warning.is_some() && !reply.given_up);
                reply
            }
        };
        let begun = sheet.open.take().unwrap_or(now);
        sheet.retries += u64::from(effort.retries);
        if effort.given_up {
            sheet.given_up += 1;
        } else {
            sheet.acknowledged += 1;
            sheet.latency.add(now.since(begun));
        }
    }
}

/// The tasks of one client, as long as any is left.
pub(super) struct Quota {
    pub(super) tasks: Tasks,
    pub(super) crowd: Crowd,
    pub(super) meter: Meter,
}

impl Iterator for Quota {
    type Item = Task;

    fn next(&mut self) -> Option<Task> {
        let mut sheet = self.meter.lock();
        match &mut sheet.left {
            None => {}
            Some(0) => return None,
            Some(left) => *left -= 1,
        }
        // Whose task certainly did nothing has it done again, so it is not the next one's turn.
        let place = sheet.acknowledged + sheet.unknown + sheet.given_up;
        drop(sheet);
        self.tasks.next().map(|task| self.crowd.assign(task, place))
    }
}
