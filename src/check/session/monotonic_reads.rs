//! Monotonic reads: a reader never sees an older value than one it has already seen *in the same session*.
//!
//! A replica that was killed opens again at the last point it had made safe, which may lie before what it had shown, and an
//! endpoint that leads to one of several replicas leads to one that is further behind: a reader that comes back over a new
//! connection can find an older state, and no session guarantee forbids that. Such steps are counted and told in the summary
//! of the node that showed the older state, and are no counter-example.

use std::collections::BTreeMap;

use super::staleness::Staleness;
use crate::check::draft::Draft;
use crate::check::text::{at, count, percent, plural};
use crate::check::walk::client;
use crate::check::{Checker, Claims, Evidence, Guarantee, Judgement};
use crate::history::{Call, CounterOp, CounterReply, Nanos, NodeName, Outcome};

/// The most counters: what is seen of them is kept in vectors.
const MOST_KEYS: usize = 1 << 20;

/// Judges every read of counters against the reads before it of the same reader.
pub(in crate::check) struct MonotonicReads;

impl Checker<CounterOp> for MonotonicReads {
    fn name(&self) -> &'static str {
        "session"
    }

    fn guarantees(&self) -> &'static [Guarantee] {
        &[Guarantee::MonotonicReads]
    }

    fn check(&self, evidence: &Evidence<'_, CounterOp>, claims: &Claims) -> Vec<Judgement> {
        let header = evidence.history.header();
        let draft = |node| Draft::new("session", Guarantee::MonotonicReads, Some(node), evidence, claims);
        let mut readers: BTreeMap<(u32, NodeName), Reader> = BTreeMap::new();
        let mut ever: BTreeMap<u32, Vec<Option<Seen>>> = BTreeMap::new();
        let mut nodes: Vec<(NodeName, Node)> =
            evidence.nodes.iter().map(|&node| (node, Node::new(draft(node)))).collect();
        // A process has one operation at a time, so its invocations are in the order of its completions.
        for call in evidence.history.calls() {
            let Some(process) = client(call.process) else { continue };
            let thread = header.thread(process);
            let reader = readers.entry((thread, call.node)).or_default();
            let before = ever.entry(thread).or_default();
            reader.speak_as(process);
            let place = nodes.iter().position(|(node, _)| *node == call.node).unwrap_or_else(|| {
                nodes.push((call.node, Node::new(draft(call.node))));
                nodes.len() - 1
            });
            let node = &mut nodes[place].1;
            match (call.op, &call.outcome) {
                (
                    &CounterOp::ReadOwn { key, .. },
                    Outcome::Ok { reply: CounterReply::Value { value }, .. },
                ) => match place_of(key) {
                    Some(place) => {
                        node.judge(&call, (reader, before), place, std::slice::from_ref(value));
                    }
                    None => node.draft.doubt(format!("there is no counter {key}")),
                },
                (_, Outcome::Ok { reply: CounterReply::All(values), .. }) => {
                    // A row that is no longer there, at the end of the table, is a counter of 0 as any other.
                    let mut values = values.clone();
                    values.resize(values.len().max(reader.session.len()), 0);
                    node.judge(&call, (reader, before), 0, &values);
                }
                (_, Outcome::Fail(cause)) if cause.class.ends_session() => reader.reconnect(),
                (_, Outcome::Info(_)) => reader.reconnect(),
                _ => {}
            }
        }
        nodes.into_iter().map(|(name, node)| node.finish(name)).collect()
    }
}

/// What a reader has seen of one key.
#[derive(Clone, Copy, Debug)]
struct Seen {
    value: i64,
    time: Nanos,
    event: u64,
}

/// The connection of one client thread to one node.
#[derive(Debug, Default)]
struct Reader {
    process: Option<u32>,
    /// The largest values of this session; the key k is at k - 1.
    session: Vec<Option<Seen>>,
    /// Whether this session has been found to start behind what the thread had seen before, wherever that was.
    went_back: bool,
}

impl Reader {
    /// Another process id of the same thread is another connection.
    fn speak_as(&mut self, process: u32) {
        if self.process.replace(process).is_some_and(|before| before != process) {
            self.reconnect();
        }
    }

    fn reconnect(&mut self) {
        self.session.clear();
        self.went_back = false;
    }
}

/// Where the values of `key` are; `None` for one that no run has, which only an edited history can name.
fn place_of(key: i32) -> Option<usize> {
    usize::try_from(key).ok()?.checked_sub(1).filter(|&place| place < MOST_KEYS)
}

/// Keeps the larger of what was seen at `place` and `now`.
fn raise(seen: &mut Vec<Option<Seen>>, place: usize, now: Seen) {
    if seen.len() <= place {
        seen.resize(place + 1, None);
    }
    if seen[place].is_none_or(|before| before.value < now.value) {
        seen[place] = Some(now);
    }
}

struct Node {
    draft: Draft,
    judged: u64,
    staleness: Staleness,
    across: u64,
    reconnects_back: u64,
}

impl Node {
    fn new(draft: Draft) -> Node {
        Node { draft, judged: 0, staleness: Staleness::default(), across: 0, reconnects_back: 0 }
    }

    /// `values` are those of the keys from `first` + 1 on; `ever` is what the thread has seen over any connection.
    fn judge(
        &mut self,
        call: &Call<'_, CounterOp>,
        (reader, ever): (&mut Reader, &mut Vec<Option<Seen>>),
        first: usize,
        values: &[i64],
    ) {
        let event = call.completed.unwrap_or(call.invoked);
        let older = |seen: &[Option<Seen>]| {
            let seen = seen.get(first..).unwrap_or_default().iter();
            let steps = (first..).zip(seen.zip(values)).filter_map(|(place, (seen, &value))| {
                seen.filter(|seen| seen.value > value).map(|seen| (place + 1, value, seen))
            });
            steps.max_by_key(|(_, value, seen)| seen.value - value)
        };
        let session = reader.session.get(first..).unwrap_or_default();
        self.judged += u64::from(session.iter().take(values.len()).any(Option::is_some));
        if let Some((key, value, seen)) = older(&reader.session) {
            self.staleness.add(seen.value - value, call.start.since(seen.time));
            self.draft.violation(&[seen.event, event], || {
                format!(
                    "process {} on {} read key {key} as {value} at {}, after it had read {} at {} in the same session",
                    reader.process.unwrap_or_default(),
                    call.node,
                    at(call.end),
                    seen.value,
                    at(seen.time)
                )
            });
        } else if older(ever).is_some() {
            self.across += 1;
            self.reconnects_back += u64::from(!std::mem::replace(&mut reader.went_back, true));
        }
        for (place, &value) in (first..).zip(values) {
            let seen = Seen { value, time: call.end, event };
            raise(&mut reader.session, place, seen);
            raise(ever, place, seen);
        }
    }

    fn finish(mut self, name: NodeName) -> Judgement {
        let back = self.draft.violations();
        if self.judged == 0 {
            self.draft.doubt(format!("nobody read a counter twice in one session on {name}"));
        }
        self.draft.count("reads judged", self.judged);
        self.draft.count("reads that went back", back);
        self.draft.count("older reads across reconnects", self.across);
        self.draft.count("reconnects that went back", self.reconnects_back);
        let mut summary = format!(
            "{} judged, {} went back ({})",
            plural(self.judged, "read"),
            count(back),
            percent(back, self.judged)
        );
        if let Some(behind) = self.staleness.report(&mut self.draft) {
            summary += &format!(", {behind}");
        }
        if self.across > 0 {
            summary += &format!(
                "; after {} a reader found an older state than before it ({}; no session promises otherwise)",
                plural(self.reconnects_back, "reconnect"),
                plural(self.across, "read")
            );
        }
        self.draft.finish(summary)
    }
}
