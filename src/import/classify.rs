//! Which workload operations are of, and the operations of it.

use rustc_hash::FxHashSet;

use super::Imported;
use super::error::{Fault, Place, Result};
use super::operations::{Call, Collected, Function};
use super::tape::{Item, Shape};
use super::value::{excerpt, integer, value};
use super::workload::{BankAction, CounterAction, Operation, Operations, RegisterAction, SetAction};
use crate::history::txn::{Value, Values};

/// The history that was collected.
pub(super) fn classify(collected: &Collected) -> Result<Imported> {
    let has = |function| collected.calls.iter().any(|call| call.function == function);
    let keyed = are_keyed(collected);
    let reads = collected.calls.iter().filter(|call| call.function == Function::Read);
    let first = reads
        .filter_map(|call| parts(collected, call, keyed).seen)
        .map(|(item, _)| item)
        .find(|item| !item.is_nil());
    let shape = first.and_then(Item::shape);
    if has(Function::Transfer) || shape == Some(Shape::Map) {
        return operations(collected, &[Function::Transfer, Function::Read], false, bank).map(Imported::Bank);
    }
    let is_register = has(Function::Write) || has(Function::CompareAndSet);
    if !is_register && (has(Function::Add) || shape.is_some()) {
        let known = [Function::Add, Function::Read];
        if first.is_some_and(|item| item.integer().is_some()) {
            return operations(collected, &known, keyed, counter).map(Imported::Counter);
        }
        return operations(collected, &known, keyed, set).map(Imported::Set);
    }
    let known = [Function::Read, Function::Write, Function::CompareAndSet];
    operations(collected, &known, keyed, register).map(Imported::CasRegister)
}

/// What a call is about.
struct Parts<'t> {
    /// Which of several objects.
    key: Option<Item<'t>>,
    /// What it was asked to do, and where.
    asked: (Item<'t>, Place),
    /// What a read saw; `None`: nobody knows.
    seen: Option<(Item<'t>, Place)>,
}

fn parts<'t>(collected: &'t Collected, call: &Call, keyed: bool) -> Parts<'t> {
    let (asked, seen) = (collected.asked(call), collected.seen(call));
    match asked.0.sequence::<2>() {
        Some([key, argument]) if keyed => {
            let half = |(pair, place): (Item<'t>, Place)| Some((pair.members().nth(1)?, place));
            Parts { key: Some(key), asked: (argument, asked.1), seen: seen.and_then(half) }
        }
        _ => Parts { key: None, asked, seen },
    }
}

/// Whether every value is `[key value]`, as Jepsen has it for objects that are independent of each other; also what reads
/// are asked, so that it is no set of pairs.
fn are_keyed(collected: &Collected) -> bool {
    let is_pair = |item: Item<'_>| item.sequence::<2>().is_some();
    collected.calls.iter().all(|call| {
        let (asked, _) = collected.asked(call);
        match (asked.sequence::<2>(), call.function) {
            (Some([_, argument]), Function::CompareAndSet) => is_pair(argument),
            (Some(_), _) => collected.seen(call).is_none_or(|(seen, _)| is_pair(seen)),
            (None, _) => false,
        }
    })
}

fn operations<A>(
    collected: &Collected,
    known: &[Function],
    keyed: bool,
    action: impl Fn(&Call, &Parts<'_>, &mut Values) -> Result<A>,
) -> Result<Operations<A>> {
    let mut values = Values::default();
    let mut all = Vec::with_capacity(collected.calls.len());
    for call in &collected.calls {
        if !known.contains(&call.function) {
            let names: Vec<String> = known.iter().map(|function| format!(":{}", function.name())).collect();
            let message = format!("`:f :{}` in a history of {}", call.function.name(), names.join(", "));
            return Fault::at(call.asked.0, message);
        }
        let parts = parts(collected, call, keyed);
        let key = parts.key.map(|key| value(&mut values, key, parts.asked.1)).transpose()?;
        let action = action(call, &parts, &mut values)?;
        let &Call { process, node, invoked, completed, start, end, status, .. } = call;
        all.push(Operation { process, node, key, invoked, completed, start, end, status, action });
    }
    Ok(Operations { all, values })
}

fn bank(call: &Call, parts: &Parts<'_>, values: &mut Values) -> Result<BankAction> {
    if call.function == Function::Read {
        let Some((seen, place)) = parts.seen else { return Ok(BankAction::Read(None)) };
        if seen.shape() != Some(Shape::Map) {
            return Fault::at(
                place,
                format!("a read of a bank is {{account balance, …}}, not {}", excerpt(seen)),
            );
        }
        let mut balances = Vec::new();
        let mut accounts = FxHashSet::default();
        for (name, balance) in seen.entries() {
            let balance = if balance.is_nil() { None } else { Some(integer(balance, "a balance", place)?) };
            let account = account(values, name, place)?;
            if !accounts.insert(account) {
                let name = values.show(account);
                return Fault::at(place, format!("account {name} is there twice in {}", excerpt(seen)));
            }
            balances.push((account, balance));
        }
        return Ok(BankAction::Read(Some(balances)));
    }
    let (asked, place) = parts.asked;
    let (Some(from), Some(to), Some(amount)) = (asked.get("from"), asked.get("to"), asked.get("amount"))
    else {
        return Fault::at(
            place,
            format!("a transfer is {{:from a, :to b, :amount n}}, not {}", excerpt(asked)),
        );
    };
    let (from, to) = (account(values, from, place)?, account(values, to, place)?);
    Ok(BankAction::Transfer { from, to, amount: integer(amount, "an `:amount`", place)? })
}

/// An account's name. JSON has no other keys than texts: one that is an integer is that integer.
fn account(values: &mut Values, name: Item<'_>, place: Place) -> Result<Value> {
    match name.text().and_then(|text| text.parse().ok()) {
        Some(integer) => Ok(values.integer(integer)),
        None => value(values, name, place),
    }
}

fn set(call: &Call, parts: &Parts<'_>, values: &mut Values) -> Result<SetAction> {
    if call.function == Function::Add {
        let (asked, place) = parts.asked;
        return Ok(SetAction::Add(value(values, asked, place)?));
    }
    let Some((seen, place)) = parts.seen else { return Ok(SetAction::Read(None)) };
    if !seen.is_nil() && !matches!(seen.shape(), Some(Shape::Set | Shape::Sequence)) {
        return Fault::at(place, format!("a read of a set is #{{…}} or […], not {}", excerpt(seen)));
    }
    let elements = seen.members().map(|element| value(values, element, place)).collect::<Result<_>>()?;
    Ok(SetAction::Read(Some(elements)))
}

fn counter(call: &Call, parts: &Parts<'_>, _: &mut Values) -> Result<CounterAction> {
    if call.function == Function::Add {
        let (asked, place) = parts.asked;
        return Ok(CounterAction::Add(integer(asked, "what is added to a counter", place)?));
    }
    let Some((seen, place)) = parts.seen else { return Ok(CounterAction::Read(None)) };
    Ok(CounterAction::Read(Some(integer(seen, "a read of a counter", place)?)))
}

fn register(call: &Call, parts: &Parts<'_>, values: &mut Values) -> Result<RegisterAction> {
    let (asked, place) = parts.asked;
    match call.function {
        Function::Write => Ok(RegisterAction::Write(value(values, asked, place)?)),
        Function::CompareAndSet => {
            let Some([old, new]) = asked.sequence::<2>() else {
                return Fault::at(place, format!("a :cas takes [old new], not {}", excerpt(asked)));
            };
            Ok(RegisterAction::CompareAndSet {
                old: value(values, old, place)?,
                new: value(values, new, place)?,
            })
        }
        _ => {
            let seen = parts.seen.filter(|(seen, _)| !seen.is_nil());
            let seen = seen.map(|(seen, place)| value(values, seen, place)).transpose()?;
            Ok(RegisterAction::Read(seen))
        }
    }
}
