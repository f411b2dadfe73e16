//! JSON (RFC 8259).

use super::input::Stop;
use super::tape::{DEEPEST, Kind, Node, Shape, Tape};
use super::token;

/// Reads one value onto `tape`; gives the byte after it.
pub(super) fn value(tape: &mut Tape, bytes: &[u8], is_last: bool) -> Result<usize, Stop> {
    let mut json = Json { bytes, at: 0, is_last, tape };
    json.value(0)?;
    Ok(json.at)
}

/// How much whitespace the text begins with.
pub(super) fn blank(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| !matches!(byte, b' ' | b'\n' | b'\r' | b'\t')).unwrap_or(bytes.len())
}

struct Json<'w> {
    bytes: &'w [u8],
    at: usize,
    is_last: bool,
    tape: &'w mut Tape,
}

impl Json<'_> {
    /// The next byte that is not whitespace.
    fn peek(&mut self) -> Result<u8, Stop> {
        self.at += blank(&self.bytes[self.at..]);
        self.bytes.get(self.at).copied().ok_or(Stop::More)
    }

    fn expect(&mut self, expected: u8) -> Result<(), Stop> {
        if self.peek()? != expected {
            return Err(self.unexpected(&format!("`{}`", char::from(expected))));
        }
        self.at += 1;
        Ok(())
    }

    fn unexpected(&self, expected: &str) -> Stop {
        let found = char::from(self.bytes[self.at]).escape_default();
        Stop::At(self.at, format!("`{found}` where {expected} is expected"))
    }

    fn value(&mut self, depth: u32) -> Result<(), Stop> {
        if depth > DEEPEST {
            return Err(Stop::At(self.at, format!("this is nested more than {DEEPEST} deep")));
        }
        match self.peek()? {
            b'0'..=b'9' | b'-' => self.number(),
            b'"' => self.string(),
            b'[' => self.collection(Shape::Sequence, b']', depth, |json, depth| {
                // Most members are short integers without anything between them.
                while let Some((integer, after)) = token::short(json.bytes, json.at)
                    && json.bytes.get(after) == Some(&b',')
                {
                    json.tape.push(Node::Integer(integer));
                    json.at = after + 1;
                }
                json.value(depth)
            }),
            b'{' => self.collection(Shape::Map, b'}', depth, |json, depth| {
                if json.peek()? != b'"' {
                    return Err(json.unexpected("a key in quotes"));
                }
                json.string()?;
                json.expect(b':')?;
                json.value(depth)
            }),
            _ => self.word(),
        }
    }

    fn string(&mut self) -> Result<(), Stop> {
        self.at = token::string(self.tape, self.bytes, self.at)?;
        Ok(())
    }

    fn number(&mut self) -> Result<(), Stop> {
        let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        if let Some((integer, end)) = token::short(self.bytes, self.at)
            && self.bytes.get(end).map_or(self.is_last, |byte| !is_part(byte))
        {
            self.tape.push(Node::Integer(integer));
            self.at = end;
            return Ok(());
        }
        let end = self.end(is_part)?;
        let text = &self.bytes[self.at..end];
        if text.iter().any(u8::is_ascii_digit) {
            token::number(self.tape, text, self.at)?;
            self.at = end;
            return Ok(());
        }
        Err(self.unexpected("a number"))
    }

    fn word(&mut self) -> Result<(), Stop> {
        let end = self.end(u8::is_ascii_alphabetic)?;
        match &self.bytes[self.at..end] {
            b"null" => self.tape.push(Node::Nil),
            word @ (b"true" | b"false") => self.tape.text(Kind::Name, word, self.at)?,
            _ => return Err(self.unexpected("a value")),
        }
        self.at = end;
        Ok(())
    }

    fn end(&self, is_part: impl Fn(&u8) -> bool) -> Result<usize, Stop> {
        match self.bytes[self.at..].iter().position(|byte| !is_part(byte)) {
            Some(length) => Ok(self.at + length),
            None if self.is_last => Ok(self.bytes.len()),
            None => Err(Stop::More),
        }
    }

    fn collection(
        &mut self,
        shape: Shape,
        end: u8,
        depth: u32,
        member: impl Fn(&mut Self, u32) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let opened = self.tape.open(shape);
        self.at += 1;
        let mut is_first = true;
        loop {
            let next = self.peek()?;
            if next == end && is_first {
                break;
            }
            if !is_first {
                match next {
                    b',' => self.at += 1,
                    next if next == end => break,
                    _ => return Err(self.unexpected(&format!("`,` or `{}`", char::from(end)))),
                }
            }
            member(self, depth + 1)?;
            is_first = false;
        }
        self.at += 1;
        self.tape.close(opened);
        Ok(())
    }
}
