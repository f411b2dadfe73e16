//! What is said of a cluster of AWS's beside what is said of every other: sentences, the same in every format.

use std::collections::BTreeMap;

use crate::measure::threshold::Stat;
use crate::measure::{EndpointFigures, Following};

use super::words::{count, percentile, plain, plural};
use super::{ClusterEvent, NodeFacts, Report};

/// The parts that there are, each with its heading and its sentences; none for other clusters.
pub(super) fn parts(report: &Report) -> Vec<(&'static str, Vec<String>)> {
    let mut instances: Vec<String> = report.nodes.iter().filter_map(instance).collect();
    if !instances.is_empty() {
        instances.push(
            "The readers' replay lag is replica_lag_in_msec, as the writer's aurora_replica_status() reports it: how far \
             their page caches are behind. Positions of a log are not known, and so no bytes."
                .to_owned(),
        );
    }
    let endpoints = report.endpoints.iter().flat_map(endpoint).collect();
    let events = report.events.iter().map(event).collect();
    let parts = [("Instances", instances), ("Endpoints", endpoints), ("Events of RDS", events)];
    parts.into_iter().filter(|(_, lines)| !lines.is_empty()).collect()
}

fn instance(facts: &NodeFacts) -> Option<String> {
    let instance = facts.instance.as_ref()?;
    let mut text = format!("{} is {}", facts.node, plain(&instance.name));
    if let Some(address) = &instance.address {
        text += &format!(", at {}", plain(address));
    }
    if let Some(version) = &instance.version {
        text += &format!(", Aurora {}", plain(version));
    }
    if !instance.refused.is_empty() {
        let refused =
            instance.refused.iter().map(|(name, code)| format!("{} ({})", plain(name), plain(code)));
        text += &format!("; it refuses {}", refused.collect::<Vec<_>>().join(", "));
    }
    if !instance.unanswered.is_empty() {
        let unanswered = instance.unanswered.iter().map(|name| plain(name));
        text += &format!("; it gave no answer to {}", unanswered.collect::<Vec<_>>().join(", "));
    }
    Some(text + ".")
}

fn endpoint(figures: &EndpointFigures) -> Vec<String> {
    let EndpointFigures { endpoint, connections, failed, misled, reached, reads, addresses, took, .. } =
        figures;
    let (whom, other) =
        if endpoint == "cluster" { ("the writer", "a reader") } else { ("a reader", "the writer") };
    let by_instance = |counts: &BTreeMap<String, u64>| {
        let counts = counts.iter().map(|(name, times)| format!("{} {}", plain(name), count(*times)));
        counts.collect::<Vec<_>>().join(", ")
    };
    let stood_in = match figures.stood_in {
        0 => String::new(),
        count_of => {
            format!(", {} found the writer while no reader was there or none may have been", count(count_of))
        }
    };
    let mut lines = vec![format!(
        "The {endpoint} endpoint, which should lead to {whom}: {}, answered within {} (p50) and {} (p99) by {} at {}; {} \
         failed, {} found {other}{stood_in}.",
        plural(*connections, "new connection"),
        percentile(took, Stat::P50),
        percentile(took, Stat::P99),
        if reached.is_empty() { "nobody".to_owned() } else { by_instance(reached) },
        match addresses.len() {
            1 => "1 address".to_owned(),
            more => format!("{more} addresses"),
        },
        count(*failed),
        count(*misled),
    )];
    if !reads.is_empty() || figures.load_failed > 0 {
        let who = if reads.is_empty() { "nobody answered".to_owned() } else { by_instance(reads) };
        lines.push(format!(
            "Of the load, {} went through it, over connections of a second each: {who}; {} failed.",
            plural(reads.values().sum(), "read"),
            plural(figures.load_failed, "more connection")
        ));
    }
    if figures.load_strangers > 0 {
        lines.push(format!(
            "Over {} of the load nothing was read: who answered is no node of the run, or does not say its name.",
            plural(figures.load_strangers, "connection")
        ));
    }
    lines.extend(figures.followed.iter().map(following));
    lines
}

fn following(following: &Following) -> String {
    let Following { node, after, failed, misled, unknown, .. } = following;
    let mut before = format!("{} failed before, {} found another", count(*failed), count(*misled));
    if *unknown > 0 {
        before += &format!(", {} a writer of whom nobody knows whether it is that one", count(*unknown));
    }
    match after {
        Some(after) => format!("After the failover to {node} it led there within {after}: {before}."),
        None if *unknown > 0 => {
            format!(
                "After the failover to {node} nobody knows when a connection found the new writer: {before}."
            )
        }
        None => {
            format!("After the failover to {node} no connection through it found the new writer: {before}.")
        }
    }
}

fn event(event: &ClusterEvent) -> String {
    let ClusterEvent { time, source, id, message } = event;
    let id = id.as_ref().map(|id| format!(" {}", plain(id))).unwrap_or_default();
    plain(&format!("{time} {source}{id}: {message}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Nanos, NodeName};
    use crate::measure::Distribution;

    #[test]
    fn an_endpoint_in_words() {
        let mut took = Distribution::new();
        took.add(Nanos::from_millis(12));
        let node = NodeName::replica(1);
        let (at, after) = (Nanos(0), Some(Nanos::from_millis(1_230)));
        let figures = EndpointFigures {
            endpoint: "cluster".to_owned(),
            connections: 50,
            failed: 3,
            misled: 2,
            stood_in: 0,
            reached: BTreeMap::from([("lab-1".to_owned(), 20), ("lab-2".to_owned(), 27)]),
            reads: BTreeMap::new(),
            load_failed: 0,
            load_strangers: 0,
            addresses: vec!["10.0.0.1:5432".to_owned(), "10.0.0.2:5432".to_owned()],
            took: took.percentiles(),
            followed: vec![
                Following { node, at, after, failed: 3, misled: 2, unknown: 0 },
                Following { node, at, after: None, failed: 0, misled: 9, unknown: 0 },
                Following { node, at, after: None, failed: 0, misled: 0, unknown: 4 },
            ],
        };
        insta::assert_snapshot!(endpoint(&figures).join("\n"), @r"
        The cluster endpoint, which should lead to the writer: 50 new connections, answered within 12.0 ms (p50) and 12.0 ms (p99) by lab-1 20, lab-2 27 at 2 addresses; 3 failed, 2 found a reader.
        After the failover to replica-1 it led there within 1.23 s: 3 failed before, 2 found another.
        After the failover to replica-1 no connection through it found the new writer: 0 failed before, 9 found another.
        After the failover to replica-1 nobody knows when a connection found the new writer: 0 failed before, 0 found another, 4 a writer of whom nobody knows whether it is that one.
        ");
        let reads = BTreeMap::from([("lab-2".to_owned(), 1_200), ("lab-3".to_owned(), 1_100)]);
        let (name, followed) = ("reader".to_owned(), Vec::new());
        let figures = EndpointFigures {
            endpoint: name,
            stood_in: 7,
            reads,
            followed,
            load_failed: 3,
            load_strangers: 1,
            ..figures
        };
        insta::assert_snapshot!(endpoint(&figures).join("\n"), @r"
        The reader endpoint, which should lead to a reader: 50 new connections, answered within 12.0 ms (p50) and 12.0 ms (p99) by lab-1 20, lab-2 27 at 2 addresses; 3 failed, 2 found the writer, 7 found the writer while no reader was there or none may have been.
        Of the load, 2,300 reads went through it, over connections of a second each: lab-2 1,200, lab-3 1,100; 3 more connections failed.
        Over 1 connection of the load nothing was read: who answered is no node of the run, or does not say its name.
        ");
        let never = EndpointFigures { reads: BTreeMap::new(), ..figures };
        insta::assert_snapshot!(endpoint(&never)[1], @"Of the load, 0 reads went through it, over connections of a second each: nobody answered; 3 more connections failed.");
        let event = ClusterEvent {
            time: "2026-11-28T02:10:00Z".to_owned(),
            source: "lab".to_owned(),
            id: Some("RDS-EVENT-0071".to_owned()),
            message: "Completed failover to DB instance: lab-2".to_owned(),
        };
        insta::assert_snapshot!(super::event(&event), @"2026-11-28T02:10:00Z lab RDS-EVENT-0071: Completed failover to DB instance: lab-2");
    }
}
