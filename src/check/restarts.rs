//! When a node was given no chance to write.

use crate::history::{Action, Call, FaultOp, Nanos, NodeName, Operation, Outcome};

use super::Evidence;

/// From the invocation of an abrupt action to the proof that it took hold; somewhere in between, the node died.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// Until here the node was certainly still the old one.
    pub(super) start: Nanos,
    /// From here on it is certainly the new one; the end of time, when nobody saw the action succeed, or be over.
    pub(super) end: Nanos,
}

impl Window {
    /// Of an action; `None` if it certainly did not happen.
    fn of<R>(outcome: &Outcome<'_, R>, start: Nanos, end: Nanos) -> Option<Window> {
        match outcome {
            Outcome::Ok { .. } => Some(Window { start, end }),
            Outcome::Info(_) => Some(Window { start, end: Nanos(u64::MAX) }),
            Outcome::Fail(_) => None,
        }
    }
}

/// The failovers: who follows may have received less than was acknowledged. One that hands over in order is none, where it
/// is the lab that sees to that.
pub(super) fn failovers<O: Operation>(evidence: &Evidence<'_, O>) -> Vec<Window> {
    let moves = evidence.faults.calls().filter(|call| {
        let FaultOp::Act { action, .. } = call.op else { return false };
        action.moves_primary() && (action.leaves_behind().is_some() || evidence.foreign)
    });
    moves.filter_map(|call| Window::of(&call.outcome, call.start, call.end)).collect()
}

/// Where the cluster's log may have lost its end: what is abrupt for the primary of that moment, and another node in its
/// place that may have received less. A primary that was shut down before it was replaced has lost nothing.
pub(super) fn cuts<O: Operation>(evidence: &Evidence<'_, O>) -> Vec<Window> {
    let mut cuts = Vec::new();
    for tenure in evidence.primaries().iter() {
        // The primary may die up to the moment in which another one is there.
        let ended = evidence
            .primaries()
            .iter()
            .find(|next| next.from > tenure.from)
            .map_or(Nanos(u64::MAX), |next| next.from);
        let within = |window: &Window| window.start <= ended && window.end >= tenure.from;
        cuts.extend(abrupt(evidence, tenure.node).into_iter().filter(within));
    }
    cuts.extend(failovers(evidence));
    cuts.sort_by_key(|cut| (cut.start, cut.end));
    cuts.dedup();
    cuts
}

/// The abrupt actions done to `node`, by time. One that certainly did not happen is none. A shutdown that did not end as
/// it was told to may have ended with SIGKILL, so it counts; and so does one of somebody else's, who may kill, and a failure
/// that is simulated, for which the server may be started anew or replaced. After the last fault that is known of a run that
/// was cut there may be one that is not: the histories are not cut at the same moment.
fn abrupt<O: Operation>(evidence: &Evidence<'_, O>, node: NodeName) -> Vec<Window> {
    let unseen = evidence.cut.map(|_| Window { start: evidence.faults.end(), end: Nanos(u64::MAX) });
    let acts = evidence.faults.calls().filter(|call| {
        let went_wrong = matches!(call.outcome, Outcome::Info(_));
        let FaultOp::Act { action, .. } = call.op else { return false };
        let unsure = (went_wrong || evidence.foreign) && action.ends_processes();
        call.node == node && (action.is_abrupt() || unsure || action.lasts() > Nanos(0))
    });
    let acts = acts.filter_map(|call| {
        let FaultOp::Act { action, .. } = call.op else { return None };
        // What is simulated goes on when it is accepted.
        Window::of(&call.outcome, call.start, call.end + action.lasts())
    });
    acts.chain(full(evidence, node)).chain(unseen).collect()
}

/// When the disk of `node` was full. A server that cannot write its log ends as in a crash, and nobody sees when; that it
/// has, or has gone on, is known when there is room again.
fn full<O: Operation>(evidence: &Evidence<'_, O>, node: NodeName) -> Vec<Window> {
    let did = |action: Action| {
        let is = move |op: &FaultOp| matches!(op, FaultOp::Act { action: done, .. } if *done == action);
        evidence.faults.calls().filter(move |call| call.node == node && is(call.op))
    };
    let fills = did(Action::FillDisk).filter(|call| !matches!(call.outcome, Outcome::Fail(_)));
    let window = |fill: Call<'_, FaultOp>| {
        let frees = did(Action::FreeDisk).filter(|free| free.invoked > fill.invoked);
        let freed =
            frees.filter(|free| matches!(free.outcome, Outcome::Ok { .. })).map(|free| free.end).min();
        Window { start: fill.start, end: freed.unwrap_or(Nanos(u64::MAX)) }
    };
    fills.map(window).collect()
}

/// Whether one of `windows` may lie between `earlier` and `later`.
///
/// Between two acknowledged operations: from the *invocation* of the first, since an acknowledgement can be read, and so
/// recorded, after the node that sent it was killed and started again.
pub(super) fn between(windows: &[Window], earlier: Nanos, later: Nanos) -> bool {
    windows.iter().any(|window| window.start <= later && window.end >= earlier)
}

/// Up to when the node's log certainly went on without a cut from an operation that was `invoked` then; its acknowledgement
/// may have been read after the cut, as [`between`] says.
pub(super) fn unbroken_until(windows: &[Window], invoked: Nanos) -> Nanos {
    windows.iter().find(|window| window.end >= invoked).map_or(Nanos(u64::MAX), |window| window.start)
}
