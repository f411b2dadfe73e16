//! What is wrong with a file, and where.

use std::io;

use super::format::Format;
use crate::history::txn::Refused;

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// From 1.
    pub(super) line: u64,
    /// In characters, from 1.
    pub(super) column: u64,
}

impl Place {
    pub(super) const START: Place = Place { line: 1, column: 1 };

    /// The place after `text`.
    pub(super) fn after(self, text: &[u8]) -> Place {
        // A column counts the first byte of each character; of what is no text, it does not matter.
        let characters = |bytes: &[u8]| count(bytes, |byte| byte & 0xC0 != 0x80);
        match count(text, |byte| byte == b'\n') {
            0 => Place { line: self.line, column: self.column + characters(text) },
            lines => {
                let last = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
                Place { line: self.line + lines, column: 1 + characters(&text[last..]) }
            }
        }
    }
}

/// How many bytes are such. In pieces, of which each one's number is a byte, so that many are counted at once.
fn count(bytes: &[u8], is_such: impl Fn(u8) -> bool) -> u64 {
    let of = |piece: &[u8]| piece.iter().map(|&byte| u8::from(is_such(byte))).sum::<u8>();
    bytes.chunks(255).map(|piece| u64::from(of(piece))).sum()
}

/// Why a file is not read.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It cannot be read at all.
    #[error("read {path}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// Something in it is not what its format says, or does not make a history.
    #[error("{path}, line {line}, column {column}: {message}")]
    Fault {
        /// The file.
        path: String,
        /// From 1.
        line: u64,
        /// In characters, from 1.
        column: u64,
        /// What is wrong, and what would be right.
        message: String,
    },
}

/// A fault whose file is added later.
#[derive(Debug)]
pub(super) enum Fault {
    Io(io::Error),
    At(Place, String),
}

pub(super) type Result<T> = std::result::Result<T, Fault>;

impl Fault {
    pub(super) fn at<T>(place: Place, message: impl Into<String>) -> Result<T> {
        Err(Fault::At(place, message.into()))
    }

    pub(super) fn refused(place: Place) -> impl Fn(Refused) -> Fault {
        move |refused| Fault::At(place, refused.to_string())
    }

    /// The error of a file that was read in `format`.
    pub(super) fn of(self, path: &str, format: Option<Format>) -> ImportError {
        let path = path.to_owned();
        match (self, format) {
            (Fault::Io(source), _) => ImportError::Io { path, source },
            (Fault::At(Place { line, column }, message), None) => {
                ImportError::Fault { path, line, column, message }
            }
            (Fault::At(Place { line, column }, message), Some(format)) => {
                let message = format!("{message} (read as {format})");
                ImportError::Fault { path, line, column, message }
            }
        }
    }
}
