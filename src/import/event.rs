//! One event of Jepsen's: a map with `:type`, `:process`, `:f`, `:value`, `:time` and perhaps `:node`.

use super::error::{Fault, Place, Result};
use super::tape::{Item, Shape};
use super::value::{excerpt, integer};
use crate::history::txn::Status;
use crate::suggest::hint;

/// What an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Invoke,
    Complete(Status),
}

/// An event of a client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event<'t> {
    pub(super) place: Place,
    pub(super) r#type: Type,
    pub(super) process: u32,
    /// What is done; of a completion it may be missing.
    pub(super) f: Option<&'t str>,
    pub(super) value: Option<Item<'t>>,
    /// In nanoseconds.
    pub(super) time: Option<i64>,
    pub(super) node: Option<&'t str>,
}

/// Reads an event; `None`: it is no client's.
pub(super) fn event(item: Item<'_>, place: Place) -> Result<Option<Event<'_>>> {
    if item.shape() != Some(Shape::Map) {
        let message = format!("an event is a map with :type, :process, :f and :value, not {}", excerpt(item));
        return Fault::at(place, message);
    }
    let (mut kind, mut process, mut f, mut value, mut time, mut node) = (None, None, None, None, None, None);
    for (key, of) in item.entries() {
        match key.name() {
            Some("type") => kind = Some(of),
            Some("process") => process = Some(of),
            Some("f") => f = Some(of),
            Some("value") => value = Some(of),
            Some("time") => time = Some(of),
            Some("node") => node = of.name(),
            _ => {}
        }
    }
    let Some(process) = process else { return missing(":process", place) };
    if process.name() == Some("nemesis") {
        return Ok(None);
    }
    let number = integer(process, "a `:process`", place)?;
    let Ok(process) = u32::try_from(number) else {
        return Fault::at(place, format!("a `:process` is from 0 to {}, not {number}", u32::MAX));
    };
    let Some(kind) = kind else { return missing(":type", place) };
    let f = match f {
        None => None,
        Some(f) if f.is_nil() => None,
        Some(f) => match f.name() {
            Some(name) => Some(name),
            None => return Fault::at(place, format!("`:f` is a keyword, not {}", excerpt(f))),
        },
    };
    let time = match time {
        None => None,
        Some(time) if time.is_nil() => None,
        Some(time) => Some(integer(time, "`:time`, in nanoseconds,", place)?),
    };
    Ok(Some(Event { place, r#type: r#type(kind, place)?, process, f, value, time, node }))
}

fn missing<T>(key: &str, place: Place) -> Result<T> {
    Fault::at(place, format!("this event has no `{key}`"))
}

fn r#type(item: Item<'_>, place: Place) -> Result<Type> {
    let name = item.name();
    match name {
        Some("invoke") => Ok(Type::Invoke),
        Some("ok") => Ok(Type::Complete(Status::Ok)),
        Some("fail") => Ok(Type::Complete(Status::Fail)),
        Some("info") => Ok(Type::Complete(Status::Info)),
        _ => {
            let near = hint(name.unwrap_or_default(), ["invoke", "ok", "fail", "info"]);
            let message = format!("`:type` is :invoke, :ok, :fail or :info, not {}{near}", excerpt(item));
            Fault::at(place, message)
        }
    }
}
