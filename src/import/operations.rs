//! Operations that are no transactions: collected first, since only the whole history says what they are of.

use super::calls::Calls;
use super::error::{Fault, Place, Result};
use super::event::{Event, Type};
use super::jepsen::Moment;
use super::tape::{Item, Tape};
use crate::history::txn::{Refused, Status};
use crate::history::{Nanos, NodeName};
use crate::suggest::hint;

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Transfer,
    Add,
    Write,
    CompareAndSet,
    Read,
}

impl Function {
    const ALL: [(&'static str, Function); 5] = [
        ("transfer", Function::Transfer),
        ("add", Function::Add),
        ("write", Function::Write),
        ("cas", Function::CompareAndSet),
        ("read", Function::Read),
    ];

    pub(super) fn name(self) -> &'static str {
        Function::ALL.iter().find(|(_, function)| *function == self).map_or("", |(name, _)| name)
    }

    fn find(name: Option<&str>, place: Place) -> Result<Function> {
        let Some(name) = name else { return Fault::at(place, "this invocation has no `:f`") };
        if let Some((_, function)) = Function::ALL.iter().find(|(known, _)| *known == name) {
            return Ok(*function);
        }
        let near = hint(name, Function::ALL.iter().map(|(name, _)| *name).chain(["txn"]));
        let message = format!(
            "`:f :{name}` is of no workload that is read here{near}: :txn; :transfer and :read of a bank; \
             :add and :read of a set or a counter; :read, :write and :cas of a register"
        );
        Fault::at(place, message)
    }
}

/// An operation as it was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) function: Function,
    pub(super) process: u32,
    pub(super) node: NodeName,
    pub(super) invoked: u32,
    pub(super) completed: Option<u32>,
    pub(super) start: Nanos,
    pub(super) end: Nanos,
    pub(super) status: Status,
    /// Where it was invoked, and its value there.
    pub(super) asked: (Place, u32),
    /// Where it completed, and its value there.
    pub(super) answered: (Place, u32),
}

/// The operations so far.
#[derive(Debug, Default)]
pub(super) struct Collected {
    pub(super) calls: Vec<Call>,
    pub(super) values: Tape,
    open: Calls<usize>,
}

impl Collected {
    pub(super) fn event(&mut self, event: &Event<'_>, moment: Moment) -> Result<()> {
        let place = event.place;
        let Moment { event: number, time } = moment;
        match event.r#type {
            Type::Invoke => {
                self.open.may_begin(event.process, place)?;
                let value = (place, self.keep(event.value, place)?);
                self.open.begin(event.process, place, self.calls.len());
                self.calls.push(Call {
                    function: Function::find(event.f, place)?,
                    process: event.process,
                    node: event.node.map_or_else(NodeName::primary, NodeName::new),
                    invoked: number,
                    completed: None,
                    start: time,
                    end: time,
                    status: Status::Info,
                    asked: value,
                    answered: value,
                });
            }
            Type::Complete(status) => {
                let call = self.open.end(event.process, place)?;
                let value = (place, self.keep(event.value, place)?);
                let call = &mut self.calls[call];
                (call.status, call.completed, call.end, call.answered) = (status, Some(number), time, value);
            }
        }
        Ok(())
    }

    /// What a call was asked to do.
    pub(super) fn asked(&self, call: &Call) -> (Item<'_>, Place) {
        (self.values.at(call.asked.1), call.asked.0)
    }

    /// What a read saw; `None`: nobody knows.
    pub(super) fn seen(&self, call: &Call) -> Option<(Item<'_>, Place)> {
        (call.status == Status::Ok).then(|| (self.values.at(call.answered.1), call.answered.0))
    }

    fn keep(&mut self, value: Option<Item<'_>>, place: Place) -> Result<u32> {
        let kept = match value {
            Some(value) => self.values.keep(value),
            None => self.values.keep(Tape::nil().item()),
        };
        kept.ok_or_else(|| Fault::refused(place)(Refused::TooMany(u64::from(u32::MAX), "values")))
    }
}
