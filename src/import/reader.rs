//! Values one after the other, from a file that need not fit into memory.

use super::error::{Fault, Place, Result};
use super::input::Input;
use super::tape::{Item, Tape};
use super::{edn, json};

/// How values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    Edn,
    Json,
}

/// A file of values.
pub(super) struct Reader<'r> {
    input: Input<'r>,
    syntax: Syntax,
    tape: Tape,
}

impl<'r> Reader<'r> {
    pub(super) fn new(input: Input<'r>, syntax: Syntax) -> Reader<'r> {
        Reader { input, syntax, tape: Tape::default() }
    }

    /// Where it is.
    pub(super) fn place(&self) -> Place {
        self.input.place()
    }

    /// The next byte that means something.
    pub(super) fn peek(&mut self) -> Result<Option<u8>> {
        let Reader { input, syntax, tape } = self;
        loop {
            tape.clear();
            input.take(|window, is_last| match syntax {
                Syntax::Edn => Ok(((), edn::blank(tape, window, is_last)?)),
                Syntax::Json => Ok(((), json::blank(window))),
            })?;
            if let Some(&byte) = input.window().first() {
                return Ok(Some(byte));
            }
            if input.is_last() {
                return Ok(None);
            }
            input.more()?;
        }
    }

    /// The next byte that means something is this one, and taken.
    pub(super) fn expect(&mut self, expected: u8) -> Result<()> {
        let found = self.peek()?;
        if found == Some(expected) {
            self.input.consume(1);
            return Ok(());
        }
        Fault::at(self.place(), format!("`{}` is expected here", char::from(expected)))
    }

    /// The next value, and where it begins.
    pub(super) fn value(&mut self) -> Result<(Item<'_>, Place)> {
        self.peek()?;
        let Reader { input, syntax, tape } = self;
        let place = input.place();
        input.take(|window, is_last| {
            tape.clear();
            match syntax {
                Syntax::Edn => Ok(((), edn::value(tape, window, is_last)?)),
                Syntax::Json => Ok(((), json::value(tape, window, is_last)?)),
            }
        })?;
        Ok((self.tape.item(), place))
    }

    /// All values of a file: of the sequence that it is, or one after the other.
    pub(super) fn all(&mut self, mut each: impl FnMut(&mut Self) -> Result<()>) -> Result<()> {
        if matches!((self.peek()?, self.syntax), (Some(b'['), _) | (Some(b'('), Syntax::Edn)) {
            self.members(&mut each)?;
            return match self.peek()? {
                None => Ok(()),
                Some(_) => Fault::at(self.place(), "something follows the end of the history"),
            };
        }
        while self.peek()?.is_some() {
            each(self)?;
        }
        Ok(())
    }

    /// The members of the sequence that begins here.
    pub(super) fn members(&mut self, mut each: impl FnMut(&mut Self) -> Result<()>) -> Result<()> {
        let start = self.place();
        let close = if self.peek()? == Some(b'(') { b')' } else { b']' };
        self.expect(if close == b')' { b'(' } else { b'[' })?;
        let mut is_first = true;
        loop {
            match self.peek()? {
                None => {
                    let message =
                        format!("the file ends in the middle of what begins in line {}", start.line);
                    return Fault::at(self.place(), message);
                }
                Some(byte) if byte == close => return self.expect(close),
                Some(_) if self.syntax == Syntax::Json && !is_first => self.expect(b',')?,
                Some(_) => {}
            }
            each(self)?;
            is_first = false;
        }
    }
}
