//! The formats, and how a file shows which of them it is in.

use std::fmt;
use std::str::FromStr;

use super::error::{Fault, Place, Result};
use super::input::Input;
use crate::suggest::hint;

/// How a history is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Jepsen's `history.edn`: events as maps, one after the other or in one vector.
    Edn,
    /// The same events as JSON objects, one after the other or in one array.
    Json,
    /// dbcop's sessions in JSON, as of 2019 (`write`, `value`, `success`) or later (`Read`, `Write`, `committed`).
    Dbcop,
    /// Lines of `w(key,value,session,transaction)` and `r(…)`, as PolySI, Plume and AWDIT have them.
    Plume,
    /// A run's own history of transactions, `history/append.jsonl.zst` or the like.
    Replab,
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 5] = [Format::Edn, Format::Json, Format::Dbcop, Format::Plume, Format::Replab];

    /// As flags have it.
    pub fn name(self) -> &'static str {
        match self {
            Format::Edn => "edn",
            Format::Json => "json",
            Format::Dbcop => "dbcop",
            Format::Plume => "plume",
            Format::Replab => "replab",
        }
    }
}

impl fmt::Display for Format {
    /// As flags have it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Not a format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{typed}` is not a format of histories{near}: edn, json, dbcop, plume, replab")]
pub struct UnknownFormat {
    typed: String,
    near: String,
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> std::result::Result<Format, UnknownFormat> {
        let wanted = text.trim().to_ascii_lowercase();
        Format::ALL.into_iter().find(|format| format.name() == wanted).ok_or_else(|| UnknownFormat {
            typed: text.to_owned(),
            near: hint(&wanted, Format::ALL.map(Format::name)),
        })
    }
}

/// The format that a file begins in.
pub(super) fn detect(input: &mut Input<'_>) -> Result<Format> {
    while meaningful(input.window()).is_empty() && !input.is_last() {
        input.consume(input.window().len());
        input.more()?;
    }
    let window = input.window();
    let fault = |message: &str| Fault::at(Place::START, message);
    if window.starts_with(b"JEPSEN") {
        return fault("this is Jepsen's binary store; beside it is a history.edn, which can be read");
    }
    if window.starts_with(&[0x1F, 0x8B]) {
        return fault("this is compressed with gzip; decompress it first");
    }
    match meaningful(window) {
        [] => fault("there is nothing in it"),
        [b'w' | b'r', b'(', ..] => Ok(Format::Plume),
        [b';' | b'#' | b'(', ..] => Ok(Format::Edn),
        [b'{', object @ ..] => of_object(object),
        [b'[', sequence @ ..] => match meaningful(sequence) {
            [b'{', object @ ..] => of_object(object),
            [b'[', ..] => Ok(Format::Dbcop),
            _ => Ok(Format::Edn),
        },
        _ => fault(
            "this begins like none of the histories that can be read: Jepsen's events in EDN or JSON, dbcop's sessions \
             in JSON, lines of w(key,value,session,transaction)",
        ),
    }
}

/// By the first key of a map.
fn of_object(object: &[u8]) -> Result<Format> {
    let [b'"', key @ ..] = meaningful(object) else { return Ok(Format::Edn) };
    let end = key.iter().position(|&byte| byte == b'"').unwrap_or(key.len());
    match &key[..end] {
        b"format" => Ok(Format::Replab),
        b"params" | b"info" | b"start" | b"end" | b"data" => Ok(Format::Dbcop),
        _ => Ok(Format::Json),
    }
}

fn meaningful(bytes: &[u8]) -> &[u8] {
    let is_blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == b',';
    &bytes[bytes.iter().position(|byte| !is_blank(byte)).unwrap_or(bytes.len())..]
}
