//! Once the load has ended: does every node hold the same rows?
//!
//! Compares the last digest of every table on every node with the primary's. A replica that was read at an older
//! position of the log than the primary says nothing: it may simply not have been there yet.

use std::collections::BTreeMap;

use crate::history::{
    BUCKET_ROWS, Bucket, CauseClass, History, NodeName, Operation, Outcome, Reply, Table, TableDigest,
};
use crate::lsn::Lsn;

use super::draft::Draft;
use super::text::{count, plural};
use super::walk::last_write;
use super::{Checker, Claims, Evidence, Guarantee, Judgement};

/// Judges the digests of `tables`.
pub(super) struct Convergence {
    /// Every table of the workload; one without a digest leaves the answer unknown.
    pub(super) tables: &'static [Table],
}

/// A digest, and the event that carries it.
type Read<'a> = (&'a TableDigest, u64);

impl<O: Operation> Checker<O> for Convergence {
    fn name(&self) -> &'static str {
        "convergence"
    }

    fn guarantees(&self) -> &'static [Guarantee] {
        &[Guarantee::Convergence]
    }

    fn check(&self, evidence: &Evidence<'_, O>, claims: &Claims) -> Vec<Judgement> {
        let mut draft = Draft::new("convergence", Guarantee::Convergence, None, evidence, claims);
        let digests = digests(evidence.history);
        let lingering = lingering(evidence.history);
        let Some(primary) = evidence.primaries().last() else {
            draft.doubt("nobody knows who is the primary at the end");
            return vec![draft.finish("nothing compared")];
        };
        let replicas: Vec<NodeName> =
            evidence.nodes.iter().copied().filter(|node| *node != primary).collect();
        if replicas.is_empty() {
            draft.doubt("there is no replica to compare with");
            return vec![draft.finish("nothing compared")];
        }
        let (mut compared, mut rows, mut differing) = (0u64, 0u64, 0u64);
        for &table in self.tables {
            let Some(&expected) = digests.get(&(primary, table)) else {
                draft.doubt(format!("{} was not read on {primary} after the load", table.name()));
                continue;
            };
            rows += expected.0.rows;
            for &replica in &replicas {
                let Some(&found) = digests.get(&(replica, table)) else {
                    draft.doubt(format!("{} was not read on {replica} after the load", table.name()));
                    continue;
                };
                match compare(&mut draft, (primary, expected), (replica, found), lingering) {
                    Comparison::Equal => compared += 1,
                    Comparison::Differs => {
                        compared += 1;
                        differing += 1;
                    }
                    Comparison::Impossible => {}
                }
            }
        }
        draft.count("tables compared", compared);
        draft.count("tables that differ", differing);
        draft.count("rows of the primary", rows);
        let wanted = (self.tables.len() * replicas.len()) as u64;
        vec![draft.finish(format!(
            "{} of {} of {} compared with {primary}, {} differ",
            count(compared),
            plural(wanted, "table"),
            plural(replicas.len() as u64, "replica"),
            count(differing)
        ))]
    }
}

/// The last digest of each table on each node that was asked for after the last write.
fn digests<O: Operation>(history: &History<O>) -> BTreeMap<(NodeName, Table), Read<'_>> {
    let load_end = last_write(history);
    let mut digests = BTreeMap::new();
    for call in history.calls().filter(|call| Some(call.invoked) > load_end) {
        if let Outcome::Ok { reply, .. } = call.outcome
            && let Some(digest) = reply.digest()
        {
            digests.insert((call.node, digest.table), (digest, call.completed.unwrap_or(call.invoked)));
        }
    }
    digests
}

/// Whether a write was given up while the server may still have been at it: it can commit between two final reads.
fn lingering<O: Operation>(history: &History<O>) -> bool {
    history.calls().any(|call| {
        let given_up = match call.outcome {
            Outcome::Info(cause) => cause.is_none_or(|cause| cause.class == CauseClass::Deadline),
            Outcome::Ok { .. } | Outcome::Fail(_) => false,
        };
        given_up && !call.op.is_read_only()
    })
}

enum Comparison {
    Equal,
    Differs,
    /// The positions of the log do not allow it; the draft says why.
    Impossible,
}

fn compare(
    draft: &mut Draft,
    (primary, (expected, expected_event)): (NodeName, Read<'_>),
    (replica, (found, found_event)): (NodeName, Read<'_>),
    lingering: bool,
) -> Comparison {
    let table = expected.table.name();
    if let (Some(needed), Some(reached)) = (expected.lsn, found.lsn)
        && reached < needed
    {
        draft.doubt(format!(
            "{table} was read on {replica} at {reached}, before {primary}'s position {needed}"
        ));
        return Comparison::Impossible;
    }
    let buckets = differences(&expected.buckets, &found.buckets);
    if buckets.is_empty() && expected.rows == found.rows {
        return Comparison::Equal;
    }
    let is_same = expected.lsn.is_some() && expected.lsn == found.lsn;
    if lingering && !is_same {
        draft.doubt(format!(
            "{table} differs between {primary} and {replica}, read at different positions, and a write that was given up may have committed in between"
        ));
        return Comparison::Impossible;
    }
    let position = |lsn: Option<Lsn>| lsn.map(|lsn| format!(" at {lsn}")).unwrap_or_default();
    let rows = format!(
        "{table} has {} on {primary}{} and {} on {replica}{}",
        plural(expected.rows, "row"),
        position(expected.lsn),
        count(found.rows),
        position(found.lsn)
    );
    if buckets.is_empty() {
        draft.violation(&[expected_event, found_event], || format!("{rows}, though their digests are equal"));
    }
    for (bucket, here, there) in buckets {
        draft.violation(&[expected_event, found_event], || {
            let first = bucket.saturating_mul(BUCKET_ROWS);
            format!(
                "{rows}; they differ in {} {first} to {} ({} and {})",
                expected.table.key(),
                first.saturating_add(BUCKET_ROWS - 1),
                plural(here, "row"),
                plural(there, "row")
            )
        });
    }
    Comparison::Differs
}

/// Numbers of the buckets that differ, with the rows on either side.
fn differences(expected: &[Bucket], found: &[Bucket]) -> Vec<(i64, u64, u64)> {
    let mut buckets: BTreeMap<i64, (Option<&Bucket>, Option<&Bucket>)> = BTreeMap::new();
    for bucket in expected {
        buckets.entry(bucket.bucket).or_default().0 = Some(bucket);
    }
    for bucket in found {
        buckets.entry(bucket.bucket).or_default().1 = Some(bucket);
    }
    let rows = |bucket: Option<&Bucket>| bucket.map_or(0, |bucket| bucket.rows);
    buckets
        .into_iter()
        .filter(|(_, (here, there))| here != there)
        .map(|(number, (here, there))| (number, rows(here), rows(there)))
        .collect()
}

#[cfg(test)]
mod tests;
