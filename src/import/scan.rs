//! A line of a run's own history as replab writes it, read without any look back.
//!
//! What is written otherwise, of whatever it is, is left to [`file::event`](crate::history::file::event): nothing is taken
//! here that it would refuse, or take as something else, and a test compares the two.

use crate::history::txn::Value;
use crate::history::txn::recorded::Answers;
use crate::history::{Micro, Nanos};

/// Longer integers may have more than 64 bits, or be numbers of texts among the values.
const DIGITS: usize = 18;

/// What a line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A transaction was asked for; its operations were put into the micro-operations.
    Asked,
    /// It is committed; what it read was put into the answers.
    Committed,
    Failed,
    Unknown,
}

/// A line that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scanned<'w> {
    pub(super) index: u64,
    pub(super) time: Nanos,
    pub(super) process: u32,
    pub(super) node: &'w str,
    pub(super) what: What,
    /// How long it is, with its line break.
    pub(super) bytes: usize,
}

/// The event on the line that `window` begins with; `None`: it is written otherwise, or does not end in the window.
pub(super) fn scan<'w>(
    window: &'w [u8],
    micros: &mut Vec<Micro>,
    answers: &mut Answers,
) -> Option<Scanned<'w>> {
    let mut line = Line { window, at: 0 };
    line.skip(b"{\"index\":")?;
    let index = line.unsigned()?;
    line.skip(b",\"time\":")?;
    let time = Nanos(line.unsigned()?);
    line.skip(b",\"process\":")?;
    let process = u32::try_from(line.unsigned()?).ok()?;
    line.skip(b",\"node\":")?;
    let node = line.plain()?;
    line.skip(b",\"type\":\"")?;
    let what = if line.skip(b"ok\",\"reply\":{\"committed\":{\"reads\":[").is_some() {
        line.committed(answers)?;
        What::Committed
    } else if line.skip(b"invoke\",\"op\":{").is_some() {
        line.asked(micros)?;
        What::Asked
    } else if line.skip(b"fail\",\"cause\":{").is_some() {
        line.cause()?;
        What::Failed
    } else {
        line.skip(b"info\",\"cause\":{")?;
        line.cause()?;
        What::Unknown
    };
    line.skip(b"}\n")?;
    Some(Scanned { index, time, process, node, what, bytes: line.at })
}

struct Line<'w> {
    window: &'w [u8],
    at: usize,
}

impl<'w> Line<'w> {
    #[inline]
    fn skip(&mut self, expected: &[u8]) -> Option<()> {
        let rest = self.window.get(self.at..)?;
        rest.starts_with(expected).then(|| self.at += expected.len())
    }

    #[inline]
    fn next(&mut self) -> Option<u8> {
        let byte = *self.window.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    #[inline]
    fn unsigned(&mut self) -> Option<u64> {
        let rest = self.window.get(self.at..)?;
        let mut integer = 0u64;
        let mut digits = 0;
        while let Some(digit) = rest.get(digits).map(|byte| byte.wrapping_sub(b'0')).filter(|&d| d < 10) {
            if digits == DIGITS {
                return None;
            }
            integer = integer * 10 + u64::from(digit);
            digits += 1;
        }
        // No number of JSON begins with a zero, but zero.
        if digits == 0 || (rest[0] == b'0' && digits > 1) {
            return None;
        }
        self.at += digits;
        Some(integer)
    }

    #[inline]
    fn integer(&mut self) -> Option<i64> {
        if self.skip(b"-").is_none() {
            return Some(self.unsigned()? as i64);
        }
        // Negative zero is a floating-point number to serde.
        let integer = self.unsigned().filter(|&integer| integer > 0)?;
        Some(-(integer as i64))
    }

    /// A text without escapes, of ASCII only.
    fn plain(&mut self) -> Option<&'w str> {
        self.skip(b"\"")?;
        let rest = self.window.get(self.at..)?;
        let end =
            rest.iter().position(|&byte| !matches!(byte, b' '..=b'~') || matches!(byte, b'"' | b'\\'))?;
        if rest[end] != b'"' {
            return None;
        }
        self.at += end + 1;
        std::str::from_utf8(&rest[..end]).ok()
    }

    /// What follows `"op":{`.
    fn asked(&mut self, micros: &mut Vec<Micro>) -> Option<()> {
        micros.clear();
        self.skip(b"\"transaction\":[").or_else(|| self.skip(b"\"last\":["))?;
        if self.skip(b"]}").is_some() {
            return Some(());
        }
        loop {
            let micro = if self.skip(b"{\"read\":").is_some() {
                Micro::Read(self.integer()?)
            } else if self.skip(b"{\"append\":[").is_some() {
                let (key, element) = self.pair()?;
                Micro::Append(key, element)
            } else {
                self.skip(b"{\"write\":[")?;
                let (key, value) = self.pair()?;
                Micro::Write(key, value)
            };
            self.skip(b"}")?;
            micros.push(micro);
            match self.next()? {
                b',' => {}
                b']' => return self.skip(b"}"),
                _ => return None,
            }
        }
    }

    fn pair(&mut self) -> Option<(i64, i64)> {
        let key = self.integer()?;
        self.skip(b",")?;
        let of = self.integer()?;
        self.skip(b"]")?;
        Some((key, of))
    }

    /// What follows `"reads":[`.
    fn committed(&mut self, answers: &mut Answers) -> Option<()> {
        answers.clear();
        let mut is_empty = self.skip(b"]").is_some();
        while !is_empty {
            if self.skip(b"[").is_some() {
                self.list(answers)?;
            } else if self.skip(b"null").is_some() {
                answers.register(None);
            } else {
                answers.register(Some(Value(self.integer()?)));
            }
            match self.next()? {
                b',' => {}
                b']' => is_empty = true,
                _ => return None,
            }
        }
        if self.skip(b",\"xid\":").is_some() {
            self.unsigned()?;
        }
        if self.skip(b",\"lsn\":\"").is_some() {
            self.lsn()?;
        }
        self.skip(b"}}")
    }

    #[inline]
    fn list(&mut self, answers: &mut Answers) -> Option<()> {
        let start = answers.elements();
        if self.skip(b"]").is_none() {
            loop {
                answers.element(Value(self.integer()?));
                match self.next()? {
                    b',' => {}
                    b']' => break,
                    _ => return None,
                }
            }
        }
        answers.list(start);
        Some(())
    }

    fn lsn(&mut self) -> Option<()> {
        let rest = self.window.get(self.at..)?;
        let end = rest.iter().take(20).position(|&byte| byte == b'"')?;
        let text = std::str::from_utf8(&rest[..end]).ok()?;
        text.parse::<crate::lsn::Lsn>().ok()?;
        self.at += end + 1;
        Some(())
    }

    /// What follows `"cause":{`.
    fn cause(&mut self) -> Option<()> {
        self.skip(b"\"class\":")?;
        let class = self.plain()?;
        let known = ["refused", "server", "connection-lost", "cannot-connect", "deadline"];
        known.contains(&class).then_some(())?;
        if self.skip(b",\"sqlstate\":").is_some() {
            self.plain()?;
        }
        self.skip(b",\"message\":")?;
        self.plain()?;
        self.skip(b"}")
    }
}
