//! Transactions as Jepsen would have recorded them, for Elle and whoever reads its histories; and as replab does.
//!
//! What Jepsen cannot say is left out: a read of a transaction that is `ok`, of which nobody knows what it saw; and of one
//! that is not, that it saw an empty register.

use std::borrow::Cow;
use std::io::{self, Write};

use rustc_hash::FxHashSet;

use super::reader::Syntax;
use super::value::quoted;
use crate::history::txn::{Mop, Status, TxnId, Txns};
use crate::history::{
    Cause, CauseClass, Committed, Event, Header, Micro, Nanos, NodeName, Observed, Phase, Process, TxnOp,
    TxnReply, file,
};

/// Writes `txns` in EDN, an event a line, in the order of the events.
///
/// # Errors
/// Those of `to`; and [`io::ErrorKind::InvalidInput`] where a process runs more than one transaction at a time, as in
/// histories that have only [sessions](super::Orders::Sessions): no history of Jepsen's does.
pub fn edn(txns: &Txns, to: &mut impl Write) -> io::Result<()> {
    write(txns, Syntax::Edn, to)
}

/// Writes `txns` in JSON, an event a line, in the order of the events.
///
/// # Errors
/// As [`edn`].
pub fn json(txns: &Txns, to: &mut impl Write) -> io::Result<()> {
    write(txns, Syntax::Json, to)
}

/// How much is written at a time, in bytes.
const CHUNK: usize = 1 << 16;

/// Writes `txns` as a run would have recorded them; gives back what was written to. Nobody knows any more why a transaction
/// did not commit, so that each has the same cause.
///
/// # Errors
/// As [`edn`]; and [`io::ErrorKind::InvalidInput`] where a key or a value is no integer, or a process goes on after a
/// transaction of unknown outcome, or time goes back: no history of replab's has that.
pub fn replab<W: Write>(txns: &Txns, workload: &str, to: W) -> io::Result<W> {
    let concurrency = txns.all().iter().map(|txn| txn.process.saturating_add(1)).max().unwrap_or(1);
    let header = Header { workload: workload.to_owned(), concurrency };
    let mut writer = file::Writer::begin(to, &header)?;
    let mut retired = FxHashSet::default();
    let (mut index, mut last) = (0, Nanos(0));
    each(txns, |id, completed| {
        let process = txns.txn(id).process;
        if retired.contains(&process) {
            let message = format!("process {process} goes on after a transaction of unknown outcome");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        if completed == Some(Status::Info) {
            retired.insert(process);
        }
        let event = event(txns, index, id, completed)?;
        if event.time < last {
            let message =
                format!("event {index} is earlier ({}) than the one before it ({last})", event.time);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        last = event.time;
        index += 1;
        writer.append(event)
    })?;
    writer.end()
}

fn event(txns: &Txns, index: u64, id: TxnId, completed: Option<Status>) -> io::Result<Event<TxnOp>> {
    let txn = txns.txn(id);
    // A read that was acknowledged with nobody knows what cannot be said.
    let mops = || txns.mops_of(id).map(|mop| txns.mop(mop));
    let mops = mops().filter(|(.., mop)| txn.status != Status::Ok || *mop != Mop::Unread);
    let integer = |shown: Cow<'_, str>| {
        let parsed = shown.parse::<i64>();
        parsed.map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, format!("`{shown}` is no integer")))
    };
    let value = |value| integer(txns.show(value));
    let cause = || {
        let message = "not known any more".to_owned();
        Box::new(Cause { class: CauseClass::Server, sqlstate: None, message })
    };
    let phase = match completed {
        None => {
            let micro = |(_, key, mop)| {
                let key = integer(txns.key_name(key))?;
                Ok(match mop {
                    Mop::Append(element) => Micro::Append(key, value(element)?),
                    Mop::Write(written) => Micro::Write(key, value(written)?),
                    Mop::List(_) | Mop::Read(_) | Mop::Unread => Micro::Read(key),
                })
            };
            Phase::Invoke { op: TxnOp::Transaction(mops.map(micro).collect::<io::Result<_>>()?) }
        }
        Some(Status::Ok) => {
            let mut reads = Vec::new();
            for (_, key, mop) in mops {
                reads.push(match mop {
                    Mop::List(list) => {
                        let list = txns.list(key, list).iter().map(|&element| value(element));
                        Observed::List(list.collect::<io::Result<_>>()?)
                    }
                    Mop::Read(seen) => Observed::Register(seen.map(value).transpose()?),
                    Mop::Append(_) | Mop::Write(_) | Mop::Unread => continue,
                });
            }
            let reply = TxnReply::Committed(Committed { reads, xid: None, lsn: None });
            Phase::Ok { reply, warning: None }
        }
        Some(Status::Fail) => Phase::Fail { cause: cause() },
        Some(Status::Info) => Phase::Info { cause: cause() },
    };
    let time = if completed.is_some() { txn.end } else { txn.start };
    let node = txns.nodes()[usize::from(txn.node)];
    Ok(Event { index, time, process: Process::Client(txn.process), node, phase })
}

/// Invocations and completions in their order.
fn each(txns: &Txns, mut event: impl FnMut(TxnId, Option<Status>) -> io::Result<()>) -> io::Result<()> {
    let mut completions: Vec<(u32, TxnId)> = (0..)
        .zip(txns.all())
        .map(|(id, txn)| (txn.completed, id))
        .filter(|&(at, _)| at != u32::MAX)
        .collect();
    completions.sort_unstable();
    let mut completions = completions.into_iter().peekable();
    let mut open = FxHashSet::default();
    for (id, txn) in (0..).zip(txns.all()) {
        while let Some((_, done)) = completions.next_if(|&(at, _)| at < txn.invoked) {
            event(done, Some(txns.txn(done).status))?;
            open.remove(&txns.txn(done).process);
        }
        if !open.insert(txn.process) {
            let message = format!("process {} runs more than one transaction at a time", txn.process);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        event(id, None)?;
    }
    for (_, done) in completions {
        event(done, Some(txns.txn(done).status))?;
    }
    Ok(())
}

fn write(txns: &Txns, syntax: Syntax, to: &mut impl Write) -> io::Result<()> {
    let names_nodes = txns.nodes().len() > 1 || txns.nodes().iter().any(|node| *node != NodeName::primary());
    let mut writer = Writer { txns, syntax, text: String::new(), index: 0, names_nodes };
    each(txns, |id, completed| {
        writer.event(id, completed);
        writer.flush(CHUNK, to)
    })?;
    writer.flush(0, to)
}

struct Writer<'t> {
    txns: &'t Txns,
    syntax: Syntax,
    text: String,
    index: u64,
    names_nodes: bool,
}

impl Writer<'_> {
    fn flush(&mut self, least: usize, to: &mut impl Write) -> io::Result<()> {
        if self.text.len() >= least {
            to.write_all(self.text.as_bytes())?;
            self.text.clear();
        }
        Ok(())
    }

    fn event(&mut self, id: TxnId, completed: Option<Status>) {
        let txn = self.txns.txn(id);
        let (name, time) = match completed {
            None => ("invoke", txn.start),
            Some(Status::Ok) => ("ok", txn.end),
            Some(Status::Fail) => ("fail", txn.end),
            Some(Status::Info) => ("info", txn.end),
        };
        self.text.push('{');
        self.key("index");
        self.plain(&self.index.to_string());
        self.next("type");
        self.word(name);
        self.next("process");
        self.plain(&txn.process.to_string());
        if self.names_nodes {
            self.next("node");
            quoted(&mut self.text, self.txns.nodes()[usize::from(txn.node)].as_str());
        }
        self.next("f");
        self.word("txn");
        self.next("value");
        self.mops(id, completed);
        self.next("time");
        self.plain(&time.0.to_string());
        self.text.push_str("}\n");
        self.index += 1;
    }

    fn mops(&mut self, id: TxnId, completed: Option<Status>) {
        self.text.push('[');
        let mut is_first = true;
        for number in self.txns.mops_of(id) {
            let (_, key, mop) = self.txns.mop(number);
            if completed == Some(Status::Ok) && mop == Mop::Unread {
                continue;
            }
            if !is_first {
                self.between();
            }
            is_first = false;
            self.text.push('[');
            self.word(match mop {
                Mop::Append(_) => "append",
                Mop::Write(_) => "w",
                Mop::List(_) | Mop::Read(_) | Mop::Unread => "r",
            });
            self.between();
            self.value(self.txns.key_name(key));
            self.between();
            match mop {
                Mop::Append(value) | Mop::Write(value) => self.value(self.txns.show(value)),
                _ if completed.is_none() => self.nil(),
                Mop::Read(None) | Mop::Unread => self.nil(),
                Mop::Read(Some(value)) => self.value(self.txns.show(value)),
                Mop::List(list) => {
                    self.text.push('[');
                    for (place, &element) in self.txns.list(key, list).iter().enumerate() {
                        if place > 0 {
                            self.between();
                        }
                        self.value(self.txns.show(element));
                    }
                    self.text.push(']');
                }
            }
            self.text.push(']');
        }
        self.text.push(']');
    }

    /// A value; an integer is shown in a text made for it, any other in its own.
    fn value(&mut self, shown: Cow<'_, str>) {
        match shown {
            Cow::Owned(integer) => self.plain(&integer),
            Cow::Borrowed(text) if self.syntax == Syntax::Edn && is_keyword(text) => self.plain(text),
            Cow::Borrowed(text) => quoted(&mut self.text, text),
        }
    }

    fn plain(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn nil(&mut self) {
        self.plain(if self.syntax == Syntax::Edn { "nil" } else { "null" });
    }

    fn between(&mut self) {
        self.text.push(if self.syntax == Syntax::Edn { ' ' } else { ',' });
    }

    fn word(&mut self, word: &str) {
        match self.syntax {
            Syntax::Edn => {
                self.text.push(':');
                self.plain(word);
            }
            Syntax::Json => quoted(&mut self.text, word),
        }
    }

    fn key(&mut self, key: &str) {
        self.word(key);
        self.text.push(if self.syntax == Syntax::Edn { ' ' } else { ':' });
    }

    fn next(&mut self, key: &str) {
        self.plain(if self.syntax == Syntax::Edn { ", " } else { "," });
        self.key(key);
    }
}

/// Whether a text can be written as a keyword of EDN.
fn is_keyword(text: &str) -> bool {
    text.strip_prefix(':').is_some_and(|name| {
        name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name
                .chars()
                .all(|character| character.is_ascii_alphanumeric() || "*!_?<>=.-".contains(character))
    })
}
