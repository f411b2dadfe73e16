//! The load of a history: which of its operations belong to it, in a form that every figure is computed from.
//!
//! The load's operations are those invoked from the first invocation of a write to the last completion of one. A read
//! of the same kind that was invoked before or after is the baseline or a final read: it belongs to no rate, no latency
//! and no lag. A history without writes is load from its first to its last load operation.
//!
//! Its window is from time zero, which is when the load starts, to the last invocation: clients invoke until they are
//! told to stop. How long the last answers then take, up to a deadline, is no time in which there was load.

use crate::history::{Call, Cause, CauseClass, History, Nanos, NodeName, Operation, Outcome};

use super::Window;

/// How an operation ended, as figures tell it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Ok,
    Fail,
    /// A failure that the application's own rule asked for.
    Refused,
    Info,
}

/// One operation, of whatever workload.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample<'a> {
    pub(super) workload: &'a str,
    pub(super) operation: &'static str,
    pub(super) is_write: bool,
    pub(super) node: NodeName,
    pub(super) start: Nanos,
    pub(super) end: Nanos,
    pub(super) ending: Ending,
    pub(super) cause: Option<&'a Cause>,
}

impl<'a> Sample<'a> {
    pub(super) fn of<O: Operation>(history: &'a History<O>, call: &Call<'a, O>) -> Sample<'a> {
        let (ending, cause) = match call.outcome {
            Outcome::Ok { .. } => (Ending::Ok, None),
            Outcome::Fail(cause) if cause.class == CauseClass::Refused => (Ending::Refused, Some(cause)),
            Outcome::Fail(cause) => (Ending::Fail, Some(cause)),
            Outcome::Info(cause) => (Ending::Info, cause),
        };
        Sample {
            workload: &history.header().workload,
            operation: call.op.name(),
            is_write: !call.op.is_read_only(),
            node: call.node,
            start: call.start,
            end: call.end,
            ending,
            cause,
        }
    }

    pub(super) fn latency(&self) -> Nanos {
        self.end.since(self.start)
    }

    /// Whether the client gave up before there was an answer: it would have taken longer than any that came.
    pub(super) fn is_unanswered(&self) -> bool {
        let gave_up = self.cause.is_some_and(|cause| cause.class == CauseClass::Deadline);
        self.ending == Ending::Info || gave_up
    }

    /// Whether the node did what it was asked, or said by its own rule that it would not.
    pub(super) fn is_served(&self) -> bool {
        matches!(self.ending, Ending::Ok | Ending::Refused)
    }
}

/// The part of a history that is load: from the event `first` to the event `last`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    first: u64,
    last: u64,
    pub(super) window: Window,
}

impl Load {
    /// `None`: the history has no load.
    pub(super) fn of<O: Operation>(history: &History<O>) -> Option<Load> {
        let loads = || history.calls().filter(|call| call.op.is_load());
        let writes = || history.calls().filter(|call| !call.op.is_read_only());
        let mut load = Load::spanning(writes()).or_else(|| Load::spanning(loads()))?;
        let invocations = loads().filter(|call| load.contains(call)).map(|call| call.start);
        load.window.end = invocations.max().unwrap_or_default();
        Some(load)
    }

    fn spanning<'a, O: Operation>(calls: impl Iterator<Item = Call<'a, O>>) -> Option<Load> {
        calls.fold(None, |load, call| {
            let completed = call.completed.unwrap_or(u64::MAX);
            let alone = Load { first: call.invoked, last: completed, window: Window::default() };
            Some(load.map_or(alone, |load| Load { last: load.last.max(completed), ..load }))
        })
    }

    pub(super) fn contains<O: Operation>(&self, call: &Call<'_, O>) -> bool {
        call.op.is_load() && (self.first..=self.last).contains(&call.invoked)
    }

    /// From time zero to the last end of several loads; zero of none.
    pub(super) fn hull(loads: impl Iterator<Item = Load>) -> Window {
        let hull = |a: Window, b: Window| Window { start: a.start.min(b.start), end: a.end.max(b.end) };
        loads.map(|load| load.window).reduce(hull).unwrap_or_default()
    }
}
