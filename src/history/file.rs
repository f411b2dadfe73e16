//! The history on disk: JSON Lines in zstd frames, readable up to the last flush whatever happens to the writer.
//!
//! The first line is the [`Header`] with the format's name, the last one a trailer with the number of events. A file
//! without trailer was cut; it is read as far as it goes, and [`Stored::complete`] is false.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Cause, Event, Header, History, MalformedHistory, Nanos, NodeName, Operation, Phase, Process};

const FORMAT: &str = "replab-history";
const VERSION: u32 = 1;
/// Fast, and the lines compress tenfold all the same.
const LEVEL: i32 = 1;
/// The longest line that is read, in bytes: what was compressed may be many times as long as its file.
const LONGEST: u64 = 64 << 20;

/// Why a stored history cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be read.
    #[error("read {path}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A line is not what the format says.
    #[error("{path}, line {line}: {message}")]
    Line {
        /// The file.
        path: String,
        /// From 1.
        line: u64,
        /// What is wrong with it.
        message: String,
    },
    /// The events do not make a history.
    #[error("{path} is not a history from line {} on", .source.event() + 2)]
    Malformed {
        /// The file.
        path: String,
        /// Why.
        source: MalformedHistory,
    },
}

/// A history as it was found on disk.
#[derive(Debug)]
pub struct Stored<O: Operation> {
    /// The events.
    pub history: History<O>,
    /// Whether its writer came to its end: false for a run that was killed.
    pub complete: bool,
}

#[derive(Serialize, Deserialize)]
struct FileHeader {
    format: String,
    version: u32,
    #[serde(flatten)]
    header: Header,
}

#[derive(Serialize, Deserialize)]
struct Trailer {
    end: bool,
    events: u64,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Type {
    Invoke,
    Ok,
    Fail,
    Info,
}

/// An event as one flat line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound = "O: Serialize + DeserializeOwned, R: Serialize + DeserializeOwned")]
struct Line<O, R> {
    index: u64,
    time: Nanos,
    process: Process,
    node: NodeName,
    r#type: Type,
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    op: Option<O>,
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    reply: Option<R>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    warning: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cause: Option<Box<Cause>>,
}

fn none<T>() -> Option<T> {
    None
}

impl<O: Operation> From<Event<O>> for Line<O, O::Reply> {
    fn from(event: Event<O>) -> Self {
        let Event { index, time, process, node, phase } = event;
        let (mut op, mut reply, mut warning, mut cause) = (None, None, None, None);
        let r#type = match phase {
            Phase::Invoke { op: asked } => {
                op = Some(asked);
                Type::Invoke
            }
            Phase::Ok { reply: answer, warning: with } => {
                (reply, warning) = (Some(answer), with);
                Type::Ok
            }
            Phase::Fail { cause: why } => {
                cause = Some(why);
                Type::Fail
            }
            Phase::Info { cause: why } => {
                cause = Some(why);
                Type::Info
            }
        };
        Line { index, time, process, node, r#type, op, reply, warning, cause }
    }
}

impl<O: Operation> TryFrom<Line<O, O::Reply>> for Event<O> {
    type Error = &'static str;

    fn try_from(line: Line<O, O::Reply>) -> Result<Event<O>, &'static str> {
        let Line { index, time, process, node, r#type, op, reply, warning, cause } = line;
        let phase = match (r#type, op, reply, cause) {
            (Type::Invoke, Some(op), None, None) => Phase::Invoke { op },
            (Type::Ok, None, Some(reply), None) => Phase::Ok { reply, warning },
            (Type::Fail, None, None, Some(cause)) => Phase::Fail { cause },
            (Type::Info, None, None, Some(cause)) => Phase::Info { cause },
            _ => {
                return Err(
                    "an invoke has an op, an ok a reply, a fail and an info a cause, and nothing else",
                );
            }
        };
        Ok(Event { index, time, process, node, phase })
    }
}

/// Writes one history. What was written before a [`Writer::flush`] can be read whatever happens afterwards.
#[derive(Debug)]
pub struct Writer<W: Write = File> {
    to: W,
    buffer: Vec<u8>,
    events: u64,
}

impl Writer {
    /// Creates the file, which must not exist, with its header.
    pub fn create(path: &Path, header: &Header) -> io::Result<Writer> {
        Writer::begin(File::options().write(true).create_new(true).open(path)?, header)
    }

    /// Writes the trailer that says the history is whole.
    pub fn finish(self) -> io::Result<()> {
        self.end()?.sync_all()
    }
}

impl<W: Write> Writer<W> {
    /// Begins with the header, in `to`.
    pub fn begin(to: W, header: &Header) -> io::Result<Writer<W>> {
        let mut writer = Writer { to, buffer: Vec::with_capacity(1 << 20), events: 0 };
        let header = FileHeader { format: FORMAT.to_owned(), version: VERSION, header: header.clone() };
        writer.line(&header)?;
        writer.flush()?;
        Ok(writer)
    }

    /// Appends one event to the buffer.
    pub fn append<O: Operation>(&mut self, event: Event<O>) -> io::Result<()> {
        self.events += 1;
        self.line(&Line::from(event))?;
        if self.buffer.len() >= 1 << 20 { self.flush() } else { Ok(()) }
    }

    /// Hands what is buffered to the file, as a zstd frame of its own.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let frame = zstd::bulk::compress(&self.buffer, LEVEL)?;
        self.to.write_all(&frame)?;
        self.buffer.clear();
        Ok(())
    }

    /// Writes the trailer that says the history is whole; gives back what was written to.
    pub fn end(mut self) -> io::Result<W> {
        self.line(&Trailer { end: true, events: self.events })?;
        self.flush()?;
        Ok(self.to)
    }

    fn line<T: Serialize>(&mut self, value: &T) -> io::Result<()> {
        serde_json::to_writer(&mut self.buffer, value)?;
        self.buffer.push(b'\n');
        Ok(())
    }
}

/// The header on the first line of a file.
///
/// # Errors
/// What is wrong with it, also where it is of a format or a version that this program does not read.
pub fn header(line: &[u8]) -> Result<Header, String> {
    let found: FileHeader = serde_json::from_slice(line).map_err(|e| format!("not a header: {e}"))?;
    if found.format != FORMAT || found.version != VERSION {
        return Err(format!(
            "{} version {}, but this program reads {FORMAT} version {VERSION}",
            found.format, found.version
        ));
    }
    Ok(found.header)
}

/// Whether a line is the trailer of a file with so many events.
///
/// # Errors
/// It is one, and something is wrong with it.
pub fn trailer(line: &[u8], events: u64) -> Result<bool, String> {
    if !line.starts_with(b"{\"end\"") {
        return Ok(false);
    }
    let trailer: Trailer = serde_json::from_slice(line).map_err(|e| e.to_string())?;
    if trailer.events != events {
        return Err(format!("the trailer counts {} events, the file has {events}", trailer.events));
    }
    Ok(true)
}

/// The event on a line that is neither the first nor the trailer.
///
/// # Errors
/// What is wrong with it.
pub fn event<O: Operation>(line: &[u8]) -> Result<Event<O>, String> {
    let parsed: Line<O, O::Reply> = serde_json::from_slice(line).map_err(|e| e.to_string())?;
    parsed.try_into().map_err(|e: &str| e.to_owned())
}

/// Reads a history; one that was cut gives the events before the cut, any other fault is an error that names the line.
pub fn read<O: Operation>(path: &Path) -> Result<Stored<O>, ReadError> {
    let name = path.display().to_string();
    match File::open(path) {
        Ok(file) => read_from(&name, file),
        Err(source) => Err(ReadError::Io { path: name, source }),
    }
}

/// The same of any source; errors call it `name`.
///
/// # Errors
/// As [`read`].
pub fn read_from<O: Operation>(name: &str, source: impl Read) -> Result<Stored<O>, ReadError> {
    let decoder = zstd::stream::read::Decoder::new(source);
    let decoder = decoder.map_err(|source| ReadError::Io { path: name.to_owned(), source })?;
    let mut lines = BufReader::new(decoder);
    let mut found = None;
    let mut events: Vec<Event<O>> = Vec::new();
    let mut complete = false;
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let at = |message: String| ReadError::Line { path: name.to_owned(), line: number, message };
        match lines.by_ref().take(LONGEST).read_until(b'\n', &mut line) {
            Ok(0) => break,
            Ok(read) if read as u64 == LONGEST => {
                return Err(at(format!("longer than {} MiB", LONGEST >> 20)));
            }
            Ok(_) if complete => return Err(at("something follows the trailer".to_owned())),
            Ok(_) if line.last() != Some(&b'\n') => break, // cut in the middle of a line
            Ok(_) => {}
            // A frame that ends early: the writer was killed while it wrote it.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
            Err(source) => return Err(at(format!("not zstd-compressed text: {source}"))),
        }
        if found.is_none() {
            found = Some(header(&line).map_err(at)?);
        } else if trailer(&line, events.len() as u64).map_err(at)? {
            complete = true;
        } else {
            events.push(event(&line).map_err(at)?);
        }
    }
    let no_header = || ReadError::Line { path: name.to_owned(), line: 1, message: "no header".to_owned() };
    let header = found.ok_or_else(no_header)?;
    events.shrink_to_fit();
    let history = History::new(header, events)
        .map_err(|source| ReadError::Malformed { path: name.to_owned(), source })?;
    Ok(Stored { history, complete })
}
