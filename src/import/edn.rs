//! Extensible data notation, as Clojure prints it (github.com/edn-format/edn).
//!
//! Tags are passed over: what they mark is taken as it stands.

use super::input::Stop;
use super::tape::{DEEPEST, Kind, Node, Shape, Tape};
use super::token;

/// Reads one value onto `tape`; gives the byte after it.
pub(super) fn value(tape: &mut Tape, bytes: &[u8], is_last: bool) -> Result<usize, Stop> {
    let mut edn = Edn { bytes, at: 0, is_last, tape };
    edn.value(0)?;
    Ok(edn.at)
}

/// How much whitespace, comments and discarded values the text begins with.
pub(super) fn blank(tape: &mut Tape, bytes: &[u8], is_last: bool) -> Result<usize, Stop> {
    let mut edn = Edn { bytes, at: 0, is_last, tape };
    edn.blank(0)?;
    Ok(edn.at)
}

struct Edn<'w> {
    bytes: &'w [u8],
    at: usize,
    is_last: bool,
    tape: &'w mut Tape,
}

/// Whether a byte ends a name or a number.
fn is_delimiter(byte: u8) -> bool {
    matches!(
        byte,
        b' ' | b',' | b'\n' | b'\r' | b'\t' | 0x0C | b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'"' | b';'
    )
}

impl Edn<'_> {
    fn blank(&mut self, depth: u32) -> Result<(), Stop> {
        loop {
            match self.bytes.get(self.at) {
                Some(b' ' | b',' | b'\n' | b'\r' | b'\t' | 0x0C) => self.at += 1,
                Some(b';') => {
                    let rest = &self.bytes[self.at..];
                    match rest.iter().position(|&byte| byte == b'\n') {
                        Some(length) => self.at += length,
                        None if self.is_last => self.at = self.bytes.len(),
                        None => return Err(Stop::More),
                    }
                }
                Some(b'#') => match self.bytes.get(self.at + 1) {
                    Some(b'_') => {
                        let before = self.tape.len();
                        self.at += 2;
                        self.value(depth + 1)?;
                        self.tape.truncate(before);
                    }
                    None if !self.is_last => return Err(Stop::More),
                    _ => return Ok(()),
                },
                _ => return Ok(()),
            }
        }
    }

    fn value(&mut self, depth: u32) -> Result<(), Stop> {
        if depth > DEEPEST {
            return Err(Stop::At(self.at, format!("this is nested more than {DEEPEST} deep")));
        }
        self.blank(depth)?;
        match *self.bytes.get(self.at).ok_or(Stop::More)? {
            b'0'..=b'9' | b'-' | b'+' => self.number(),
            b'"' => {
                self.at = token::string(self.tape, self.bytes, self.at)?;
                Ok(())
            }
            b'[' => self.collection(Shape::Sequence, 1, b']', depth),
            b'(' => self.collection(Shape::Sequence, 1, b')', depth),
            b'{' => self.collection(Shape::Map, 1, b'}', depth),
            b'#' => self.dispatch(depth),
            closing @ (b']' | b')' | b'}') => {
                Err(Stop::At(self.at, format!("`{}` closes nothing", char::from(closing))))
            }
            _ => self.name(),
        }
    }

    fn number(&mut self) -> Result<(), Stop> {
        if let Some((integer, end)) = token::short(self.bytes, self.at)
            && self.bytes.get(end).map_or(self.is_last, |&byte| is_delimiter(byte))
        {
            self.tape.push(Node::Integer(integer));
            self.at = end;
            return Ok(());
        }
        let end = self.end()?;
        let text = &self.bytes[self.at..end];
        if text.iter().any(u8::is_ascii_digit) {
            token::number(self.tape, text, self.at)?;
        } else {
            self.tape.text(Kind::Name, text, self.at)?;
        }
        self.at = end;
        Ok(())
    }

    fn name(&mut self) -> Result<(), Stop> {
        let end = self.end()?;
        match &self.bytes[self.at..end] {
            b"nil" => self.tape.push(Node::Nil),
            text => self.tape.text(Kind::Name, text, self.at)?,
        }
        self.at = end;
        Ok(())
    }

    /// The byte after the name or number that begins here.
    fn end(&self) -> Result<usize, Stop> {
        // After a backslash, anything is a character.
        let least = if self.bytes[self.at] == b'\\' { 2 } else { 1 };
        let rest = self.bytes.get(self.at + least..).ok_or(Stop::More)?;
        match rest.iter().position(|&byte| is_delimiter(byte)) {
            Some(length) => Ok(self.at + least + length),
            None if self.is_last => Ok(self.bytes.len()),
            None => Err(Stop::More),
        }
    }

    /// What begins with `#`.
    fn dispatch(&mut self, depth: u32) -> Result<(), Stop> {
        match *self.bytes.get(self.at + 1).ok_or(Stop::More)? {
            b'{' => self.collection(Shape::Set, 2, b'}', depth),
            b'"' => {
                self.at = token::string(self.tape, self.bytes, self.at + 1)?;
                Ok(())
            }
            // Not a number, and the infinities.
            b'#' => self.name(),
            byte if is_delimiter(byte) => Err(Stop::At(self.at, "`#` stands before nothing".to_owned())),
            _ => {
                self.at = self.end()?;
                self.value(depth + 1)
            }
        }
    }

    fn collection(&mut self, shape: Shape, begin: usize, end: u8, depth: u32) -> Result<(), Stop> {
        let start = self.at;
        let opened = self.tape.open(shape);
        self.at += begin;
        let mut members = 0usize;
        loop {
            // Most members are short integers, a space apart.
            while let Some((integer, after)) = token::short(self.bytes, self.at)
                && let Some(&next) = self.bytes.get(after)
                && is_delimiter(next)
            {
                self.tape.push(Node::Integer(integer));
                members += 1;
                self.at = after + usize::from(next == b' ');
            }
            self.blank(depth + 1)?;
            match *self.bytes.get(self.at).ok_or(Stop::More)? {
                byte if byte == end => break,
                closing @ (b']' | b')' | b'}') => {
                    let (closing, end) = (char::from(closing), char::from(end));
                    return Err(Stop::At(self.at, format!("`{closing}` where `{end}` is expected")));
                }
                _ => self.value(depth + 1)?,
            }
            members += 1;
        }
        if shape == Shape::Map && !members.is_multiple_of(2) {
            return Err(Stop::At(start, "the last key of this map has no value".to_owned()));
        }
        self.at += 1;
        self.tape.close(opened);
        Ok(())
    }
}
