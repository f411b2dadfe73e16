//! Lines of `r(key,value,session,transaction)` and `w(…)`: the format of PolySI, Plume and AWDIT.
//!
//! Each register holds 0 at first. A write of transaction -1 belongs to one that was aborted.

use super::error::{Fault, Place, Result};
use super::input::{Input, Stop};
use super::sessions::{Access, Named};
use super::token;
use crate::history::txn::{Status, Txns, Value};

/// The number of transactions that were aborted.
const ABORTED: i64 = -1;

/// One line.
struct Line {
    is_write: bool,
    key: i64,
    value: i64,
    session: i64,
    transaction: i64,
}

/// Reads the whole file.
pub(super) fn read(input: &mut Input<'_>) -> Result<Txns> {
    let mut named = Named::default();
    loop {
        let place = input.place();
        if let Some(line) = input.take(line)? {
            add(&mut named, &line, place)?;
        } else if input.window().is_empty() && input.is_last() {
            return named.sessions.finish();
        } else if input.window().is_empty() {
            input.more()?;
        }
    }
}

fn add(named: &mut Named, line: &Line, place: Place) -> Result<()> {
    let Ok(session) = u32::try_from(line.session) else {
        return Fault::at(place, format!("a session is from 0 to {}, not {}", u32::MAX, line.session));
    };
    let is_aborted = line.transaction == ABORTED;
    if is_aborted && !line.is_write {
        return Ok(());
    }
    let status = if is_aborted { Status::Fail } else { Status::Ok };
    let txn = named.txn(session, line.transaction, status, place)?;
    let values = named.sessions.values();
    let (key, value) = (values.integer(line.key), values.integer(line.value));
    let access = match value {
        value if line.is_write => Access::Write(value),
        Value(0) => Access::ReadZero,
        value => Access::Read(Some(value)),
    };
    named.sessions.access(txn, key, access);
    Ok(())
}

/// The line that the window begins with; `None`: there is nothing on it.
fn line(window: &[u8], is_last: bool) -> std::result::Result<(Option<Line>, usize), Stop> {
    let (text, length) = match window.iter().position(|&byte| byte == b'\n') {
        Some(end) => (&window[..end], end + 1),
        None if is_last || window.is_empty() => (window, window.len()),
        None => return Err(Stop::More),
    };
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    if text.trim_ascii().is_empty() {
        return Ok((None, length));
    }
    let is_write = match text {
        [b'w', b'(', ..] => true,
        [b'r', b'(', ..] => false,
        _ => return Err(expected(0)),
    };
    let mut numbers = [0; 4];
    let mut at = 2;
    for (place, number) in numbers.iter_mut().enumerate() {
        let end = if place == 3 { b')' } else { b',' };
        (*number, at) = integer(text, at)?;
        if text.get(at) != Some(&end) {
            return Err(expected(at));
        }
        at += 1;
    }
    if at != text.len() {
        return Err(expected(at));
    }
    let [key, value, session, transaction] = numbers;
    Ok((Some(Line { is_write, key, value, session, transaction }), length))
}

fn expected(at: usize) -> Stop {
    let message =
        "a line is w(key,value,session,transaction) or r(key,value,session,transaction), of integers";
    Stop::At(at, message.to_owned())
}

fn integer(text: &[u8], at: usize) -> std::result::Result<(i64, usize), Stop> {
    if let Some(found) = token::short(text, at) {
        return Ok(found);
    }
    let is_digit = |(place, byte): (usize, &u8)| byte.is_ascii_digit() || (place == 0 && *byte == b'-');
    let length = text[at..].iter().enumerate().position(|byte| !is_digit(byte)).unwrap_or(text.len() - at);
    let digits = std::str::from_utf8(&text[at..at + length]).unwrap_or_default();
    match digits.parse() {
        Ok(integer) => Ok((integer, at + length)),
        Err(_) if length > 18 => {
            Err(Stop::At(at, format!("the integer `{digits}` does not fit into 64 bits")))
        }
        Err(_) => Err(expected(at)),
    }
}
