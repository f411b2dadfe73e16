//! When elements became visible on each node, and whether one that was seen has gone.
//!
//! Within a session nothing explains that an element goes: a crash ends the sessions of its node, and a replica is sent only
//! what the primary has flushed. Over a new connection to a replica that was killed an older state may be found, as that
//! opens again at the last point it had made safe; such reads are counted, and are no counter-example.

use std::collections::BTreeMap;

use super::elements;
use super::ranges::Ranges;
use crate::check::draft::Draft;
use crate::check::text::{at, count, percent, plural, ranges};
use crate::check::walk::{Step, client, walk};
use crate::check::{Checker, Claims, Evidence, Guarantee, Judgement};
use crate::history::{Call, Nanos, NodeName, Outcome, SetOp};

/// Judges every read against the reads before it of the same session.
pub(in crate::check) struct Visible;

impl Checker<SetOp> for Visible {
    fn name(&self) -> &'static str {
        "set"
    }

    fn guarantees(&self) -> &'static [Guarantee] {
        &[Guarantee::MonotonicReads]
    }

    fn check(&self, evidence: &Evidence<'_, SetOp>, claims: &Claims) -> Vec<Judgement> {
        let header = evidence.history.header();
        let draft = |node| Draft::new("set", Guarantee::MonotonicReads, Some(node), evidence, claims);
        let mut nodes: Vec<(NodeName, Node)> =
            evidence.nodes.iter().map(|&node| (node, Node::new(draft(node)))).collect();
        let mut readers: BTreeMap<(u32, NodeName), Reader> = BTreeMap::new();
        let mut ever: BTreeMap<u32, Ranges> = BTreeMap::new();
        let mut acknowledged = Ranges::default();
        // A process has one operation at a time, so its invocations are in the order of its completions.
        for step in walk(evidence.history) {
            let call = match step {
                Step::Acknowledged(call) => {
                    if let SetOp::Insert { element } = *call.op {
                        acknowledged.insert(element);
                    }
                    continue;
                }
                Step::Invoked(call) => call,
            };
            let Some(process) = client(call.process) else { continue };
            let thread = header.thread(process);
            let reader = readers.entry((thread, call.node)).or_default();
            reader.speak_as(process);
            match &call.outcome {
                Outcome::Fail(cause) if cause.class.ends_session() => reader.reconnect(),
                Outcome::Info(_) => reader.reconnect(),
                Outcome::Ok { .. } | Outcome::Fail(_) => {}
            }
            let place = nodes.iter().position(|(node, _)| *node == call.node).unwrap_or_else(|| {
                nodes.push((call.node, Node::new(draft(call.node))));
                nodes.len() - 1
            });
            let node = &mut nodes[place].1;
            match elements(&call) {
                Some(Ok(read)) => {
                    node.judge(&call, reader, ever.entry(thread).or_default(), &read);
                    node.take(read, &acknowledged);
                }
                Some(Err(reason)) => node.draft.doubt(reason),
                None => {}
            }
        }
        nodes.into_iter().map(|(name, node)| node.finish(name)).collect()
    }
}

/// The connection of one client thread to one node.
#[derive(Debug, Default)]
struct Reader {
    process: Option<u32>,
    /// What was seen in this session.
    session: Ranges,
    /// When this session last read, and the event that tells of it.
    last: Option<(Nanos, u64)>,
}

impl Reader {
    /// Another process id of the same thread is another connection.
    fn speak_as(&mut self, process: u32) {
        if self.process.replace(process).is_some_and(|before| before != process) {
            self.reconnect();
        }
    }

    fn reconnect(&mut self) {
        self.session = Ranges::default();
        self.last = None;
    }
}

struct Node {
    draft: Draft,
    reads: u64,
    judged: u64,
    across: u64,
    /// What any read saw.
    seen: Ranges,
    /// What a read that began after the acknowledgement did not see.
    missed: Ranges,
    /// What the last read saw, and what had been acknowledged when it began.
    last: Ranges,
    acknowledged: Ranges,
}

impl Node {
    fn new(draft: Draft) -> Node {
        let none = Ranges::default;
        let (seen, missed, last, acknowledged) = (none(), none(), none(), none());
        Node { draft, reads: 0, judged: 0, across: 0, seen, missed, last, acknowledged }
    }

    /// `ever` is what the thread has seen over any connection.
    fn judge(&mut self, call: &Call<'_, SetOp>, reader: &mut Reader, ever: &mut Ranges, read: &Ranges) {
        let event = call.completed.unwrap_or(call.invoked);
        let gone = reader.session.minus(read);
        if let Some((time, before)) = reader.last.replace((call.end, event)) {
            self.judged += 1;
            if !gone.is_empty() {
                let shown = || ranges(gone.numbers().take(1_000));
                self.draft.violation(&[before, event], || {
                    format!(
                        "process {} on {} did not read {} at {}, which it had read before in the same session, the last time at {}",
                        reader.process.unwrap_or_default(),
                        call.node,
                        shown(),
                        at(call.end),
                        at(time)
                    )
                });
            }
        }
        self.across += u64::from(gone.is_empty() && !ever.minus(read).is_empty());
        reader.session.join(read);
        ever.join(read);
    }

    fn take(&mut self, read: Ranges, acknowledged: &Ranges) {
        self.reads += 1;
        self.missed.join(&acknowledged.minus(&read));
        self.seen.join(&read);
        self.last = read;
        self.acknowledged = acknowledged.clone();
    }

    fn finish(mut self, name: NodeName) -> Judgement {
        let back = self.draft.violations();
        if self.judged == 0 {
            self.draft.doubt(format!("nobody read the set twice in one session on {name}"));
        }
        // An element is known when it is acknowledged, or seen.
        let mut known = self.acknowledged.clone();
        known.join(&self.seen);
        let lost = self.seen.minus(&self.last).count();
        let never = self.acknowledged.minus(&self.seen).count();
        let stable = known.count().saturating_sub(known.minus(&self.last).count());
        let late = self.missed.count().saturating_sub(self.missed.minus(&self.last).count());
        self.draft.count("reads judged", self.judged);
        self.draft.count("reads that lack what was seen", back);
        self.draft.count("older reads across reconnects", self.across);
        self.draft.count("elements known", known.count());
        self.draft.count("stable elements", stable);
        self.draft.count("stable elements that a read after their acknowledgement missed", late);
        self.draft.count("seen and lost elements", lost);
        self.draft.count("elements never read", never);
        let mut summary = format!(
            "{} judged, {} went back ({}); of {} known {} stable, {} of them late, {} lost, {} never read",
            plural(self.judged, "read"),
            count(back),
            percent(back, self.judged),
            plural(known.count(), "element"),
            count(stable),
            count(late),
            count(lost),
            count(never)
        );
        if self.across > 0 {
            summary += &format!(
                "; {} found an older state than before a reconnect (no session promises otherwise)",
                plural(self.across, "read")
            );
        }
        self.draft.finish(summary)
    }
}
