//! Which workload operations are of, and the operations of it.

use super::Imported;
use super::error::{Fault, Place, Result};
use super::operations::{Call, Collected, Function};
use super::tape::{Item, Shape};
use super::value::{excerpt, integer, value};
use super::workload::{
    BankAction, CounterAction, Operation, Operations, RegisterAccess, RegisterAction, SetAction,
};
use crate::history::txn::{Value, Values};

/// The history that was collected.
pub(super) fn classify(collected: &Collected) -> Result<Imported> {
    let has = |function| collected.calls.iter().any(|call| call.function == function);
    let reads = collected.calls.iter().filter(|call| call.function == Function::Read);
    let first =
        reads.filter_map(|call| collected.seen(call)).map(|(item, _)| item).find(|item| !item.is_nil());
    let shape = first.and_then(Item::shape);
    if has(Function::Transfer) || shape == Some(Shape::Map) {
        return operations(collected, &[Function::Transfer, Function::Read], bank).map(Imported::Bank);
    }
    let is_register = has(Function::Write) || has(Function::CompareAndSet);
    if !is_register && (has(Function::Add) || shape.is_some()) {
        let known = [Function::Add, Function::Read];
        if first.is_some_and(|item| item.integer().is_some()) {
            return operations(collected, &known, counter).map(Imported::Counter);
        }
        return operations(collected, &known, set).map(Imported::Set);
    }
    let known = [Function::Read, Function::Write, Function::CompareAndSet];
    if are_keyed(collected) {
        return operations(collected, &known, keyed).map(Imported::CasRegister);
    }
    operations(collected, &known, register).map(Imported::CasRegister)
}

fn operations<A>(
    collected: &Collected,
    known: &[Function],
    action: impl Fn(&Collected, &Call, &mut Values) -> Result<A>,
) -> Result<Operations<A>> {
    let mut values = Values::default();
    let mut all = Vec::with_capacity(collected.calls.len());
    for call in &collected.calls {
        if !known.contains(&call.function) {
            let names: Vec<String> = known.iter().map(|function| format!(":{}", function.name())).collect();
            let message = format!("`:f :{}` in a history of {}", call.function.name(), names.join(", "));
            return Fault::at(call.asked.0, message);
        }
        let action = action(collected, call, &mut values)?;
        let &Call { process, node, invoked, completed, start, end, status, .. } = call;
        all.push(Operation { process, node, invoked, completed, start, end, status, action });
    }
    Ok(Operations { all, values })
}

fn bank(collected: &Collected, call: &Call, values: &mut Values) -> Result<BankAction> {
    if call.function == Function::Read {
        let Some((seen, place)) = collected.seen(call) else { return Ok(BankAction::Read(None)) };
        if seen.shape() != Some(Shape::Map) {
            return Fault::at(
                place,
                format!("a read of a bank is {{account balance, …}}, not {}", excerpt(seen)),
            );
        }
        let mut balances = Vec::new();
        for (name, balance) in seen.entries() {
            let balance = if balance.is_nil() { None } else { Some(integer(balance, "a balance", place)?) };
            balances.push((account(values, name, place)?, balance));
        }
        return Ok(BankAction::Read(Some(balances)));
    }
    let (asked, place) = collected.asked(call);
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

fn set(collected: &Collected, call: &Call, values: &mut Values) -> Result<SetAction> {
    if call.function == Function::Add {
        let (asked, place) = collected.asked(call);
        return Ok(SetAction::Add(value(values, asked, place)?));
    }
    let Some((seen, place)) = collected.seen(call) else { return Ok(SetAction::Read(None)) };
    if !seen.is_nil() && !matches!(seen.shape(), Some(Shape::Set | Shape::Sequence)) {
        return Fault::at(place, format!("a read of a set is #{{…}} or […], not {}", excerpt(seen)));
    }
    let elements = seen.members().map(|element| value(values, element, place)).collect::<Result<_>>()?;
    Ok(SetAction::Read(Some(elements)))
}

fn counter(collected: &Collected, call: &Call, _: &mut Values) -> Result<CounterAction> {
    if call.function == Function::Add {
        let (asked, place) = collected.asked(call);
        return Ok(CounterAction::Add(integer(asked, "what is added to a counter", place)?));
    }
    let Some((seen, place)) = collected.seen(call) else { return Ok(CounterAction::Read(None)) };
    Ok(CounterAction::Read(Some(integer(seen, "a read of a counter", place)?)))
}

/// Whether every value is `[key value]`, as Jepsen has it for registers that are independent of each other.
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

/// The key or the value of `[key value]`.
fn half(pair: Item<'_>, which: usize) -> Option<Item<'_>> {
    pair.members().nth(which)
}

fn keyed(collected: &Collected, call: &Call, values: &mut Values) -> Result<RegisterAction> {
    let (asked, place) = collected.asked(call);
    let key = half(asked, 0).map(|key| value(values, key, place)).transpose()?;
    let seen = collected.seen(call).and_then(|(seen, place)| Some((half(seen, 1)?, place)));
    let argument = half(asked, 1).unwrap_or(asked);
    Ok(RegisterAction { key, access: access(call, (argument, place), seen, values)? })
}

fn register(collected: &Collected, call: &Call, values: &mut Values) -> Result<RegisterAction> {
    let access = access(call, collected.asked(call), collected.seen(call), values)?;
    Ok(RegisterAction { key: None, access })
}

fn access(
    call: &Call,
    (asked, place): (Item<'_>, Place),
    seen: Option<(Item<'_>, Place)>,
    values: &mut Values,
) -> Result<RegisterAccess> {
    match call.function {
        Function::Write => Ok(RegisterAccess::Write(value(values, asked, place)?)),
        Function::CompareAndSet => {
            let Some([old, new]) = asked.sequence::<2>() else {
                return Fault::at(place, format!("a :cas takes [old new], not {}", excerpt(asked)));
            };
            Ok(RegisterAccess::CompareAndSet {
                old: value(values, old, place)?,
                new: value(values, new, place)?,
            })
        }
        _ => {
            let seen = seen.filter(|(seen, _)| !seen.is_nil());
            let seen = seen.map(|(seen, place)| value(values, seen, place)).transpose()?;
            Ok(RegisterAccess::Read(seen))
        }
    }
}
