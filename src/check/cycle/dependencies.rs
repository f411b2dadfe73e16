//! The whole graph of a history, and what its keys show by themselves.

use std::collections::BTreeMap;
use std::thread;

use super::anomaly::Anomaly;
use super::graph::{Arrow, Graph, NODES, Node};
use super::keyed::{Keyed, Scope};
use super::list::ListKey;
use super::list_stale::Stale;
use super::register::RegisterKey;
use super::sessions::sessions;
use super::sink::{AUXILIARY, Sink, Tally};
use super::{list_edges, list_internal, list_rules, list_stale, order, register_rules};
use crate::history::txn::{Key, MopId, Txns};

/// How many threads look at keys: the machine's, up to so many.
const THREADS: usize = 8;

/// Who came before whom, and why.
#[derive(Debug)]
pub(super) struct Dependencies {
    pub(super) graph: Graph,
    pub(super) keyed: Keyed,
    pub(super) tallies: BTreeMap<Anomaly, Tally>,
    pub(super) stale: Vec<Stale>,
    /// Elements that two appends have: nothing can be said of their history.
    pub(super) twice: Option<(MopId, MopId)>,
    /// A key that is a list and a register.
    pub(super) mixed: Option<Key>,
}

/// What one thread found.
#[derive(Debug, Default)]
struct Part {
    sink: Sink,
    stale: Vec<Stale>,
    twice: Option<(MopId, MopId)>,
    mixed: Option<Key>,
}

impl Dependencies {
    pub(super) fn new(txns: &Txns, scope: Scope) -> Dependencies {
        let keyed = Keyed::new(txns);
        let threads = thread::available_parallelism().map_or(1, usize::from).min(THREADS);
        let parts: Vec<Part> = thread::scope(|scoped| {
            let keyed = &keyed;
            let begin = |keys| scoped.spawn(move || look(txns, keyed, keys, scope));
            let begun: Vec<_> = keyed.parts(threads).into_iter().map(begin).collect();
            begun
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        });
        merge(txns, keyed, parts)
    }
}

impl Part {
    fn register(&mut self, txns: &Txns, key: Key, mops: &[MopId], scope: Scope) {
        let Some(register) = RegisterKey::load(txns, key, mops, scope) else {
            self.mixed = self.mixed.or(Some(key));
            return;
        };
        self.twice = self.twice.or(register.twice.first().copied());
        register_rules::rules(&register, &mut self.stale, &mut self.sink);
    }
}

fn look(txns: &Txns, keyed: &Keyed, keys: std::ops::Range<Key>, scope: Scope) -> Part {
    let mut part = Part::default();
    let mut list = ListKey::new(txns);
    for key in keys {
        let mops = keyed.of(key);
        if !list.load(key, mops, scope) {
            part.register(txns, key, mops, scope);
            continue;
        }
        part.twice = part.twice.or(list.twice.first().copied());
        list_edges::edges(&list, &mut part.sink);
        list_rules::rules(&list, &mut part.sink);
        sessions(txns, key, &list.touches, |one, other| one < other, &mut part.sink);
        list_stale::stale(&list, &mut part.stale, &mut part.sink);
        for of_one in mops.chunk_by(|a, b| txns.mop(*a).0 == txns.mop(*b).0) {
            if scope.reads(txns.txn(txns.mop(of_one[0]).0).node) {
                list_internal::internal(&list, of_one, &mut part.sink);
            }
        }
    }
    part
}

fn merge(txns: &Txns, keyed: Keyed, parts: Vec<Part>) -> Dependencies {
    let sessions = order::sessions(txns);
    let mut auxiliary = txns.len() as u32;
    let bases: Vec<u32> = parts
        .iter()
        .map(|part| {
            let base = auxiliary;
            auxiliary += part.sink.auxiliary;
            base
        })
        .collect();
    let (real_time, moments) = order::real_time(txns, auxiliary);
    let nodes = auxiliary as usize + moments as usize;
    assert!(nodes < NODES as usize, "more vertices than can be numbered");
    let graph = Graph::new(nodes, |add| {
        for (part, base) in parts.iter().zip(&bases) {
            let number = |node: Node| if node >= AUXILIARY { node - AUXILIARY + base } else { node };
            for &(from, arrow) in &part.sink.edges {
                add(number(from), Arrow::new(number(arrow.to()), arrow.kind()));
            }
        }
        sessions.iter().chain(&real_time).for_each(|&(from, arrow)| add(from, arrow));
    });
    let mut all =
        Dependencies { graph, keyed, tallies: BTreeMap::new(), stale: Vec::new(), twice: None, mixed: None };
    for part in parts {
        for (anomaly, found) in part.sink.tallies {
            all.tallies.entry(anomaly).or_default().add(found);
        }
        all.stale.extend(part.stale);
        all.twice = all.twice.or(part.twice);
        all.mixed = all.mixed.or(part.mixed);
    }
    all
}
