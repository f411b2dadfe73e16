//! Histories as text, in and out.

mod broken;
mod others;
mod recorded;
mod transactions;
mod workloads;
mod wrong;

use super::*;
use crate::history::txn::{Mop, Status, Txns};

/// What is read of `text`.
fn import(text: &str) -> Import {
    read_from("file", text.as_bytes(), None).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The transactions of `text`.
fn txns(text: &str) -> Txns {
    transactions_of(import(text))
}

fn transactions_of(import: Import) -> Txns {
    match import.history {
        Imported::Transactions(txns) => txns,
        other => panic!("{other:?}"),
    }
}

/// Transactions as text: `process@node invoked-completed status: operations`, where `x+1` appends, `x[1 2]` reads a list,
/// `x=1` writes, `x>1` and `x>` read a register, and `x?` reads nobody knows what.
fn shown(txns: &Txns) -> String {
    let one = |id: u32| {
        let txn = txns.txn(id);
        let completed = if txn.completed == u32::MAX { String::new() } else { txn.completed.to_string() };
        let status = match txn.status {
            Status::Ok => "ok",
            Status::Fail => "fail",
            Status::Info => "info",
        };
        let mops = txns.mops_of(id).map(|mop| {
            let (_, key, mop) = txns.mop(mop);
            let key = txns.key_name(key);
            match mop {
                Mop::Append(value) => format!(" {key}+{}", txns.show(value)),
                Mop::Write(value) => format!(" {key}={}", txns.show(value)),
                Mop::Read(Some(value)) => format!(" {key}>{}", txns.show(value)),
                Mop::Read(None) => format!(" {key}>"),
                Mop::Unread => format!(" {key}?"),
                Mop::List(list) => {
                    let list: Vec<_> =
                        txns.list(key_of(txns, id, &key), list).iter().map(|v| txns.show(*v)).collect();
                    format!(" {key}[{}]", list.join(" "))
                }
            }
        });
        let node = txns.nodes()[usize::from(txn.node)];
        format!("{}@{node} {}-{completed} {status}:{}", txn.process, txn.invoked, mops.collect::<String>())
    };
    (0..txns.len() as u32).map(one).collect::<Vec<_>>().join("; ")
}

fn key_of(txns: &Txns, id: u32, name: &str) -> u32 {
    let mut keys = txns.mops_of(id).map(|mop| txns.mop(mop).1);
    keys.find(|&key| txns.key_name(key) == name).unwrap()
}

/// The same with times, for comparing whole histories.
fn timed(txns: &Txns) -> String {
    let times: Vec<String> = txns.all().iter().map(|txn| format!("{}-{}", txn.start.0, txn.end.0)).collect();
    format!("{} | {}", shown(txns), times.join(" "))
}

/// The fault of `text`.
fn fault(text: &str) -> String {
    match read_from("file", text.as_bytes(), None) {
        Ok(import) => panic!("{import:?}"),
        Err(error) => error.to_string(),
    }
}
