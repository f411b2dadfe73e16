//! A history in the order in which things became known: invocations and acknowledgements, merged.

use std::iter::Peekable;

use crate::history::{Call, History, Operation, Process};

/// One moment of a history.
pub(super) enum Step<'a, O: Operation> {
    /// A call begins. Its outcome is known to the reader of the history, not to the one who acted.
    Invoked(Call<'a, O>),
    /// A call ends well.
    Acknowledged(Call<'a, O>),
}

/// Every invocation and every acknowledgement, by index. Needs no memory beside the history.
pub(super) fn walk<O: Operation>(history: &History<O>) -> impl Iterator<Item = Step<'_, O>> {
    let invoked: Peekable<_> = history.calls().peekable();
    let acknowledged: Peekable<_> = history.completed_ok().peekable();
    Merge { invoked, acknowledged }
}

struct Merge<I: Iterator, J: Iterator> {
    invoked: Peekable<I>,
    acknowledged: Peekable<J>,
}

impl<'a, O, I, J> Iterator for Merge<I, J>
where
    O: Operation,
    I: Iterator<Item = Call<'a, O>>,
    J: Iterator<Item = Call<'a, O>>,
{
    type Item = Step<'a, O>;

    fn next(&mut self) -> Option<Step<'a, O>> {
        let acknowledged = self.acknowledged.peek().and_then(|call| call.completed);
        match (self.invoked.peek().map(|call| call.invoked), acknowledged) {
            (Some(invoked), Some(acknowledged)) if acknowledged < invoked => {
                self.acknowledged.next().map(Step::Acknowledged)
            }
            (Some(_), _) => self.invoked.next().map(Step::Invoked),
            (None, _) => self.acknowledged.next().map(Step::Acknowledged),
        }
    }
}

/// The process id of a client; `None` for the nemesis.
pub(super) fn client(process: Process) -> Option<u32> {
    match process {
        Process::Client(id) => Some(id),
        Process::Nemesis => None,
    }
}

/// Index of the last event of any write. A read invoked after it sees everything that was ever acknowledged.
pub(super) fn last_write<O: Operation>(history: &History<O>) -> Option<u64> {
    history
        .calls()
        .filter(|call| !call.op.is_read_only())
        .map(|call| call.completed.unwrap_or(call.invoked))
        .max()
}
