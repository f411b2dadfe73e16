//! Where connections through an endpoint went that leads to one of several nodes, and how soon it followed a failover.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Distribution, Percentiles};
use crate::history::{Call, EndpointSample, FaultOp, History, Nanos, NodeName, Outcome};

/// What nobody knows the name of.
const UNNAMED: &str = "unnamed";

/// One endpoint, as fresh connections through it found it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EndpointFigures {
    /// `cluster`: it should lead to the writer. `reader`: to a reader, where there is one.
    pub endpoint: String,
    /// Attempts that were made to see where it leads. So are all figures but those of the load.
    pub connections: u64,
    /// Those that nobody answered.
    pub failed: u64,
    /// Those that a node of the other role answered; of the reader endpoint only where a reader was there.
    pub misled: u64,
    /// Of the reader endpoint: those that the writer answered where there is no reader, as it is meant to be, or where none
    /// may have been there, as something was being done to the cluster.
    #[serde(default)]
    pub stood_in: u64,
    /// Who answered how often, by instance.
    pub reached: BTreeMap<String, u64>,
    /// What the load read through it, by instance.
    #[serde(default)]
    pub reads: BTreeMap<String, u64>,
    /// Connections of the load that nobody answered: it tries again at once.
    #[serde(default)]
    pub load_failed: u64,
    /// Connections of the load over which nothing was read, as who answered is no node of the run, or does not say its name.
    #[serde(default)]
    pub load_strangers: u64,
    /// The addresses that its name led to.
    pub addresses: Vec<String>,
    /// Until an answer, of those that got one.
    pub took: Percentiles,
    /// Of the cluster's endpoint: each failover.
    pub followed: Vec<Following>,
}

/// How an endpoint followed a failover.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Following {
    /// The node that became the writer.
    #[schemars(with = "String")]
    pub node: NodeName,
    /// When the failover was asked for.
    pub at: Nanos,
    /// From then to the end of the first connection that found the new writer; `None`: none is known to have.
    pub after: Option<Nanos>,
    /// Attempts before that which nobody answered.
    pub failed: u64,
    /// Attempts before that which a reader answered, or the writer of before.
    pub misled: u64,
    /// Attempts before that which a writer answered of whom nobody knows who it is: it gives no name, or one of no node.
    #[serde(default)]
    pub unknown: u64,
}

/// By endpoint, in the order of their names; of a cluster with so many `readers`.
pub fn endpoints(
    samples: &[EndpointSample],
    faults: &History<FaultOp>,
    readers: usize,
) -> Vec<EndpointFigures> {
    let mut by_name: BTreeMap<&str, Vec<&EndpointSample>> = BTreeMap::new();
    for sample in samples {
        by_name.entry(&sample.endpoint).or_default().push(sample);
    }
    by_name.into_iter().map(|(name, samples)| endpoint(name, &samples, faults, readers)).collect()
}

fn endpoint(
    name: &str,
    samples: &[&EndpointSample],
    faults: &History<FaultOp>,
    readers: usize,
) -> EndpointFigures {
    let is_cluster = name == "cluster";
    let faulty = faulty(faults);
    // The writer stands in where no reader is available, and while something is done to the cluster nobody knows.
    let no_reader = |sample: &EndpointSample| {
        readers == 0 || faulty.iter().any(|(start, end)| sample.time >= *start && sample.asked <= *end)
    };
    let (of_load, samples): (Vec<&EndpointSample>, Vec<&EndpointSample>) =
        samples.iter().partition(|sample| sample.reads.is_some());
    let answered = |sample: &&&EndpointSample| sample.takes_writes.is_some();
    let mut reads: BTreeMap<String, u64> = BTreeMap::new();
    for sample in of_load.iter().filter(|sample| sample.node.is_some()) {
        let instance = sample.instance.clone().unwrap_or_else(|| UNNAMED.to_owned());
        *reads.entry(instance).or_default() += sample.reads.unwrap_or_default();
    }
    let other = |sample: &EndpointSample| sample.takes_writes == Some(!is_cluster);
    let count = |is: &dyn Fn(&EndpointSample) -> bool| samples.iter().filter(|one| is(one)).count() as u64;
    let mut took = Distribution::new();
    let mut reached: BTreeMap<String, u64> = BTreeMap::new();
    let mut addresses: Vec<String> = Vec::new();
    for sample in samples.iter().filter(answered) {
        took.add(sample.time.since(sample.asked));
        let instance = sample.instance.clone().unwrap_or_else(|| UNNAMED.to_owned());
        *reached.entry(instance).or_default() += 1;
        addresses.extend(sample.address.clone());
    }
    addresses.sort();
    addresses.dedup();
    EndpointFigures {
        endpoint: name.to_owned(),
        connections: samples.len() as u64,
        failed: count(&|sample| sample.takes_writes.is_none()),
        misled: count(&|sample| other(sample) && (is_cluster || !no_reader(sample))),
        stood_in: count(&|sample| other(sample) && !is_cluster && no_reader(sample)),
        reached,
        load_failed: of_load.iter().filter(|sample| !answered(sample)).count() as u64,
        load_strangers: of_load.iter().filter(answered).filter(|sample| sample.node.is_none()).count() as u64,
        reads,
        addresses,
        took: took.percentiles(),
        followed: if is_cluster { followed(&samples, faults) } else { Vec::new() },
    }
}

/// From when to when something was being done to the cluster, or Aurora had been asked to simulate it.
fn faulty(faults: &History<FaultOp>) -> Vec<(Nanos, Nanos)> {
    let window = |call: Call<'_, FaultOp>| {
        let FaultOp::Act { action, .. } = *call.op else { return None };
        let end = match call.outcome {
            Outcome::Ok { .. } => call.end + action.lasts(),
            // Nothing was done.
            Outcome::Fail(_) => return None,
            Outcome::Info(_) => Nanos(u64::MAX),
        };
        Some((call.start, end))
    };
    faults.calls().filter_map(window).collect()
}

/// Each failover that was carried out, up to the next.
fn followed(samples: &[&EndpointSample], faults: &History<FaultOp>) -> Vec<Following> {
    let moves: Vec<(NodeName, Nanos)> = faults
        .calls()
        .filter(|call| matches!(call.op, FaultOp::Act { action, .. } if action.moves_primary()))
        .filter(|call| matches!(call.outcome, Outcome::Ok { .. }))
        .map(|call| (call.node, call.start))
        .collect();
    let until = |place: usize| moves.get(place + 1).map_or(Nanos(u64::MAX), |(_, at)| *at);
    let following = |(place, &(node, at)): (usize, &(NodeName, Nanos))| {
        let (mut failed, mut misled, mut unknown) = (0, 0, 0);
        let mut after = None;
        for sample in samples.iter().filter(|sample| sample.asked >= at && sample.asked < until(place)) {
            match sample.takes_writes {
                Some(true) if sample.node == Some(node) => {
                    after = Some(sample.time.since(at));
                    break;
                }
                // The new writer, the one of before, or somebody else.
                Some(true) if sample.node.is_none() => unknown += 1,
                Some(_) => misled += 1,
                None => failed += 1,
            }
        }
        Following { node, at, after, failed, misled, unknown }
    };
    moves.iter().enumerate().map(following).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Action, Event, Header, Occasion, Phase, Process};

    fn faults() -> History<FaultOp> {
        let (process, node) = (Process::Nemesis, NodeName::replica(1));
        let op = FaultOp::Act { action: Action::Promote, occasion: Occasion::Planned };
        let events = vec![
            Event { index: 0, time: Nanos(1_000), process, node, phase: Phase::Invoke { op } },
            Event {
                index: 1,
                time: Nanos(9_000),
                process,
                node,
                phase: Phase::Ok { reply: String::new(), warning: None },
            },
        ];
        History::new(Header { workload: "nemesis".to_owned(), concurrency: 1 }, events).unwrap()
    }

    fn sample(endpoint: &str, at: u64, instance: Option<(&str, NodeName, bool)>) -> EndpointSample {
        EndpointSample {
            asked: Nanos(at),
            time: Nanos(at + 100),
            endpoint: endpoint.to_owned(),
            address: Some("10.0.0.1:5432".to_owned()),
            instance: instance.map(|(name, _, _)| name.to_owned()),
            node: instance.map(|(_, node, _)| node),
            takes_writes: instance.map(|(_, _, writes)| writes),
            error: instance.is_none().then(|| "refused".to_owned()),
            reads: None,
        }
    }

    #[test]
    fn a_failover_is_followed_when_a_connection_finds_the_new_writer() {
        let [old, new] = [NodeName::primary(), NodeName::replica(1)];
        let samples = [
            sample("cluster", 500, Some(("lab-1", old, true))),
            sample("cluster", 1_500, Some(("lab-1", old, true))),
            sample("cluster", 2_500, None),
            sample("cluster", 3_500, Some(("lab-1", old, false))),
            sample("cluster", 4_500, Some(("lab-2", new, true))),
            sample("cluster", 5_500, Some(("lab-2", new, true))),
            sample("reader", 1_500, Some(("lab-2", new, false))),
            sample("reader", 4_500, Some(("lab-2", new, true))),
            EndpointSample { reads: Some(7), ..sample("reader", 5_000, Some(("lab-1", old, false))) },
            EndpointSample { reads: Some(5), ..sample("reader", 5_500, Some(("lab-1", old, false))) },
            EndpointSample { reads: Some(0), ..sample("reader", 5_600, None) },
            EndpointSample {
                reads: Some(0),
                node: None,
                ..sample("reader", 5_700, Some(("lab-9", new, false)))
            },
        ];
        let found = endpoints(&samples, &faults(), 1);
        let [cluster, reader] = &found[..] else { panic!("{found:?}") };
        assert_eq!((cluster.connections, cluster.failed, cluster.misled), (6, 1, 1));
        assert_eq!(cluster.reached, BTreeMap::from([("lab-1".to_owned(), 3), ("lab-2".to_owned(), 2)]));
        let following = Following {
            node: new,
            at: Nanos(1_000),
            after: Some(Nanos(3_600)),
            failed: 1,
            misled: 2,
            unknown: 0,
        };
        assert_eq!(cluster.followed, [following]);
        assert_eq!((reader.connections, reader.failed, reader.stood_in), (2, 0, 1));
        assert_eq!((reader.load_failed, reader.load_strangers), (1, 1));
        assert_eq!(reader.reads, BTreeMap::from([("lab-1".to_owned(), 12)]));
        assert!(reader.followed.is_empty() && cluster.reads.is_empty());
        let never = endpoints(&samples[..3], &faults(), 1);
        assert_eq!(never[0].followed[0].after, None);
    }

    #[test]
    fn a_writer_that_nobody_knows_is_not_the_new_one() {
        let new = NodeName::replica(1);
        let known = sample("cluster", 4_500, Some(("lab-2", new, true)));
        let stranger = EndpointSample { node: None, ..sample("cluster", 2_500, Some(("lab-9", new, true))) };
        let nameless = EndpointSample { instance: None, ..stranger.clone() };
        let found = endpoints(&[stranger.clone(), nameless.clone(), known], &faults(), 1);
        let Following { after, misled, unknown, .. } = found[0].followed[0];
        assert_eq!((after, misled, unknown), (Some(Nanos(3_600)), 0, 2));
        let found = endpoints(&[stranger, nameless], &faults(), 1);
        let Following { after, misled, unknown, .. } = found[0].followed[0];
        assert_eq!((after, misled, unknown), (None, 0, 2));
    }

    #[test]
    fn the_writer_stands_in_where_no_reader_is() {
        let writer = Some(("lab-1", NodeName::primary(), true));
        // Before the failover, in it, and when it is over.
        let samples = [500, 950, 5_000, 9_500].map(|at| sample("reader", at, writer));
        let counts = |faults: &History<FaultOp>, readers| {
            let found = endpoints(&samples, faults, readers);
            (found[0].misled, found[0].stood_in)
        };
        assert_eq!(counts(&faults(), 0), (0, 4));
        assert_eq!(counts(&faults(), 1), (2, 2));
        let quiet = History::new(Header { workload: "nemesis".to_owned(), concurrency: 1 }, vec![]).unwrap();
        assert_eq!(counts(&quiet, 1), (4, 0));
        let led = sample("reader", 500, Some(("lab-2", NodeName::replica(1), false)));
        let found = endpoints(&[led], &quiet, 1);
        assert_eq!((found[0].misled, found[0].stood_in), (0, 0));
    }
}
