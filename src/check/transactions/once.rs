//! Nothing is applied twice, and nothing is there that nobody asked for.

use std::collections::{BTreeMap, BTreeSet};

use super::observed::observed;
use crate::check::draft::Draft;
use crate::check::text::{count, plural};
use crate::check::{Checker, Claims, Evidence, Guarantee, Judgement};
use crate::history::{Call, Micro, Observed, TxnOp};

/// Judges every value that was read.
pub(in crate::check) struct Once;

impl Checker<TxnOp> for Once {
    fn name(&self) -> &'static str {
        "exactly-once"
    }

    fn guarantees(&self) -> &'static [Guarantee] {
        &[Guarantee::ExactlyOnce]
    }

    fn check(&self, evidence: &Evidence<'_, TxnOp>, claims: &Claims) -> Vec<Judgement> {
        let mut draft = Draft::new(self.name(), Guarantee::ExactlyOnce, None, evidence, claims);
        let written: BTreeSet<(i64, i64)> =
            evidence.history.calls().flat_map(|call| call.op.micros().iter().filter_map(write)).collect();
        let (mut reads, mut twice, mut unasked) = (0u64, BTreeSet::new(), BTreeSet::new());
        // The longest that was looked at of each key: what begins with it need not be looked at again.
        let mut known: BTreeMap<i64, &[i64]> = BTreeMap::new();
        for call in evidence.history.completed_ok() {
            for (key, values) in values(&call) {
                reads += 1;
                let longest = known.entry(key).or_default();
                if longest.starts_with(values) {
                    continue;
                }
                *longest = values;
                let event = call.completed.unwrap_or(call.invoked);
                let mut seen = BTreeSet::new();
                for &value in values {
                    // The first read that shows it tells of it.
                    if !seen.insert(value) && twice.insert((key, value)) {
                        draft.violation(&[event], || format!("{value} is in list {key} more than once"));
                    }
                    if !written.contains(&(key, value)) && unasked.insert((key, value)) {
                        draft.violation(&[event], || {
                            format!("{value} was read of key {key}, and no client ever wrote it there")
                        });
                    }
                }
            }
        }
        if reads == 0 {
            draft.doubt("nothing was read");
        }
        draft.count("reads judged", reads);
        draft.count("elements more than once", twice.len() as u64);
        draft.count("values that nobody wrote", unasked.len() as u64);
        vec![draft.finish(format!(
            "{} of keys judged, {} there more than once, {} that nobody wrote",
            plural(reads, "read"),
            plural(twice.len() as u64, "value"),
            count(unasked.len() as u64)
        ))]
    }
}

fn write(micro: &Micro) -> Option<(i64, i64)> {
    match *micro {
        Micro::Append(key, value) | Micro::Write(key, value) => Some((key, value)),
        Micro::Read(_) => None,
    }
}

/// What a transaction read of each key.
fn values<'a>(call: &Call<'a, TxnOp>) -> Vec<(i64, &'a [i64])> {
    let of = |(key, read): (i64, &'a Observed)| match read {
        Observed::List(elements) => (key, elements.as_slice()),
        Observed::Register(value) => (key, value.as_slice()),
    };
    observed(call).map(of).collect()
}
