//! Transactions of micro-operations: `[[:append x 1] [:r y [1 2]]]` on lists, `[[:w x 1] [:r y 2]]` on registers.

use rustc_hash::FxHashMap;

use super::calls::Calls;
use super::error::{Fault, Place, Result};
use super::event::{Event, Type};
use super::jepsen::Moment;
use super::tape::{Item, Shape};
use super::value::{excerpt, value};
use crate::history::NodeName;
use crate::history::txn::{Builder, Refused, Seen, Status, TxnId, Txns, Value};

/// The node of transactions that name none, as [`NodeName::primary`].
const UNNAMED: &str = "primary";

/// What the keys hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Model {
    Lists,
    Registers,
}

/// A micro-operation before it is known what the keys hold.
#[derive(Clone, Copy, Debug)]
enum Step {
    Append(Value),
    Write(Value),
    /// These of the elements that were read last.
    List(usize, usize),
    Scalar(Value),
    /// There was nothing: an empty list, or an empty register.
    Nothing,
    Unread,
}

type Steps = Vec<(Value, Step)>;

/// The transactions so far.
#[derive(Debug, Default)]
pub(super) struct Transactions {
    builder: Builder,
    calls: Calls<(TxnId, Steps)>,
    nodes: FxHashMap<Box<str>, u16>,
    /// What the keys hold, and where that was seen first.
    model: Option<(Model, Place)>,
    /// Reads of nothing, from before it was known what the keys hold.
    undecided: Vec<(TxnId, Steps)>,
    // Kept, so that nothing is allocated for each transaction.
    steps: Steps,
    elements: Vec<Value>,
    spare: Vec<Steps>,
}

/// Whether this is a sequence of micro-operations, and not an empty one.
pub(super) fn is_transaction(item: Item<'_>) -> bool {
    let is_mop = |item: Item<'_>| {
        item.sequence::<3>().is_some_and(|[f, ..]| matches!(f.name(), Some("r" | "w" | "append")))
    };
    item.shape() == Some(Shape::Sequence) && item.members().next().is_some() && item.members().all(is_mop)
}

impl Transactions {
    pub(super) fn event(&mut self, event: &Event<'_>, moment: Moment) -> Result<()> {
        match event.r#type {
            Type::Invoke => self.invoke(event, moment),
            Type::Complete(status) => self.complete(event, status, moment),
        }
    }

    fn invoke(&mut self, event: &Event<'_>, moment: Moment) -> Result<()> {
        let place = event.place;
        self.calls.may_begin(event.process, place)?;
        let Some(asked) = event.value.filter(|value| value.shape() == Some(Shape::Sequence)) else {
            return Fault::at(place, "the `:value` of a transaction is a sequence of micro-operations");
        };
        let node = self.node(event.node, place)?;
        let invoked = self.builder.invoke(event.process, node, moment.event, moment.time);
        let txn = invoked.map_err(Fault::refused(place))?;
        self.read(asked, Type::Invoke, place)?;
        let mut steps = self.spare.pop().unwrap_or_default();
        steps.clear();
        steps.append(&mut self.steps);
        self.calls.begin(event.process, place, (txn, steps));
        Ok(())
    }

    fn complete(&mut self, event: &Event<'_>, status: Status, moment: Moment) -> Result<()> {
        let place = event.place;
        let (txn, mut asked) = self.calls.end(event.process, place)?;
        self.builder.complete(txn, status, moment.event, moment.time);
        // A transaction that did not come through may say anything of itself, or nothing.
        match event.value.filter(|value| status == Status::Ok || is_transaction(*value)) {
            Some(value) if value.shape() == Some(Shape::Sequence) => {
                self.read(value, event.r#type, place)?;
            }
            None if status != Status::Ok => {
                self.steps.clear();
                self.steps.append(&mut asked);
            }
            _ => {
                let message = "the `:value` of a transaction that is :ok is a sequence of micro-operations";
                return Fault::at(place, message);
            }
        }
        self.spare.push(asked);
        let has_nothing = self.steps.iter().any(|(_, step)| matches!(step, Step::Nothing));
        if self.model.is_none() && has_nothing {
            self.undecided.push((txn, std::mem::take(&mut self.steps)));
            return Ok(());
        }
        let model = self.model.map_or(Model::Lists, |(model, _)| model);
        add(&mut self.builder, txn, &self.steps, &self.elements, model).map_err(Fault::refused(place))
    }

    /// No more events.
    pub(super) fn finish(mut self) -> Result<Txns> {
        let model = self.model.map_or(Model::Lists, |(model, _)| model);
        let mut rest: Vec<(TxnId, Steps)> = self.calls.open().collect();
        rest.append(&mut self.undecided);
        rest.sort_unstable_by_key(|(txn, _)| *txn);
        for (txn, steps) in &rest {
            add(&mut self.builder, *txn, steps, &[], model).map_err(Fault::refused(Place::START))?;
        }
        Ok(self.builder.finish())
    }

    /// Reads micro-operations into `steps`, and the lists that they read into `elements`.
    fn read(&mut self, value: Item<'_>, r#type: Type, place: Place) -> Result<()> {
        self.steps.clear();
        self.elements.clear();
        for mop in value.members() {
            let Some([f, key, argument]) = mop.sequence::<3>() else { return unknown(mop, place) };
            let step = match f.name() {
                Some("append") => Step::Append(self.value(argument, place)?),
                Some("w") => Step::Write(self.value(argument, place)?),
                Some("r") if r#type == Type::Invoke => Step::Unread,
                Some("r") if argument.is_nil() && r#type == Type::Complete(Status::Ok) => Step::Nothing,
                Some("r") if argument.is_nil() => Step::Unread,
                Some("r") if self.is_list(argument) => self.list(argument, place)?,
                Some("r") => Step::Scalar(self.value(argument, place)?),
                _ => return unknown(mop, place),
            };
            match step {
                Step::Append(_) | Step::List(..) => self.decide(Model::Lists, mop, place)?,
                Step::Write(_) | Step::Scalar(_) => self.decide(Model::Registers, mop, place)?,
                Step::Nothing | Step::Unread => {}
            }
            let key = self.value(key, place)?;
            self.steps.push((key, step));
        }
        Ok(())
    }

    fn is_list(&self, item: Item<'_>) -> bool {
        let holds_lists = !matches!(self.model, Some((Model::Registers, _)));
        holds_lists && item.shape() == Some(Shape::Sequence)
    }

    fn list(&mut self, item: Item<'_>, place: Place) -> Result<Step> {
        let start = self.elements.len();
        for element in item.members() {
            let element = self.value(element, place)?;
            self.elements.push(element);
        }
        Ok(Step::List(start, self.elements.len()))
    }

    #[inline]
    fn value(&mut self, item: Item<'_>, place: Place) -> Result<Value> {
        match item.integer() {
            Some(integer) => Ok(self.builder.values().integer(integer)),
            None => value(self.builder.values(), item, place),
        }
    }

    fn decide(&mut self, seen: Model, mop: Item<'_>, place: Place) -> Result<()> {
        let (model, since) = *self.model.get_or_insert((seen, place));
        if model == seen {
            return Ok(());
        }
        let (here, there) = match seen {
            Model::Lists => ("a list", "registers"),
            Model::Registers => ("a register", "lists"),
        };
        let message = format!(
            "{} is of {here}, but the keys of this history are {there} since line {}",
            excerpt(mop),
            since.line
        );
        Fault::at(place, message)
    }

    fn node(&mut self, name: Option<&str>, place: Place) -> Result<u16> {
        let name = name.unwrap_or(UNNAMED);
        if let Some(&node) = self.nodes.get(name) {
            return Ok(node);
        }
        if self.nodes.len() > usize::from(u16::MAX) {
            return Fault::at(place, format!("there are more than {} nodes", 1 << 16));
        }
        let node = self.builder.node(NodeName::new(name));
        self.nodes.insert(name.into(), node);
        Ok(node)
    }
}

fn unknown<T>(mop: Item<'_>, place: Place) -> Result<T> {
    let message = format!(
        "a micro-operation is [:r key value], [:append key element] or [:w key value], not {}",
        excerpt(mop)
    );
    Fault::at(place, message)
}

fn add(
    builder: &mut Builder,
    txn: TxnId,
    steps: &[(Value, Step)],
    elements: &[Value],
    model: Model,
) -> std::result::Result<(), Refused> {
    let seen = |step| match step {
        Step::Append(value) => Seen::Append(value),
        Step::Write(value) => Seen::Write(value),
        Step::List(start, end) => Seen::List(&elements[start..end]),
        Step::Scalar(value) => Seen::Read(Some(value)),
        Step::Nothing if model == Model::Lists => Seen::List(&[]),
        Step::Nothing => Seen::Read(None),
        Step::Unread => Seen::Unread,
    };
    builder.mops(txn, steps.iter().map(|&(key, step)| (key, seen(step))))
}
