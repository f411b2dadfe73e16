//! Transactions as text, for tests: `ax1 ry12; 3-5 2@replica-1: rx1; ax2 !`.
//!
//! One transaction a line (or a `;`): `[start-end] [process][@node]: operations [ending]`. Without times it is concurrent
//! with all that have none; without a process it has one of its own; without a node it is on the primary. Endings: none
//! (acknowledged), `!` (certainly not committed), `?` (unknown), `...` (never completed).
//!
//! | operation | is |
//! |---|---|
//! | `ax1` | appends 1 to the list x |
//! | `rx`, `rx12`, `rx[10,11]`, `rx?` | reads x: empty, 1 and 2, 10 and 11, nobody knows what |
//! | `wx1` | writes 1 into the register x |
//! | `gx`, `gx1` | gets the register x: nothing there, 1 |

use super::{Builder, Seen, Status, Txns, Value};
use crate::history::{Nanos, NodeName};

/// Times of transactions without times, in milliseconds.
const ALWAYS: (u64, u64) = (0, 1_000_000);

struct Line {
    times: (u64, u64),
    process: u32,
    node: NodeName,
    mops: Vec<(char, char, Option<Vec<i64>>)>,
    ending: Option<Status>,
}

/// The transactions that `text` describes.
pub(crate) fn txns(text: &str) -> Txns {
    let lines = text.split([';', '\n']).map(str::trim).filter(|line| !line.is_empty());
    let lines: Vec<Line> = (100..).zip(lines).map(|(free, text)| line(text, free)).collect();
    // At the same moment, who begins comes before who ends.
    let mut events: Vec<(u64, bool, usize)> = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        events.push((line.times.0, false, number));
        if line.ending.is_some() {
            events.push((line.times.1, true, number));
        }
    }
    events.sort();
    let mut builder = Builder::default();
    let mut ids = vec![0; lines.len()];
    for (event, (time, completes, number)) in (0..).zip(events) {
        let line = &lines[number];
        let time = Nanos::from_millis(time);
        if completes {
            builder.complete(ids[number], line.ending.expect("it has one"), event, time);
            continue;
        }
        let node = builder.node(line.node);
        ids[number] = builder.invoke(line.process, node, event, time).unwrap();
    }
    for (&id, line) in ids.iter().zip(&lines) {
        let lists: Vec<Vec<Value>> =
            line.mops.iter().map(|(_, _, list)| list.iter().flatten().map(|&n| Value(n)).collect()).collect();
        let mops: Vec<(Value, Seen<'_>)> = line
            .mops
            .iter()
            .zip(&lists)
            .map(|((kind, key, seen), list)| {
                let name = builder.values().text(&key.to_string());
                let seen = match (kind, seen) {
                    (_, None) => Seen::Unread,
                    ('a', _) => Seen::Append(list[0]),
                    ('r', _) => Seen::List(list),
                    ('w', _) => Seen::Write(list[0]),
                    ('g', _) => Seen::Read(list.first().copied()),
                    other => panic!("no operation {other:?}"),
                };
                (name, seen)
            })
            .collect();
        builder.mops(id, mops).unwrap();
    }
    builder.finish()
}

fn line(text: &str, free: u32) -> Line {
    let mut line = Line {
        times: ALWAYS,
        process: free,
        node: NodeName::primary(),
        mops: Vec::new(),
        ending: Some(Status::Ok),
    };
    for word in text.split_whitespace() {
        let times = word.split_once('-').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
        match word {
            "!" => line.ending = Some(Status::Fail),
            "?" => line.ending = Some(Status::Info),
            "..." => line.ending = None,
            _ if times.is_some() => line.times = times.unwrap(),
            _ if word.ends_with(':') => {
                let (process, node) =
                    word[..word.len() - 1].split_once('@').unwrap_or((&word[..word.len() - 1], "primary"));
                line.process = if process.is_empty() { free } else { process.parse().unwrap() };
                line.node = NodeName::new(node);
            }
            _ => line.mops.push(mop(word)),
        }
    }
    line
}

fn mop(word: &str) -> (char, char, Option<Vec<i64>>) {
    let mut letters = word.chars();
    let (kind, key) = (letters.next().unwrap(), letters.next().unwrap());
    let rest = letters.as_str();
    let seen = match rest.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        _ if rest == "?" => None,
        Some(list) => Some(list.split(',').map(|n| n.trim().parse().unwrap()).collect()),
        None if kind == 'r' => {
            Some(rest.chars().map(|digit| i64::from(digit.to_digit(10).unwrap())).collect())
        }
        None => Some(rest.parse().into_iter().collect()),
    };
    (kind, key, seen)
}
