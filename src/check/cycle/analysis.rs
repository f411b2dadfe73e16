//! The whole judgement of a history.

use super::anomaly::{Anomaly, Order, Shape};
use super::budget::Budget;
use super::census::{Census, census};
use super::dependencies::Dependencies;
use super::explain::{Why, why};
use super::keyed::Scope;
use super::knot::Knot;
use super::lesser::{Missed, missed};
use super::list_stale::Stale;
use super::model::{MODELS, Model};
use super::sink::Case;
use super::witness::{Cycle, Search};
use crate::history::txn::{Key, MopId, Status, TxnId, Txns};

/// How many edges a search may look at for each that is on a cycle, and at least.
const BUDGET: (u64, u64) = (100, 20_000_000);

/// What shows an anomaly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Witness {
    /// Transactions in a ring, each with why it comes before the next one; the last one comes before the first.
    Cycle {
        /// The ring.
        steps: Vec<(TxnId, Why)>,
        /// Whether none is smaller.
        is_smallest: bool,
    },
    /// Micro-operations that cannot all be.
    Case(Case),
}

impl Witness {
    fn of(txns: &Txns, cycle: &Cycle) -> Witness {
        let next = cycle.steps.iter().cycle().skip(1);
        let steps = cycle.steps.iter().zip(next).map(|(step, next)| (step.txn, why(txns, *step, next.txn)));
        Witness::Cycle { steps: steps.collect(), is_smallest: cycle.is_smallest }
    }
}

/// An anomaly that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Which.
    pub anomaly: Anomaly,
    /// How often.
    pub count: u64,
    /// Of a cycle of dependencies: in how many places, which share no such cycle.
    pub places: Option<u64>,
    /// The smallest one.
    pub witness: Option<Witness>,
}

/// What keeps a history from being judged, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No transaction was acknowledged, or none of them did anything.
    Empty,
    /// Two appends of one element: who read it, does not know whose it is.
    Twice(MopId, MopId),
    /// A key that is a list and a register.
    Mixed(Key),
    /// The history tells of no stronger order than this one.
    OnlyOrder(Order),
    /// The budget ended before it was known of every anti-dependency whether it is the only one of a cycle.
    Undecided(Order),
    /// The budget ended before it was known of every read whether its transaction had heard of what it missed.
    Unheard,
}

/// Where a model stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// An anomaly refutes it.
    Refuted {
        /// The anomaly, which refutes it or a model that it contains.
        by: Anomaly,
        /// Whether no model that it contains is refuted.
        is_weakest: bool,
    },
    /// Nothing in this history refutes it.
    NotRefuted,
    /// This history does not tell.
    NotCheckable,
}

/// What was found in a history.
#[derive(Clone, Debug, Default)]
pub struct Analysis {
    /// Acknowledged transactions.
    pub committed: u64,
    /// Transactions of unknown outcome.
    pub unknown: u64,
    /// Anomalies, the gravest first.
    pub found: Vec<Found>,
    /// Every stale read.
    pub stale: Vec<Stale>,
    /// What could not be judged.
    pub troubles: Vec<Trouble>,
    /// Dependencies between transactions.
    pub edges: u64,
}

/// Judges `txns`, as far as `scope` goes and as the history tells of order.
pub fn analyze(txns: &Txns, scope: Scope, order: Order) -> Analysis {
    let all = Dependencies::new(txns, scope);
    let count = |status| txns.all().iter().filter(|txn| txn.status == status).count() as u64;
    let mut analysis = Analysis {
        committed: count(Status::Ok),
        unknown: count(Status::Info),
        edges: all.graph.edges() as u64,
        stale: all.stale,
        ..Analysis::default()
    };
    if analysis.committed == 0 || txns.mops() == 0 {
        analysis.troubles.push(Trouble::Empty);
    }
    analysis.troubles.extend((order < Order::RealTime).then_some(Trouble::OnlyOrder(order)));
    analysis.troubles.extend(all.twice.map(|(one, other)| Trouble::Twice(one, other)));
    analysis.troubles.extend(all.mixed.map(Trouble::Mixed));
    if analysis.is_unsuitable() {
        // Whatever seems to be wrong may only seem so.
        analysis.stale.clear();
        return analysis;
    }
    for (anomaly, tally) in all.tallies {
        let witness = tally.case.map(Witness::Case);
        analysis.found.push(Found { anomaly, count: tally.count, places: None, witness });
    }
    if let Some(knot) = Knot::of(&all.graph) {
        let mut budget = Budget::new((knot.graph.edges() as u64 * BUDGET.0).max(BUDGET.1));
        let found = census(&knot, txns, &mut budget);
        analysis.troubles.extend(found.undecided.iter().map(|&order| Trouble::Undecided(order)));
        analysis.cycles(txns, &knot, &found);
        let (missed, is_whole) = missed(txns, &all.keyed, scope, &knot, &found.readers, &mut budget);
        analysis.troubles.extend((!is_whole).then_some(Trouble::Unheard));
        analysis.missed(txns, &missed);
    }
    analysis.found.sort_by_key(|found| found.anomaly);
    analysis
}

impl Analysis {
    fn cycles(&mut self, txns: &Txns, knot: &Knot, census: &Census) {
        let mut search = Search::new(txns, knot);
        for (&(shape, order), closers) in &census.closers {
            let mut budget = Budget::new((knot.graph.edges() as u64 * BUDGET.0).max(BUDGET.1));
            let cycle = search.smallest(shape, order, closers, &mut budget);
            let witness = cycle.map(|cycle| Witness::of(txns, &cycle));
            let (anomaly, places) = (Anomaly::Cycle(shape, order), Some(closers.places.len() as u64));
            self.found.push(Found { anomaly, count: closers.count, places, witness });
        }
    }

    fn missed(&mut self, txns: &Txns, missed: &[Missed]) {
        for (shape, order) in [(Shape::Fractured, Order::Data), (Shape::Causal, Order::Session)] {
            let of_shape = || missed.iter().filter(|one| one.shape == shape);
            let Some(first) = of_shape().min_by_key(|one| txns.mops_of(one.reader).len()) else { continue };
            let witness = Missed::witness(first, txns);
            let (anomaly, count) = (Anomaly::Cycle(shape, order), of_shape().count() as u64);
            self.found.push(Found { anomaly, count, places: None, witness: Some(witness) });
        }
    }

    /// Whether the rules do not apply to this history.
    fn is_unsuitable(&self) -> bool {
        self.troubles.iter().any(|trouble| matches!(trouble, Trouble::Twice(..) | Trouble::Mixed(_)))
    }

    /// Whether the rules were applied to something.
    pub fn is_judged(&self) -> bool {
        !self.is_unsuitable() && !self.troubles.contains(&Trouble::Empty)
    }

    /// How often `anomaly` was found.
    pub fn count(&self, anomaly: Anomaly) -> u64 {
        self.found.iter().find(|found| found.anomaly == anomaly).map_or(0, |found| found.count)
    }

    /// Where every model stands, in the order of [`MODELS`].
    pub fn standings(&self) -> Vec<(&'static Model, Standing)> {
        let mut all: Vec<(&'static Model, Standing)> = Vec::new();
        for model in &MODELS {
            let of = |name: &&str| {
                all.iter().find(|(other, _)| other.name == *name).map(|(_, standing)| *standing)
            };
            let contained = model.contains.iter().filter_map(of);
            let inherited = contained.clone().find_map(|standing| match standing {
                Standing::Refuted { by, .. } => Some(by),
                _ => None,
            });
            let own = self.found.iter().map(|found| found.anomaly).find(|&anomaly| model.forbids(anomaly));
            let is_open = self.is_open(model) || contained.clone().any(|one| one == Standing::NotCheckable);
            let standing = match (inherited, own) {
                (Some(by), _) => Standing::Refuted { by, is_weakest: false },
                (None, Some(by)) => Standing::Refuted { by, is_weakest: true },
                (None, None) if is_open => Standing::NotCheckable,
                (None, None) => Standing::NotRefuted,
            };
            all.push((model, standing));
        }
        all
    }

    /// Whether something that could refute `model` was not looked at.
    fn is_open(&self, model: &Model) -> bool {
        self.troubles.iter().any(|trouble| match trouble {
            Trouble::Empty | Trouble::Twice(..) | Trouble::Mixed(_) => true,
            Trouble::OnlyOrder(order) => model.order() > *order,
            Trouble::Unheard => rests_on_reads(model),
            // Of reads of these, only those are looked at whose anti-dependency is the only one of a cycle.
            Trouble::Undecided(order) if rests_on_reads(model) => *order <= Order::Session,
            Trouble::Undecided(order) => {
                model.cycles.is_some_and(|(shape, with)| shape == Shape::GSingle && with >= *order)
            }
        })
    }
}

/// Whether what a single read missed refutes `model`.
fn rests_on_reads(model: &Model) -> bool {
    let is_read = |anomaly: &Anomaly| matches!(anomaly, Anomaly::Cycle(Shape::Fractured | Shape::Causal, _));
    model.forbids.iter().any(is_read)
}
