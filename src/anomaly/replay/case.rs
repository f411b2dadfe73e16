//! The steps of a history as those of a case.

use std::collections::{BTreeMap, BTreeSet};

use super::numbers::Numbers;
use super::statements;
use super::{Client, Deed, Fidelity, Turn};
use crate::anomaly::{Action, Actor, Case, Needs, Place, Seen, Sight, Step};
use crate::history::NodeName;
use crate::history::txn::{Key, Mop, MopId, Status, TxnId, Txns};

pub(super) fn case(
    txns: &Txns,
    name: &str,
    turns: &[Turn],
    fidelity: Fidelity,
    clients: &[Client],
    of_txn: &[usize],
    numbers: &Numbers,
) -> Case {
    let lists = lists(txns);
    let tables = [(statements::LISTS, true), (statements::REGISTERS, false)];
    let used = |is_list: bool| lists.values().any(|&one| one == is_list);
    let mut case = Case {
        name: name.to_owned(),
        title: name.to_owned(),
        code: None,
        about: String::new(),
        source: None,
        remedy: None,
        needs: Needs::default(),
        setup: tables.iter().filter(|(_, is)| used(*is)).map(|(table, _)| (*table).to_owned()).collect(),
        sessions: actors(txns, clients, fidelity),
        steps: Vec::new(),
        after: Vec::new(),
        happens: Vec::new(),
        expect: BTreeMap::new(),
        preventions: Vec::new(),
        retry: false,
    };
    let mut labels: BTreeSet<String> = BTreeSet::new();
    for turn in turns {
        let (words, sql, seen) = step(txns, *turn, &lists, numbers);
        let label = (1..)
            .map(|time| if time == 1 { words.clone() } else { format!("{words}, time {time}") })
            .find(|label| !labels.contains(label))
            .unwrap_or_default();
        labels.insert(label.clone());
        // Of what failed nothing is expected: it may have failed at any of its statements.
        let seen = seen.filter(|_| txns.txn(turn.txn).status != Status::Fail);
        case.happens.extend(seen.map(|seen| Sight { step: label.clone(), seen }));
        let session = clients[of_txn[turn.txn as usize]].name.clone();
        case.steps.push(Step { session, action: Action::Sql(sql), label, only_if: None, until: None });
    }
    case
}

/// Whether each key that something is done to is a list.
fn lists(txns: &Txns) -> BTreeMap<Key, bool> {
    let mut lists = BTreeMap::new();
    for mop in 0..txns.mops() as MopId {
        let (_, key, what) = txns.mop(mop);
        match what {
            Mop::Unread => {
                lists.entry(key).or_insert(true);
            }
            Mop::Append(_) | Mop::List(_) => {
                lists.insert(key, true);
            }
            Mop::Write(_) | Mop::Read(_) => {
                lists.insert(key, false);
            }
        }
    }
    lists
}

/// Sessions on the node that is written to are on the primary. Those on others only read: on a replica where that matters.
fn actors(txns: &Txns, clients: &[Client], fidelity: Fidelity) -> Vec<Actor> {
    let writes = |txn: &TxnId| {
        let is_write = |mop: MopId| matches!(txns.mop(mop).2, Mop::Append(_) | Mop::Write(_));
        txns.mops_of(*txn).any(is_write)
    };
    let written: BTreeSet<NodeName> = (0..txns.len() as TxnId)
        .filter(writes)
        .map(|txn| txns.nodes()[usize::from(txns.txn(txn).node)])
        .collect();
    let is_alone = clients.iter().all(|client| client.node == clients[0].node);
    let actor = |client: &Client| {
        let place = match fidelity {
            _ if is_alone || written.contains(&client.node) => Place::Primary,
            Fidelity::OneServer | Fidelity::Unplayed => Place::Either,
            Fidelity::SeveralNodes | Fidelity::NoServer => Place::Replica,
        };
        Actor { name: client.name.clone(), place, isolation: None }
    };
    clients.iter().map(actor).collect()
}

/// A step in words, as a statement, and what was seen of it.
fn step(
    txns: &Txns,
    turn: Turn,
    lists: &BTreeMap<Key, bool>,
    numbers: &Numbers,
) -> (String, String, Option<Seen>) {
    let name = format!("T{}", turn.txn + 1);
    let is_failed = txns.txn(turn.txn).status == Status::Fail;
    let mop = match turn.what {
        Deed::Begin => return (format!("{name} begins"), "BEGIN".to_owned(), None),
        Deed::End if is_failed => return (format!("{name} rolls back"), "ROLLBACK".to_owned(), None),
        Deed::End => return (format!("{name} commits"), "COMMIT".to_owned(), Some(Seen::Ok)),
        Deed::Mop(mop) => mop,
    };
    let (_, of, what) = txns.mop(mop);
    let key = numbers.key(of);
    let rows = |row: Option<String>| Some(Seen::Rows(row.into_iter().map(|value| vec![value]).collect()));
    match what {
        Mop::Append(element) => {
            let element = numbers.value(element);
            let sql = statements::append(key, element);
            (format!("{name} appends {element} to {key}"), sql, Some(Seen::Affected(1)))
        }
        Mop::Write(value) => {
            let value = numbers.value(value);
            let sql = statements::write(key, value);
            (format!("{name} writes {value} to {key}"), sql, Some(Seen::Affected(1)))
        }
        Mop::List(list) => {
            let all = txns.list(of, list);
            let elements: Vec<String> = all.iter().map(|&value| numbers.value(value).to_string()).collect();
            let row = (!all.is_empty()).then(|| format!("{{{}}}", elements.join(",")));
            (format!("{name} reads {key}"), statements::read_list(key), rows(row))
        }
        Mop::Read(value) => {
            let row = value.map(|value| numbers.value(value).to_string());
            (format!("{name} reads {key}"), statements::read_register(key), rows(row))
        }
        Mop::Unread => {
            let is_list = lists.get(&of).copied().unwrap_or(true);
            let sql = if is_list { statements::read_list(key) } else { statements::read_register(key) };
            (format!("{name} reads {key}"), sql, None)
        }
    }
}
