//! Keys and values as numbers: the tables hold nothing else.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::history::txn::{Key, Mop, MopId, Txns, Value};

/// A key or a value that is no number in the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbered {
    /// What it is called there.
    pub text: String,
    /// Whether it is a key.
    pub is_key: bool,
    /// The number that stands for it.
    pub number: i64,
}

/// Every key's and every value's number.
pub(super) struct Numbers {
    keys: BTreeMap<Key, i64>,
    values: BTreeMap<Value, i64>,
    numbered: Vec<Numbered>,
}

impl Numbers {
    /// Numbers stay what they are; texts get the smallest ones above zero that are free.
    pub(super) fn new(txns: &Txns) -> Numbers {
        let mut all: BTreeSet<Value> = BTreeSet::new();
        for mop in 0..txns.mops() as MopId {
            match txns.mop(mop) {
                (_, _, Mop::Append(value) | Mop::Write(value) | Mop::Read(Some(value))) => {
                    all.insert(value);
                }
                (_, key, Mop::List(list)) => all.extend(txns.list(key, list)),
                (_, _, Mop::Read(None) | Mop::Unread) => {}
            }
        }
        let keys: Vec<Key> = (0..txns.keys() as Key).collect();
        let mut numbered = Vec::new();
        let named = keys.iter().map(|&key| (key, txns.key_name(key)));
        let keys = given(named, true, &mut numbered);
        let values = given(all.iter().map(|&value| (value, txns.show(value))), false, &mut numbered);
        Numbers { keys, values, numbered }
    }

    pub(super) fn key(&self, key: Key) -> i64 {
        self.keys.get(&key).copied().unwrap_or_default()
    }

    pub(super) fn value(&self, value: Value) -> i64 {
        self.values.get(&value).copied().unwrap_or_default()
    }

    pub(super) fn numbered(self) -> Vec<Numbered> {
        self.numbered
    }
}

fn given<'t, T: Ord + Copy>(
    shown: impl Iterator<Item = (T, Cow<'t, str>)>,
    is_key: bool,
    numbered: &mut Vec<Numbered>,
) -> BTreeMap<T, i64> {
    let mut numbers: BTreeMap<T, i64> = BTreeMap::new();
    let mut texts: Vec<(T, String)> = Vec::new();
    for (what, shown) in shown {
        match shown.parse() {
            // A text that looks like a number is shown as a text is: from where it is kept.
            Ok(number) if matches!(shown, Cow::Owned(_)) => {
                numbers.insert(what, number);
            }
            _ => texts.push((what, shown.into_owned())),
        }
    }
    let taken: BTreeSet<i64> = numbers.values().copied().collect();
    let free = (1i64..).filter(|number| !taken.contains(number));
    for ((what, text), number) in texts.into_iter().zip(free) {
        numbers.insert(what, number);
        numbered.push(Numbered { text, is_key, number });
    }
    numbers
}
