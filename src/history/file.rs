//! The history on disk: JSON Lines in zstd frames, readable up to the last flush whatever happens to the writer.
//!
//! The first line is the [`Header`] with the format's name, the last one a trailer with the number of events. A file
//! without trailer was cut; it is read as far as it goes, and [`Stored::complete`] is false.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Cause, Event, Header, History, MalformedHistory, Nanos, NodeName, Operation, Phase, Process};

const FORMAT: &str = "replab-history";
const VERSION: u32 = 1;
/// Fast, and the lines compress tenfold all the same.
const LEVEL: i32 = 1;

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
    #[error("{path} is not a history")]
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
pub struct Writer {
    file: File,
    buffer: Vec<u8>,
    events: u64,
}

impl Writer {
    /// Creates the file, which must not exist, with its header.
    pub fn create(path: &Path, header: &Header) -> io::Result<Writer> {
        let file = File::options().write(true).create_new(true).open(path)?;
        let mut writer = Writer { file, buffer: Vec::with_capacity(1 << 20), events: 0 };
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
        self.file.write_all(&frame)?;
        self.buffer.clear();
        Ok(())
    }

    /// Writes the trailer that says the history is whole.
    pub fn finish(mut self) -> io::Result<()> {
        self.line(&Trailer { end: true, events: self.events })?;
        self.flush()?;
        self.file.sync_all()
    }

    fn line<T: Serialize>(&mut self, value: &T) -> io::Result<()> {
        serde_json::to_writer(&mut self.buffer, value)?;
        self.buffer.push(b'\n');
        Ok(())
    }
}

/// Reads a history; one that was cut gives the events before the cut, any other fault is an error that names the line.
pub fn read<O: Operation>(path: &Path) -> Result<Stored<O>, ReadError> {
    let name = || path.display().to_string();
    let io = |source| ReadError::Io { path: name(), source };
    let file = File::open(path).map_err(io)?;
    let mut lines = BufReader::new(zstd::stream::read::Decoder::new(file).map_err(io)?);
    let mut header = None;
    let mut events: Vec<Event<O>> = Vec::new();
    let mut complete = false;
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let at = |message: String| ReadError::Line { path: name(), line: number, message };
        match lines.read_until(b'\n', &mut line) {
            Ok(0) => break,
            Ok(_) if line.last() != Some(&b'\n') => break, // cut in the middle of a line
            Ok(_) if complete => return Err(at("something follows the trailer".to_owned())),
            Ok(_) => {}
            // A frame that ends early: the writer was killed while it wrote it.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
            Err(source) => return Err(at(format!("not zstd-compressed text: {source}"))),
        }
        if header.is_none() {
            let found: FileHeader =
                serde_json::from_slice(&line).map_err(|e| at(format!("not a header: {e}")))?;
            if found.format != FORMAT || found.version != VERSION {
                return Err(at(format!(
                    "{} version {}, but this program reads {FORMAT} version {VERSION}",
                    found.format, found.version
                )));
            }
            header = Some(found.header);
        } else if line.starts_with(b"{\"end\"") {
            let trailer: Trailer = serde_json::from_slice(&line).map_err(|e| at(e.to_string()))?;
            if trailer.events != events.len() as u64 {
                return Err(at(format!(
                    "the trailer counts {} events, the file has {}",
                    trailer.events,
                    events.len()
                )));
            }
            complete = true;
        } else {
            let parsed: Line<O, O::Reply> = serde_json::from_slice(&line).map_err(|e| at(e.to_string()))?;
            events.push(parsed.try_into().map_err(|e: &str| at(e.to_owned()))?);
        }
    }
    let header =
        header.ok_or_else(|| ReadError::Line { path: name(), line: 1, message: "no header".to_owned() })?;
    events.shrink_to_fit();
    let history =
        History::new(header, events).map_err(|source| ReadError::Malformed { path: name(), source })?;
    Ok(Stored { history, complete })
}
