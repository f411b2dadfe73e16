//! Judges a history that somebody else recorded.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use crate::check::bank::{self};
use crate::check::cycle::{Analysis, MODELS, Model, Scope, analyze, show};
use crate::check::linear::{self, Call, CounterOp, Linear, Malformed, RegisterOp, SetOp, Swap};
use crate::history::NodeName;
use crate::history::txn::{Status, Txns, Value};
use crate::import::{BankAction, CounterAction, Operation, Operations, RegisterAction, SetAction};
use crate::report::bank::Bank;
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
    let values = &operations.values;
    let op = |operation: &Operation<RegisterAction>| register(operation.action, operation.status);
    let (calls, names) = calls(operations, "the register", op);
    let found = linear::registers(&calls, BUDGET)?;
    Ok(objects(Object::Register, file, &found, operations, &names, |action| match *action {
        RegisterAction::Read(None) => "read nothing".to_owned(),
        RegisterAction::Read(Some(value)) => format!("read {}", values.show(value)),
        RegisterAction::Write(value) => format!("write {}", values.show(value)),
        RegisterAction::CompareAndSet { old, new } => {
            format!("compare {} and set {}", values.show(old), values.show(new))
        }
    }))
}

/// Judges counters: whether each is linearizable.
pub fn counter(operations: &Operations<CounterAction>, file: &str) -> Result<Objects, Malformed> {
    // A read of unknown answer has no effect, and says nothing.
    let operations = only(operations, |action| *action != CounterAction::Read(None));
    let op = |operation: &Operation<CounterAction>| match operation.action {
        CounterAction::Add(amount) => CounterOp::Add(amount),
        CounterAction::Read(value) => CounterOp::Read(value.unwrap_or(0)),
    };
    let (calls, names) = calls(&operations, "the counter", op);
    let found = linear::counters(&calls, BUDGET)?;
    Ok(objects(Object::Counter, file, &found, &operations, &names, |action| match action {
        CounterAction::Add(amount) => format!("add {amount}"),
        CounterAction::Read(value) => format!("read {}", value.unwrap_or(0)),
    }))
}

/// Judges sets that only grow: whether each is linearizable.
pub fn set(operations: &Operations<SetAction>, file: &str) -> Result<Objects, Malformed> {
    let operations = only(operations, |action| *action != SetAction::Read(None));
    let (calls, names) = calls(&operations, "the set", |operation| match &operation.action {
        SetAction::Add(value) => SetOp::Add(*value),
        SetAction::Read(elements) => SetOp::Read(Cow::Borrowed(elements.as_deref().unwrap_or(&[]))),
    });
    let found = linear::sets(&calls, BUDGET)?;
    Ok(objects(Object::Set, file, &found, &operations, &names, |action| match action {
        SetAction::Add(value) => format!("add {}", operations.values.show(*value)),
        SetAction::Read(elements) => {
            let shown: Vec<Cow<'_, str>> =
                elements.iter().flatten().map(|&value| operations.values.show(value)).collect();
            format!("read {{{}}}", shown.join(" "))
        }
    }))
}

/// Judges a bank: whether the accounts together always hold the same.
pub fn bank(operations: &Operations<BankAction>, file: &str, rules: &bank::Rules) -> Bank {
    let call = |operation: &Operation<BankAction>| {
        let action = match &operation.action {
            &BankAction::Transfer { from, to, amount } => bank::Action::Transfer { from, to, amount },
            BankAction::Read(balances) => bank::Action::Read(balances.clone().unwrap_or_default()),
        };
        let &Operation { node, invoked, completed, status, .. } = operation;
        bank::Call { node, invoked, completed, status, action }
    };
    let calls: Vec<bank::Call> = operations.all.iter().map(call).collect();
    let show = |value: Value| operations.values.show(value).into_owned();
    let shown = |number: u32| {
        let operation = &operations.all[number as usize];
        let did = match &operation.action {
            &BankAction::Transfer { from, to, amount } => {
                format!("move {amount} from {} to {}", show(from), show(to))
            }
            BankAction::Read(balances) => {
                let one = |&(account, balance): &(Value, Option<i64>)| {
                    format!("{} {}", show(account), balance.map_or("nil".to_owned(), |held| held.to_string()))
                };
                format!("read {{{}}}", balances.iter().flatten().map(one).collect::<Vec<_>>().join(", "))
            }
        };
        (operation.process, operation.node, [operation.start, operation.end], operation.status, did)
    };
    Bank::new(file, &bank::check(&calls, rules), rules, show, shown)
}

fn register(action: RegisterAction, status: Status) -> RegisterOp {
    match action {
        RegisterAction::Read(value) => RegisterOp::Read(value),
        RegisterAction::Write(value) => RegisterOp::Write(value),
        RegisterAction::CompareAndSet { old, new } => {
            let swap = if status == Status::Ok { Swap::Swapped } else { Swap::Unknown };
            RegisterOp::Cas { from: Some(old), to: new, swap }
        }
    }
}

/// The operations that did such things.
fn only<A: Clone>(operations: &Operations<A>, is_such: impl Fn(&A) -> bool) -> Operations<A> {
    let all = operations.all.iter().filter(|operation| is_such(&operation.action)).cloned().collect();
    Operations { all, values: operations.values.clone() }
}

/// The calls, and the names of the objects that they are of; that of a history of one is `alone`.
fn calls<'o, A, Op>(
    operations: &'o Operations<A>,
    alone: &str,
    op: impl Fn(&'o Operation<A>) -> Op,
) -> (Vec<Call<Op>>, Vec<String>) {
    let mut keys: FxHashMap<Option<Value>, u32> = FxHashMap::default();
    let mut names: Vec<String> = Vec::new();
    let call = |operation: &'o Operation<A>| {
        let &Operation { process, key, invoked, completed, status, .. } = operation;
        let key = *keys.entry(key).or_insert_with(|| {
            names.push(key.map_or(alone.to_owned(), |key| operations.values.show(key).into_owned()));
            names.len() as u32 - 1
        });
        Call { process, key, invoked, completed, status, op: op(operation) }
    };
    let calls = operations.all.iter().map(call).collect();
    (calls, names)
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
