//! Histories as Jepsen has them: events in the order in which they happened.

use super::Imported;
use super::classify::classify;
use super::error::{Fault, Place, Result};
use super::event::{Event, Type, event};
use super::operations::Collected;
use super::reader::Reader;
use super::transactions::{Transactions, is_transaction};
use crate::history::Nanos;

/// When something happened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// Among all events of clients, from 0.
    pub(super) event: u32,
    pub(super) time: Nanos,
}

/// What the operations of a history are.
#[derive(Debug, Default)]
enum History {
    #[default]
    Undecided,
    /// And where the first one is.
    Transactions(Box<Transactions>, Place),
    Operations(Collected, Place),
}

/// Reads the whole file.
pub(super) fn read(reader: &mut Reader<'_>) -> Result<Imported> {
    let mut history = History::default();
    let mut clock = Clock::default();
    reader.all(|reader| {
        let (item, place) = reader.value()?;
        let Some(event) = event(item, place)? else { return Ok(()) };
        let moment = clock.next(&event)?;
        history.decide(&event)?;
        match &mut history {
            History::Transactions(transactions, _) => transactions.event(&event, moment),
            History::Operations(operations, _) => operations.event(&event, moment),
            History::Undecided => Ok(()),
        }
    })?;
    match history {
        History::Transactions(transactions, _) => Ok(Imported::Transactions(transactions.finish()?)),
        History::Operations(operations, _) => classify(&operations),
        History::Undecided => Ok(Imported::Transactions(Transactions::default().finish()?)),
    }
}

impl History {
    /// The first event says what the others have to be.
    fn decide(&mut self, event: &Event<'_>) -> Result<()> {
        if event.r#type != Type::Invoke && !matches!(self, History::Undecided) {
            return Ok(());
        }
        let is_txn = event.f == Some("txn") || event.value.is_some_and(is_transaction);
        let (others, since) = match self {
            History::Undecided if is_txn => {
                *self = History::Transactions(Box::default(), event.place);
                return Ok(());
            }
            History::Undecided => {
                *self = History::Operations(Collected::default(), event.place);
                return Ok(());
            }
            History::Transactions(_, since) if !is_txn => ("transactions", since),
            History::Operations(_, since) if is_txn => ("no transactions", since),
            History::Transactions(..) | History::Operations(..) => return Ok(()),
        };
        let f = event.f.unwrap_or("nil");
        let message =
            format!("`:f :{f}` does not fit: the operations since line {} are {others}", since.line);
        Fault::at(event.place, message)
    }
}

/// Numbers events, and makes their times start at zero or later.
#[derive(Debug, Default)]
struct Clock {
    events: u32,
    /// What is taken from every time: the first one, where it is negative.
    offset: Option<i64>,
    last: Nanos,
}

impl Clock {
    fn next(&mut self, event: &Event<'_>) -> Result<Moment> {
        if self.events == u32::MAX {
            return Fault::at(event.place, format!("there are more than {} events", u32::MAX));
        }
        if let Some(time) = event.time {
            let offset = *self.offset.get_or_insert(time.min(0));
            let since = i128::from(time) - i128::from(offset);
            self.last = Nanos(u64::try_from(since.max(0)).unwrap_or(u64::MAX));
        }
        let moment = Moment { event: self.events, time: self.last };
        self.events += 1;
        Ok(moment)
    }
}
