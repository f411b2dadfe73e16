//! Read your writes: a reader sees at least what its own writer was told is committed.
//!
//! A read is judged when its writer was told of an increment of that key before the read was invoked. It is stale
//! when it answers a smaller value than the largest that the writer was told of; it is behind since the first
//! acknowledgement that it does not show.
//!
//! Where the primary moved, what a node showed while it was the primary and what it showed while it was not are two
//! judgements: they are promised different things.

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
        let primaries = evidence.primaries();
        let duty = |node, start, end| match (primaries.moved(), primaries.held(node, start, end)) {
            (false, _) => Duty::Unchanged,
            (true, true) => Duty::Primary,
            (true, false) => Duty::Replica,
        };
        let draft = |node, duty| {
            let mut draft = Draft::new("session", Guarantee::ReadYourWrites, Some(node), evidence, claims);
            if duty != Duty::Unchanged {
                draft.claim(claims.claims_of(Guarantee::ReadYourWrites, duty == Duty::Primary));
            }
            draft
        };
        let mut nodes: Vec<((NodeName, Duty), Node)> = Vec::new();
        for &node in evidence.nodes {
            let duty = duty(node, Nanos(0), Nanos(0));
            nodes.push(((node, duty), Node::new(draft(node, duty))));
        }
        for step in walk(evidence.history) {
            match step {
                Step::Acknowledged(call) => {
                    if let (CounterOp::Increment { key }, Some(process)) = (call.op, client(call.process))
                        // With a warning the server says that nobody else may ever show it.
                        && let Outcome::Ok { reply: CounterReply::Incremented { value }, warning: None } = call.outcome
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
                        let duty = duty(call.node, call.start, call.end);
                        let place = nodes.iter().position(|(of, _)| *of == (call.node, duty));
                        let place = place.unwrap_or_else(|| {
                            nodes.push(((call.node, duty), Node::new(draft(call.node, duty))));
                            nodes.len() - 1
                        });
                        nodes[place].1.judge(&call, key, writer, *value, told);
                    }
                }
            }
        }
        nodes.into_iter().map(|((name, duty), node)| node.finish(name, duty)).collect()
    }
}

/// What a node was when it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Duty {
    /// What it always was.
    Unchanged,
    Primary,
    /// Or about to be, or no longer, the primary.
    Replica,
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

    fn finish(mut self, name: NodeName, duty: Duty) -> Judgement {
        let stale = self.draft.violations();
        if self.judged == 0 {
            self.draft.doubt(format!("nobody read an own, acknowledged increment on {name}"));
        }
        self.draft.count("reads judged", self.judged);
        self.draft.count("stale reads", stale);
        let when = match duty {
            Duty::Unchanged => "",
            Duty::Primary => "as the primary: ",
            Duty::Replica => "as a replica: ",
        };
        let mut summary = format!(
            "{when}{} judged, {} stale ({})",
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
