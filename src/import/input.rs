//! A file as a window that moves over it, decompressed where it is compressed, with the place of each byte.

use std::io::{self, Cursor, ErrorKind, Read};
use std::thread::Scope;

use super::error::{Fault, Place, Result};
use super::pipe::Pipe;

/// How much is read at a time, in bytes.
const CHUNK: usize = 1 << 18;
/// The longest value that is taken, in bytes: one event, one transaction or one line.
const LONGEST: usize = 64 << 20;
/// How a zstd frame begins (RFC 8878, section 3.1.1).
const ZSTD: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];
const BYTE_ORDER_MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];

/// What a look at the window came to.
#[derive(Debug)]
pub(super) enum Stop {
    /// It ends too early.
    More,
    /// What stands at this byte of it is wrong.
    At(usize, String),
}

/// A file being read.
pub(super) struct Input<'r> {
    source: Box<dyn Read + 'r>,
    buffer: Vec<u8>,
    /// The window is what follows this byte.
    start: usize,
    place: Place,
    is_last: bool,
    /// What kept the rest from being read, once the window is.
    error: Option<io::Error>,
    forgives_cut: bool,
    is_marked: bool,
}

impl<'r> Input<'r> {
    /// Begins; the first bytes say whether the rest is compressed. If so, a thread of `scope` decompresses it.
    pub(super) fn new(mut source: impl Read + Send + 'r, scope: &'r Scope<'r, '_>) -> Result<Input<'r>> {
        let mut magic = Vec::new();
        source.by_ref().take(ZSTD.len() as u64).read_to_end(&mut magic).map_err(Fault::Io)?;
        let is_compressed = magic == ZSTD;
        let whole = Cursor::new(magic).chain(source);
        let source: Box<dyn Read + 'r> = if is_compressed {
            Box::new(Pipe::open(whole, scope).map_err(Fault::Io)?)
        } else {
            Box::new(whole)
        };
        let mut input = Input {
            source,
            buffer: Vec::new(),
            start: 0,
            place: Place::START,
            is_last: false,
            error: None,
            forgives_cut: false,
            is_marked: false,
        };
        input.more()?;
        if input.window().starts_with(&BYTE_ORDER_MARK) {
            input.start = BYTE_ORDER_MARK.len();
            input.is_marked = true;
        }
        Ok(input)
    }

    /// A compressed file that is cut off ends there, and that is no fault.
    pub(super) fn forgive_cut(&mut self) {
        self.forgives_cut = true;
    }

    /// Whether it began with a byte order mark, which is passed over.
    pub(super) fn is_marked(&self) -> bool {
        self.is_marked
    }

    /// What can be seen of the rest.
    pub(super) fn window(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Whether nothing follows the window.
    pub(super) fn is_last(&self) -> bool {
        self.is_last
    }

    /// Where the window begins.
    pub(super) fn place(&self) -> Place {
        self.place
    }

    /// Where this byte of the window is.
    pub(super) fn place_of(&self, byte: usize) -> Place {
        let window = self.window();
        self.place.after(&window[..byte.min(window.len())])
    }

    /// Moves the window's begin on.
    pub(super) fn consume(&mut self, bytes: usize) {
        self.place = self.place_of(bytes);
        self.start += bytes;
    }

    /// Looks for a whole line in the window, which takes so many bytes; nothing is taken where it is not found.
    pub(super) fn line<T>(&mut self, look: impl FnOnce(&[u8]) -> Option<(T, usize)>) -> Option<T> {
        let (found, bytes) = look(self.window())?;
        self.start += bytes;
        self.place = Place { line: self.place.line + 1, column: 1 };
        Some(found)
    }

    /// Looks at the window with `look`, which gives what it found and how many bytes that takes; with a longer one where
    /// it ends too early. As the window at least doubles each time, nothing is looked at more than twice on the average.
    pub(super) fn take<T>(
        &mut self,
        mut look: impl FnMut(&[u8], bool) -> std::result::Result<(T, usize), Stop>,
    ) -> Result<T> {
        loop {
            match look(self.window(), self.is_last) {
                Ok((found, bytes)) => {
                    self.consume(bytes);
                    return Ok(found);
                }
                Err(Stop::More) if self.is_last => {
                    let end = self.place_of(usize::MAX);
                    return Fault::at(
                        end,
                        format!("the file ends in the middle of what begins in line {}", self.place.line),
                    );
                }
                Err(Stop::More) => self.more()?,
                Err(Stop::At(byte, message)) => return Fault::at(self.place_of(byte), message),
            }
        }
    }

    /// Makes the window longer.
    pub(super) fn more(&mut self) -> Result<()> {
        self.buffer.drain(..self.start);
        self.start = 0;
        let kept = self.buffer.len();
        if kept >= LONGEST {
            return Fault::at(self.place, format!("what begins here is longer than {} MiB", LONGEST >> 20));
        }
        if let Some(error) = self.error.take() {
            return self.stop(&error);
        }
        let wanted = kept.max(CHUNK).min(LONGEST - kept) as u64;
        match self.source.by_ref().take(wanted).read_to_end(&mut self.buffer) {
            Ok(read) => self.is_last = (read as u64) < wanted,
            // What came before it is looked at first.
            Err(error) if self.buffer.len() > kept => self.error = Some(error),
            Err(error) => return self.stop(&error),
        }
        Ok(())
    }

    /// The rest cannot be read.
    fn stop(&mut self, error: &io::Error) -> Result<()> {
        let is_cut = error.kind() == ErrorKind::UnexpectedEof;
        if is_cut && self.forgives_cut {
            self.is_last = true;
            return Ok(());
        }
        let message = if is_cut {
            "the compressed file is cut off after this".to_owned()
        } else {
            format!("after this, it cannot be read: {error}")
        };
        Fault::at(self.place_of(usize::MAX), message)
    }
}
