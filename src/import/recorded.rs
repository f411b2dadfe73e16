//! A run's own history of transactions: JSON Lines with a header and a trailer, as [`file`] has them.
//!
//! Nearly every line is as replab writes it, and read by [`scan`]; any other is left to serde.

use rustc_hash::FxHashMap;

use super::error::{Fault, Result};
use super::input::{Input, Stop};
use super::scan::{Scanned, What, scan};
use crate::history::file;
use crate::history::txn::Txns;
use crate::history::txn::recorded::{Answers, Asked, Became, Moment, NotTransactions, Recorded, take};
use crate::history::{Header, Micro, NodeName, Process};

/// Reads the whole file: its transactions, and whether its writer came to its end.
pub(super) fn read(input: &mut Input<'_>) -> Result<(Txns, bool)> {
    input.forgive_cut();
    let place = input.place();
    if input.is_marked() {
        return Fault::at(place, "not a header: a byte order mark, which replab does not write");
    }
    let Some(line) = input.take(whole)? else { return Fault::at(place, "no header") };
    let header = file::header(&line).or_else(|message| Fault::at(place, message))?;
    let mut events = Events::default();
    let mut is_complete = false;
    let mut micros = Vec::new();
    loop {
        let place = input.place();
        if input.window().is_empty() {
            if input.is_last() {
                break;
            }
            input.more()?;
            continue;
        }
        if is_complete {
            return Fault::at(place, "something follows the trailer");
        }
        let found = input.line(|window| {
            let scanned = scan(window, &mut micros, &mut events.answers)?;
            Some((events.fast(&scanned, &micros), scanned.bytes))
        });
        if let Some(taken) = found {
            taken.map_err(|error| Fault::At(place, error.to_string()))?;
            continue;
        }
        let Some(line) = input.take(whole)? else { break };
        is_complete = events
            .slow(&line)
            .or_else(|message| Fault::at(place, format!("{message}{}", is_of_another_kind(&header))))?;
    }
    let txns = events.recorded.finish().map_err(|error| Fault::At(input.place(), error.to_string()))?;
    Ok((txns, is_complete))
}

/// The line that the window begins with, with its break. `None`: the file is cut in it.
fn whole(window: &[u8], is_last: bool) -> std::result::Result<(Option<Vec<u8>>, usize), Stop> {
    match window.iter().position(|&byte| byte == b'\n') {
        Some(end) => Ok((Some(window[..=end].to_vec()), end + 1)),
        None if is_last => Ok((None, window.len())),
        None => Err(Stop::More),
    }
}

/// Other workloads' histories are no transactions, and only their run judges them.
fn is_of_another_kind(header: &Header) -> String {
    match header.workload.as_str() {
        "orders" | "counter" | "nemesis" => format!(
            "; this is the history of `{}`: `replab check` takes the run's directory",
            header.workload
        ),
        _ => String::new(),
    }
}

#[derive(Default)]
struct Events {
    recorded: Recorded,
    answers: Answers,
    /// The nodes so far, as each name is kept behind a lock.
    nodes: FxHashMap<Box<str>, NodeName>,
}

impl Events {
    fn fast(&mut self, scanned: &Scanned<'_>, micros: &[Micro]) -> std::result::Result<(), NotTransactions> {
        let node = match self.nodes.get(scanned.node) {
            Some(node) => *node,
            None => {
                let node = NodeName::new(scanned.node);
                self.nodes.insert(scanned.node.into(), node);
                node
            }
        };
        let Scanned { index, time, .. } = *scanned;
        let moment = Moment { index, time, process: Process::Client(scanned.process), node };
        match scanned.what {
            What::Asked => self.recorded.invoke(moment, Asked::Transaction(micros)),
            What::Committed => self.recorded.complete(moment, Became::Committed(&self.answers)),
            What::Failed => self.recorded.complete(moment, Became::Failed),
            What::Unknown => self.recorded.complete(moment, Became::Unknown),
        }
    }

    /// Whether the line was the trailer.
    fn slow(&mut self, line: &[u8]) -> std::result::Result<bool, String> {
        if file::trailer(line, self.recorded.events())? {
            return Ok(true);
        }
        let event = file::event(line)?;
        take(&mut self.recorded, &event, &mut self.answers).map_err(|error| error.to_string())?;
        Ok(false)
    }
}
