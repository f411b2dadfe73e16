//! dbcop's JSON: sessions of transactions of reads and writes (Biswas and Enea, *On the Complexity of Checking Transactional
//! Consistency*, OOPSLA 2019).
//!
//! The file is `[session, …]`, or an object that has it as `data`. A session is a list of
//! `{"events": […], "committed": true}`; of 2019, `success` stands for `committed`. An event is
//! `{"Write": {"variable": 0, "version": 1}}`, `{"Read": …}`, short `["w", 0, 1]`, or, of 2019,
//! `{"write": true, "variable": 0, "value": 1, "success": true}`, where a register holds 0 at first.

use super::error::{Fault, Place, Result};
use super::reader::Reader;
use super::sessions::{Access, Sessions};
use super::tape::{Item, Shape};
use super::value::{excerpt, value};
use crate::history::txn::{Status, TxnId, Txns, Value};

/// Reads the whole file.
pub(super) fn read(reader: &mut Reader<'_>) -> Result<Txns> {
    let mut sessions = Sessions::default();
    if reader.peek()? == Some(b'[') {
        all(reader, &mut sessions)?;
    } else {
        object(reader, &mut sessions)?;
    }
    match reader.peek()? {
        None => sessions.finish(),
        Some(_) => Fault::at(reader.place(), "something follows the end of the history"),
    }
}

/// The object around the sessions.
fn object(reader: &mut Reader<'_>, sessions: &mut Sessions) -> Result<()> {
    let start = reader.place();
    reader.expect(b'{')?;
    let mut has_data = false;
    loop {
        let is_data = reader.value()?.0.text() == Some("data");
        reader.expect(b':')?;
        if is_data {
            all(reader, sessions)?;
            has_data = true;
        } else {
            reader.value()?;
        }
        if reader.peek()? != Some(b',') {
            break;
        }
        reader.expect(b',')?;
    }
    reader.expect(b'}')?;
    if has_data { Ok(()) } else { Fault::at(start, "this object has no `data` with sessions") }
}

fn all(reader: &mut Reader<'_>, sessions: &mut Sessions) -> Result<()> {
    let mut session = 0u32;
    reader.members(|reader| {
        reader.members(|reader| {
            let (item, place) = reader.value()?;
            transaction(sessions, session, item, place)
        })?;
        session = session.saturating_add(1);
        Ok(())
    })
}

fn transaction(sessions: &mut Sessions, session: u32, item: Item<'_>, place: Place) -> Result<()> {
    let committed = item.get("committed").or_else(|| item.get("success")).and_then(Item::text);
    let status = match committed {
        Some("true") => Status::Ok,
        Some("false") => Status::Fail,
        _ => return unknown(item, place),
    };
    let Some(events) = item.get("events").filter(|events| events.shape() == Some(Shape::Sequence)) else {
        return unknown(item, place);
    };
    let txn = sessions.begin(session, status, place)?;
    let mut failed = None;
    for item in events.members() {
        let event = event(sessions, item, place)?;
        let txn = match (event.access, event.succeeded) {
            // A write that failed in a transaction that did not is as one of a transaction that was aborted.
            (Access::Write(_), Succeeded::No) if status == Status::Ok => {
                aborted(sessions, &mut failed, session, place)?
            }
            _ => txn,
        };
        sessions.access(txn, event.key, event.access);
    }
    Ok(())
}

fn aborted(sessions: &mut Sessions, failed: &mut Option<TxnId>, session: u32, place: Place) -> Result<TxnId> {
    match *failed {
        Some(txn) => Ok(txn),
        None => Ok(*failed.insert(sessions.begin(session, Status::Fail, place)?)),
    }
}

fn unknown<T>(item: Item<'_>, place: Place) -> Result<T> {
    let message = format!("a transaction is {{\"events\": […], \"committed\": true}}, not {}", excerpt(item));
    Fault::at(place, message)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Succeeded {
    Yes,
    No,
}

struct Event {
    key: Value,
    access: Access,
    succeeded: Succeeded,
}

fn event(sessions: &mut Sessions, item: Item<'_>, place: Place) -> Result<Event> {
    let is = |key: &str, word: &str| item.get(key).and_then(Item::text) == Some(word);
    let succeeded = if is("success", "false") { Succeeded::No } else { Succeeded::Yes };
    let (kind, variable, version) = if let Some([kind, variable, version]) = item.sequence() {
        (kind.text(), Some(variable), Some(version))
    } else if let Some((kind, of)) =
        ["Read", "Write"].into_iter().find_map(|kind| Some((kind, item.get(kind)?)))
    {
        (Some(kind), of.get("variable"), of.get("version"))
    } else {
        let kind = if is("write", "true") { Some("W") } else { is("write", "false").then_some("R") };
        (kind, item.get("variable"), item.get("value"))
    };
    let (Some(kind), Some(variable), Some(version)) = (kind, variable, version) else {
        let message = format!(
            "an event is {{\"Read\": {{\"variable\": 0, \"version\": 1}}}} or the same with \"Write\", not {}",
            excerpt(item)
        );
        return Fault::at(place, message);
    };
    let key = value(sessions.values(), variable, place)?;
    let access = match kind {
        "r" | "Read" | "R" if succeeded == Succeeded::No => Access::Unread,
        "r" | "Read" | "R" if version.is_nil() => Access::Read(None),
        "R" if version.integer() == Some(0) => Access::ReadZero,
        "r" | "Read" | "R" => Access::Read(Some(value(sessions.values(), version, place)?)),
        "w" | "Write" | "W" => Access::Write(value(sessions.values(), version, place)?),
        _ => return Fault::at(place, format!("an event reads (r) or writes (w), not {}", excerpt(item))),
    };
    Ok(Event { key, access, succeeded })
}
