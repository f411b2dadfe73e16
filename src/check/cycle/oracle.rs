//! The checker against brute force: every order of commits, and the least visibility that a model's axioms make of it
//! (Cerone, Bernardi and Gotsman, CONCUR 2015). Nothing of the checker's own theory is used here: no dependencies, no cycles.

use proptest::prelude::*;

use super::{MODELS, Scope, Standing, analyze};
use crate::history::txn::notation::txns;

/// One micro-operation on key `x` or `y`.
#[derive(Clone, Debug, PartialEq)]
enum Op {
    Append(usize, u32),
    Read(usize, Vec<u32>),
}

/// What became of a transaction, and what its client was told.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    /// Committed, and acknowledged.
    Committed,
    /// Committed, and its client does not know; what it read, nobody knows.
    Unheard,
    /// Not committed, and its client does not know.
    Lost,
    /// Not committed, and its client was told so.
    Aborted,
}

impl Fate {
    fn is_committed(self) -> bool {
        matches!(self, Fate::Committed | Fate::Unheard)
    }
}

#[derive(Clone, Debug)]
struct Txn {
    process: u32,
    fate: Fate,
    start: u32,
    end: u32,
    ops: Vec<Op>,
}

/// Which closure rules a model has, and on which order it insists.
#[derive(Clone, Copy, Debug)]
struct Axioms {
    /// Reads come from what is visible, and nothing later is.
    reads: bool,
    transitive: bool,
    prefix: bool,
    no_conflict: bool,
    total: bool,
    order: Order,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Order {
    None,
    Session,
    RealTime,
}

const NOTHING: Axioms = Axioms {
    reads: true,
    transitive: false,
    prefix: false,
    no_conflict: false,
    total: false,
    order: Order::None,
};

fn axioms(model: &str) -> Option<Axioms> {
    let session = model.strip_prefix("strong-session-");
    let (rest, order) = match (session, model.strip_prefix("strong-"), model) {
        (Some(rest), _, _) => (rest, Order::Session),
        (None, Some(rest), _) => (rest, Order::RealTime),
        (None, None, "strict-serializable") => ("serializable", Order::RealTime),
        (None, None, "causal") => ("causal", Order::Session),
        (None, None, rest) => (rest, Order::None),
    };
    let axioms = match rest {
        "read-committed" | "PL-2" => Axioms { reads: false, ..NOTHING },
        "read-atomic" => NOTHING,
        "causal" => Axioms { transitive: true, ..NOTHING },
        "prefix" => Axioms { prefix: true, ..NOTHING },
        "parallel-snapshot-isolation" => Axioms { transitive: true, no_conflict: true, ..NOTHING },
        "snapshot-isolation" => Axioms { prefix: true, no_conflict: true, ..NOTHING },
        "serializable" | "repeatable-read" => Axioms { total: true, ..NOTHING },
        _ => return None,
    };
    Some(Axioms { order, ..axioms })
}

fn before(all: &[Txn], a: usize, b: usize, order: Order) -> bool {
    match order {
        Order::None => false,
        // Nothing comes after what nobody was told of.
        _ if all[a].fate != Fate::Committed => false,
        Order::Session => {
            all[b].fate == Fate::Committed && all[a].process == all[b].process && all[a].start < all[b].start
        }
        Order::RealTime => all[a].end < all[b].start,
    }
}

fn appends(txn: &Txn, key: usize) -> Vec<u32> {
    let of_key = |op: &Op| match op {
        Op::Append(of, value) if *of == key => Some(*value),
        _ => None,
    };
    txn.ops.iter().filter_map(of_key).collect()
}

/// Who sees whom, by number.
type Relation = [[bool; MOST]; MOST];

/// The most transactions, the last reader included.
const MOST: usize = 5;

/// One order of commits, and what the reads say with it.
struct Execution {
    /// The place of each transaction in the order.
    place: Vec<usize>,
    /// `visible[a][b]`: b sees a.
    visible: Relation,
    /// b must not see a.
    hidden: Relation,
}

/// What a key holds.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Holds {
    Lists,
    Registers,
}

/// What is to be explained: what committed, without the reads of which nobody knows. That something unheard of need not
/// have committed where nobody saw it, makes no difference: without reads, it is in nobody's way.
fn committed(all: &[Txn]) -> Vec<Txn> {
    let mut all: Vec<Txn> = all.iter().filter(|txn| txn.fate.is_committed()).cloned().collect();
    for txn in all.iter_mut().filter(|txn| txn.fate == Fate::Unheard) {
        txn.ops.retain(|op| matches!(op, Op::Append(..)));
    }
    all
}

/// The orders of commits in which every read is one of the key's states.
fn executions(all: &[Txn], holds: Holds) -> Vec<Execution> {
    permutations(all.len()).iter().filter_map(|commits| execution(all, commits, holds)).collect()
}

fn execution(all: &[Txn], commits: &[usize], holds: Holds) -> Option<Execution> {
    let mut place = vec![0; all.len()];
    commits.iter().enumerate().for_each(|(at, &txn)| place[txn] = at);
    let (mut visible, mut hidden): (Relation, Relation) = Default::default();
    for (reader, txn) in all.iter().enumerate() {
        for op in &txn.ops {
            let Op::Read(key, list) = op else { continue };
            // The writers of the key, in the order of commits, and how long the list is after each.
            let (mut whole, mut found) = (Vec::new(), list.is_empty());
            for &writer in commits {
                let appended = appends(&all[writer], *key);
                if appended.is_empty() {
                    continue;
                }
                let is_later = found;
                whole.extend(appended);
                let is_it = match holds {
                    Holds::Lists => whole == *list,
                    Holds::Registers => whole.last() == list.last(),
                };
                if is_later && writer != reader {
                    hidden[writer][reader] = true;
                } else if is_it {
                    found = true;
                    visible[writer][reader] = true;
                }
            }
            if !found || (holds == Holds::Lists && !whole.starts_with(list)) {
                return None;
            }
        }
    }
    Some(Execution { place, visible, hidden })
}

impl Execution {
    /// Whether the least visibility that the axioms make of it contradicts nothing.
    fn obeys(&self, all: &[Txn], axioms: Axioms) -> bool {
        let (place, mut visible, hidden) = (&self.place, self.visible, &self.hidden);
        let pairs = || (0..all.len()).flat_map(|a| (0..all.len()).map(move |b| (a, b)));
        for (a, b) in pairs() {
            let writes = |txn: usize, key| !appends(&all[txn], key).is_empty();
            let conflict = (0..2).any(|key| writes(a, key) && writes(b, key));
            visible[a][b] |= before(all, a, b, axioms.order);
            visible[a][b] |= axioms.no_conflict && a != b && conflict && place[a] < place[b];
            visible[a][b] |= axioms.total && place[a] < place[b];
        }
        let mut grown = true;
        while std::mem::take(&mut grown) {
            for (a, b) in pairs() {
                let first = (axioms.transitive && visible[a][b]) || (axioms.prefix && place[a] < place[b]);
                let more = |&c: &usize| first && visible[b][c] && !visible[a][c] && a != c;
                let more: Vec<usize> = (0..all.len()).filter(more).collect();
                grown |= !more.is_empty();
                more.into_iter().for_each(|c| visible[a][c] = true);
            }
        }
        pairs().all(|(a, b)| !visible[a][b] || (a != b && place[a] < place[b]))
            && (!axioms.reads || pairs().all(|(a, b)| !(visible[a][b] && hidden[a][b])))
    }
}

fn permutations(count: usize) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for next in 0..count {
        all = all
            .iter()
            .flat_map(|order: &Vec<usize>| {
                (0..=order.len()).map(move |at| {
                    let mut order = order.clone();
                    order.insert(at, next);
                    order
                })
            })
            .collect();
    }
    all
}

/// Process, pause before it, length; of each key whether it appends, whether it reads and how much; and its fate.
type Plan = (u32, u32, u32, [(bool, bool, u32); 2], Fate);

/// What a client does on a key: nothing, append, read so much of what is there in the end, or read and append.
fn plan() -> impl Strategy<Value = Plan> {
    let key = || (any::<bool>(), any::<bool>(), 0u32..6);
    let fate = prop_oneof![
        6 => Just(Fate::Committed),
        1 => Just(Fate::Unheard),
        1 => Just(Fate::Lost),
        1 => Just(Fate::Aborted),
    ];
    (0u32..3, 1u32..4, 1u32..6, [key(), key()], fate)
}

/// Transactions of up to three processes, and at the end one that reads everything, so that all orders are known.
fn histories() -> impl Strategy<Value = Vec<Txn>> {
    let shuffled = |plans: &Vec<_>| Just((0..Vec::len(plans)).collect::<Vec<usize>>()).prop_shuffle();
    let orders = move |plans: Vec<_>| (shuffled(&plans), shuffled(&plans), Just(plans));
    prop::collection::vec(plan(), 1..5).prop_flat_map(orders).prop_map(|(x, y, plans)| {
        let finals = [x, y].map(|order| {
            let writers = order.into_iter();
            writers.map(|txn| txn as u32 + 1).collect::<Vec<u32>>()
        });
        let writes = |key: usize, value: u32| {
            let (.., keys, fate) = &plans[value as usize - 1];
            keys[key].0 && fate.is_committed()
        };
        let finals: Vec<Vec<u32>> = (0..2)
            .map(|key| finals[key].iter().copied().filter(|&value| writes(key, value)).collect())
            .collect();
        let mut now = [0; 3];
        let mut all: Vec<Txn> = Vec::new();
        for (value, (process, gap, length, keys, fate)) in (1u32..).zip(&plans) {
            let mut ops = Vec::new();
            for (key, (append, read, seen)) in keys.iter().enumerate() {
                if *read {
                    let list: Vec<u32> = finals[key].iter().copied().take(*seen as usize).collect();
                    if !list.contains(&value) {
                        ops.push(Op::Read(key, list));
                    }
                }
                if *append {
                    ops.push(Op::Append(key, value));
                }
            }
            let start = now[*process as usize] + gap;
            now[*process as usize] = start + length;
            all.push(Txn { process: *process, fate: *fate, start, end: start + length, ops });
        }
        let ops = (0..2).map(|key| Op::Read(key, finals[key].clone())).collect();
        all.push(Txn { process: 3, fate: Fate::Committed, start: 100, end: 101, ops });
        all
    })
}

fn text(all: &[Txn], holds: Holds) -> String {
    let op = |op: &Op| match op {
        Op::Append(key, value) if holds == Holds::Registers => format!("w{}{value}", ["x", "y"][*key]),
        Op::Read(key, list) if holds == Holds::Registers => {
            format!("g{}{}", ["x", "y"][*key], list.last().map_or(String::new(), u32::to_string))
        }
        Op::Append(key, value) => format!("a{}{value}", ["x", "y"][*key]),
        Op::Read(key, list) => {
            format!("r{}{}", ["x", "y"][*key], list.iter().map(u32::to_string).collect::<String>())
        }
    };
    let line = |txn: &Txn| {
        let ops: Vec<String> = txn.ops.iter().map(op).collect();
        let told = match txn.fate {
            Fate::Committed => "",
            Fate::Unheard | Fate::Lost => " ?",
            Fate::Aborted => " !",
        };
        format!("{}-{} {}: {}{told}", txn.start, txn.end, txn.process, ops.join(" "))
    };
    all.iter().map(line).collect::<Vec<String>>().join("; ")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    /// A model is refuted where, and only where, no execution of it explains what was read.
    #[test]
    fn refutes_what_no_execution_explains(all in histories()) {
        let text = text(&all, Holds::Lists);
        let analysis = analyze(&txns(&text), Scope::Whole, super::Order::RealTime);
        let all = committed(&all);
        let executions = executions(&all, Holds::Lists);
        for (model, standing) in analysis.standings() {
            let Some(axioms) = axioms(model.name) else { continue };
            let refuted = matches!(standing, Standing::Refuted { .. });
            let found: Vec<String> = analysis.found.iter().map(|found| found.anomaly.name()).collect();
            let is_possible = executions.iter().any(|one| one.obeys(&all, axioms));
            prop_assert_eq!(
                refuted, !is_possible, "{} of {}, where {:?} was found", model.name, text, found
            );
        }
    }

    /// Of registers, the history does not tell the whole order of versions: what is refuted, no execution explains.
    #[test]
    fn refutes_no_registers_that_an_execution_explains(all in histories()) {
        let text = text(&all, Holds::Registers);
        let analysis = analyze(&txns(&text), Scope::Whole, super::Order::RealTime);
        let all = committed(&all);
        let executions = executions(&all, Holds::Registers);
        for (model, standing) in analysis.standings() {
            let Some(axioms) = axioms(model.name) else { continue };
            let found: Vec<String> = analysis.found.iter().map(|found| found.anomaly.name()).collect();
            let is_possible = executions.iter().any(|one| one.obeys(&all, axioms));
            prop_assert!(
                !(matches!(standing, Standing::Refuted { .. }) && is_possible),
                "{} of {}, where {:?} was found", model.name, text, found
            );
        }
    }
}

#[test]
fn the_oracle_knows_the_models_apart() {
    let covered = MODELS.iter().filter(|model| axioms(model.name).is_some()).count();
    assert_eq!(covered, 17, "models that brute force speaks of");
}
