//! Judges a history that somebody else recorded.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use crate::check::cycle::{Analysis, MODELS, Model, Scope, analyze, show};
use crate::check::linear::{self, Call, CounterOp, Linear, Malformed, RegisterOp, SetOp, Swap};
use crate::history::NodeName;
use crate::history::txn::{Status, Txns, Value};
use crate::import::{CounterAction, Operation, Operations, RegisterAccess, RegisterAction, SetAction};
use crate::report::objects::{Object, Objects};
use crate::report::transactions::{Source, Transactions};

/// Configurations that a search may explore for one object.
const BUDGET: u64 = 5_000_000;

/// Judges transactions by `model`, or by the strongest that the history can tell of: whole, and each node's readers alone.
pub fn transactions(txns: &Txns, source: &Source, model: Option<&'static Model>) -> Transactions {
    let strongest = || MODELS.iter().rev().find(|model| model.order() <= source.order);
    let model = model.or_else(strongest).unwrap_or(&MODELS[0]);
    let whole = analyze(txns, Scope::Whole, source.order);
    let nodes = if txns.nodes().len() > 1 { txns.nodes() } else { &[] };
    let judge = |(number, name): (u16, &NodeName)| (*name, analyze(txns, Scope::Node(number), source.order));
    let alone: Vec<(NodeName, Analysis)> = (0..).zip(nodes).map(judge).collect();
    Transactions::new(txns, source, model, &whole, &alone)
}

/// Judges each key of transactions that are single operations on it: whether it is linearizable.
pub fn keys(txns: &Txns, file: &str) -> Result<Objects, Malformed> {
    let found = linear::of_txns(txns, BUDGET)?.linear;
    let names: Vec<String> = (0..txns.keys() as u32).map(|key| txns.key_name(key).into_owned()).collect();
    let shown = |id: u32| {
        let txn = txns.txn(id);
        let node = txns.nodes()[usize::from(txn.node)];
        let did: Vec<String> = txns.mops_of(id).map(|mop| show(txns, mop)).collect();
        (txn.process, node, [txn.start, txn.end], txn.status, did.join(", "))
    };
    Ok(Objects::new(Object::Key, file, txns.len() as u64, &found, &names, shown))
}

/// Judges registers: whether each is linearizable.
pub fn registers(operations: &Operations<RegisterAction>, file: &str) -> Result<Objects, Malformed> {
    let mut keys: FxHashMap<Option<Value>, u32> = FxHashMap::default();
    let mut names: Vec<String> = Vec::new();
    let calls: Vec<Call<RegisterOp>> = operations
        .all
        .iter()
        .map(|operation| {
            let key = operation.action.key;
            let number = *keys.entry(key).or_insert_with(|| {
                names.push(
                    key.map_or("the register".to_owned(), |key| operations.values.show(key).into_owned()),
                );
                names.len() as u32 - 1
            });
            call(operation, number, register(operation.action.access, operation.status))
        })
        .collect();
    let found = linear::registers(&calls, BUDGET)?;
    Ok(objects(Object::Register, file, &found, operations, &names, |action| match action.access {
        RegisterAccess::Read(None) => "read nothing".to_owned(),
        RegisterAccess::Read(Some(value)) => format!("read {}", operations.values.show(value)),
        RegisterAccess::Write(value) => format!("write {}", operations.values.show(value)),
        RegisterAccess::CompareAndSet { old, new } => {
            format!("compare {} and set {}", operations.values.show(old), operations.values.show(new))
        }
    }))
}

/// Judges a counter: whether it is linearizable.
pub fn counter(operations: &Operations<CounterAction>, file: &str) -> Result<Objects, Malformed> {
    // A read of unknown answer has no effect, and says nothing.
    let known = |operation: &&Operation<CounterAction>| operation.action != CounterAction::Read(None);
    let operations = Operations {
        all: operations.all.iter().filter(known).cloned().collect(),
        values: operations.values.clone(),
    };
    let op = |action: CounterAction| match action {
        CounterAction::Add(amount) => CounterOp::Add(amount),
        CounterAction::Read(value) => CounterOp::Read(value.unwrap_or(0)),
    };
    let calls: Vec<Call<CounterOp>> =
        operations.all.iter().map(|operation| call(operation, 0, op(operation.action))).collect();
    let found = linear::counters(&calls, BUDGET)?;
    let names = ["the counter".to_owned()];
    Ok(objects(Object::Counter, file, &found, &operations, &names, |action| match action {
        CounterAction::Add(amount) => format!("add {amount}"),
        CounterAction::Read(value) => format!("read {}", value.unwrap_or(0)),
    }))
}

/// Judges a set that only grows: whether it is linearizable.
pub fn set(operations: &Operations<SetAction>, file: &str) -> Result<Objects, Malformed> {
    let known = |operation: &&Operation<SetAction>| operation.action != SetAction::Read(None);
    let operations = Operations {
        all: operations.all.iter().filter(known).cloned().collect(),
        values: operations.values.clone(),
    };
    let calls: Vec<Call<SetOp<'_>>> = operations
        .all
        .iter()
        .map(|operation| {
            let op = match &operation.action {
                SetAction::Add(value) => SetOp::Add(*value),
                SetAction::Read(elements) => SetOp::Read(Cow::Borrowed(elements.as_deref().unwrap_or(&[]))),
            };
            call(operation, 0, op)
        })
        .collect();
    let found = linear::sets(&calls, BUDGET)?;
    let names = ["the set".to_owned()];
    Ok(objects(Object::Set, file, &found, &operations, &names, |action| match action {
        SetAction::Add(value) => format!("add {}", operations.values.show(*value)),
        SetAction::Read(elements) => {
            let shown: Vec<Cow<'_, str>> =
                elements.iter().flatten().map(|&value| operations.values.show(value)).collect();
            format!("read {{{}}}", shown.join(" "))
        }
    }))
}

fn register(access: RegisterAccess, status: Status) -> RegisterOp {
    match access {
        RegisterAccess::Read(value) => RegisterOp::Read(value),
        RegisterAccess::Write(value) => RegisterOp::Write(value),
        RegisterAccess::CompareAndSet { old, new } => {
            let swap = if status == Status::Ok { Swap::Swapped } else { Swap::Unknown };
            RegisterOp::Cas { from: Some(old), to: new, swap }
        }
    }
}

fn call<A, Op>(operation: &Operation<A>, key: u32, op: Op) -> Call<Op> {
    let &Operation { process, invoked, completed, status, .. } = operation;
    Call { process, key, invoked, completed, status, op }
}

fn objects<A>(
    object: Object,
    file: &str,
    found: &Linear,
    operations: &Operations<A>,
    names: &[String],
    show: impl Fn(&A) -> String,
) -> Objects {
    let shown = |number: u32| {
        let operation = &operations.all[number as usize];
        let times = [operation.start, operation.end];
        (operation.process, operation.node, times, operation.status, show(&operation.action))
    };
    Objects::new(object, file, operations.all.len() as u64, found, names, shown)
}
