//! Histories in files: Jepsen's in EDN and JSON, those of dbcop, those of PolySI, Plume and AWDIT, and replab's own of
//! transactions.
//!
//! A history of transactions becomes [`Txns`]; of Jepsen's other workloads, the operations are kept as they are. Files may be
//! compressed with zstd, and may be larger than memory: only what is in them is kept, not their text.
//!
//! Every fault is an error that says where it is and what is expected there; nothing is guessed and nothing repaired.

mod calls;
mod classify;
mod dbcop;
mod edn;
mod error;
mod event;
mod export;
mod format;
mod input;
mod jepsen;
mod json;
mod operations;
mod pipe;
mod plume;
mod reader;
mod recorded;
mod scan;
mod sessions;
mod tape;
mod token;
mod transactions;
mod value;
mod workload;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::history::txn::Txns;
use input::Input;
use reader::{Reader, Syntax};

pub use error::ImportError;
pub use export::{edn, json, replab};
pub use format::{Format, UnknownFormat};
pub use workload::{BankAction, CounterAction, Operation, Operations, RegisterAction, SetAction};

/// A history as it was read.
#[derive(Clone, Debug)]
pub struct Import {
    /// The format that it was in.
    pub format: Format,
    /// Which orders of time it has.
    pub orders: Orders,
    /// False for a file of replab's own that ends before its trailer: it was read as far as it goes. Nothing tells of other
    /// formats whether they are whole.
    pub complete: bool,
    /// What happened.
    pub history: Imported,
}

/// Which orders of time a history has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Orders {
    /// Who completed before who was invoked.
    RealTime,
    /// Only that of the transactions of each session, which is its process. Their numbers are in that order, their times are
    /// all zero, and all are concurrent: a checker of real time finds nothing in it.
    Sessions,
}

/// What was read.
#[derive(Clone, Debug)]
pub enum Imported {
    /// Transactions on lists or on registers; also Jepsen's long fork.
    Transactions(Txns),
    /// Transfers between accounts.
    Bank(Operations<BankAction>),
    /// A set that grows, or several that are independent.
    Set(Operations<SetAction>),
    /// A counter, or several that are independent.
    Counter(Operations<CounterAction>),
    /// One register, or several that are independent.
    CasRegister(Operations<RegisterAction>),
}

/// Reads the history in the file `path`, in `format`, or in the one that its content shows.
///
/// # Errors
/// The first fault, and where it is.
pub fn read(path: &Path, format: Option<Format>) -> Result<Import, ImportError> {
    let name = path.display().to_string();
    match File::open(path) {
        Ok(file) => read_from(&name, file, format),
        Err(source) => Err(ImportError::Io { path: name, source }),
    }
}

/// The same of any source; errors call it `name`.
///
/// # Errors
/// As [`read`].
pub fn read_from<'s>(
    name: &str,
    source: impl Read + Send + 's,
    format: Option<Format>,
) -> Result<Import, ImportError> {
    std::thread::scope(|scope| {
        let mut input = Input::new(source, scope).map_err(|fault| fault.of(name, None))?;
        let format = match format {
            Some(format) => format,
            None => format::detect(&mut input).map_err(|fault| fault.of(name, None))?,
        };
        history(input, format).map_err(|fault| fault.of(name, Some(format)))
    })
}

fn history(mut input: Input<'_>, format: Format) -> error::Result<Import> {
    let mut complete = true;
    let (orders, history) = match format {
        Format::Edn => (Orders::RealTime, jepsen::read(&mut Reader::new(input, Syntax::Edn))?),
        Format::Json => (Orders::RealTime, jepsen::read(&mut Reader::new(input, Syntax::Json))?),
        Format::Dbcop => {
            let txns = dbcop::read(&mut Reader::new(input, Syntax::Json))?;
            (Orders::Sessions, Imported::Transactions(txns))
        }
        Format::Plume => (Orders::Sessions, Imported::Transactions(plume::read(&mut input)?)),
        Format::Replab => {
            let (txns, is_complete) = recorded::read(&mut input)?;
            complete = is_complete;
            (Orders::RealTime, Imported::Transactions(txns))
        }
    };
    Ok(Import { format, orders, complete, history })
}
