//! Read your writes: a reader sees at least what its own writer was told is committed.
//!
//! A read is judged when its writer was told of an increment of that key before the read was invoked. It is stale
//! when it answers a smaller value than the largest that the writer was told of; it is behind since the first
//! acknowledgement that it does not show.

use std::collections::BTreeMap;

use super::staleness::Staleness;
use crate::check::draft::Draft;
use crate::check::text::{at, count, percent, plural};
use crate::check::walk::{Step, client, walk};
use crate::check::{Checker, Claims, Evidence, Guarantee, Judgement};
use crate::history::{Call, CounterOp, CounterReply, Nanos, NodeName, Outcome};

/// Judges every reader of its own writer's counter, node by node.
pub(in crate::check) struct ReadYourWrites;

impl Checker<CounterOp> for ReadYourWrites {
    fn name(&self) -> &'static str {
        "session"
    }

    fn guarantees(&self) -> &'static [Guarantee] {
        &[Guarantee::ReadYourWrites]
    }

    fn check(&self, evidence: &Evidence<'_, CounterOp>, claims: &Claims) -> Vec<Judgement> {
        let header = evidence.history.header();
        let mut acks: BTreeMap<(u32, i32), Vec<Ack>> = BTreeMap::new();
        let draft = |node| Draft::new("session", Guarantee::ReadYourWrites, Some(node), evidence, claims);
        let mut nodes: Vec<(NodeName, Node)> =
            evidence.nodes.iter().map(|&node| (node, Node::new(draft(node)))).collect();
        for step in walk(evidence.history) {
            match step {
                Step::Acknowledged(call) => {
                    if let (CounterOp::Increment { key }, Some(process)) = (call.op, client(call.process))
                        && let Outcome::Ok { reply: CounterReply::Incremented { value }, .. } = call.outcome
                    {
                        let told = acks.entry((header.thread(process), *key)).or_default();
                        // Only what is more than ever before: so the list ascends in time and in value.
                        if told.last().is_none_or(|last| last.value < *value) {
                            let event = call.completed.unwrap_or(call.invoked);
                            told.push(Ack { value: *value, end: call.end, event });
                        }
                    }
                }
                Step::Invoked(call) => {
                    if let CounterOp::ReadOwn { key, writer } = *call.op
                        && let Outcome::Ok { reply: CounterReply::Value { value }, .. } = call.outcome
                        && let Some(told) = acks.get(&(writer, key))
                    {
                        let place = nodes.iter().position(|(node, _)| *node == call.node);
                        let place = place.unwrap_or_else(|| {
                            nodes.push((call.node, Node::new(draft(call.node))));
                            nodes.len() - 1
                        });
                        nodes[place].1.judge(&call, key, writer, *value, told);
                    }
                }
            }
        }
        nodes.into_iter().map(|(name, node)| node.finish(name)).collect()
    }
}

struct Ack {
    value: i64,
    end: Nanos,
    event: u64,
}

struct Node {
    draft: Draft,
    judged: u64,
    staleness: Staleness,
}

impl Node {
    fn new(draft: Draft) -> Node {
        Node { draft, judged: 0, staleness: Staleness::default() }
    }

    fn judge(&mut self, call: &Call<'_, CounterOp>, key: i32, writer: u32, value: i64, told: &[Ack]) {
        self.judged += 1;
        let Some(newest) = told.last().filter(|newest| newest.value > value) else { return };
        let missing = &told[told.partition_point(|ack| ack.value <= value)];
        let age = call.start.since(missing.end);
        self.staleness.add(newest.value - value, age);
        self.draft.violation(&[missing.event, newest.event, call.completed.unwrap_or(call.invoked)], || {
            format!(
                "{} read key {key} as {value} at {}, though writer {writer} had been told of {} at {}; behind since {} ({age})",
                call.node,
                at(call.start),
                newest.value,
                at(newest.end),
                at(missing.end)
            )
        });
    }

    fn finish(mut self, name: NodeName) -> Judgement {
        let stale = self.draft.violations();
        if self.judged == 0 {
            self.draft.doubt(format!("nobody read an own, acknowledged increment on {name}"));
        }
        self.draft.count("reads judged", self.judged);
        self.draft.count("stale reads", stale);
        let mut summary = format!(
            "{} judged, {} stale ({})",
            plural(self.judged, "read"),
            count(stale),
            percent(stale, self.judged)
        );
        if let Some(behind) = self.staleness.report(&mut self.draft) {
            summary += &format!(", {behind}");
        }
        self.draft.finish(summary)
    }
}
