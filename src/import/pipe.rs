//! A compressed file, decompressed by a thread of its own while what came before is read.

use std::io::{self, BufReader, Cursor, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, Scope};

/// How much is decompressed at a time, in bytes.
const CHUNK: usize = 1 << 18;
/// Chunks that may wait.
const WAITING: usize = 4;
/// What is decompressed may be so many times as long as what it was: a history is ten to fifty times.
const TIMES: u64 = 1_000;
/// So much may be decompressed of anything, in bytes.
const ANYTHING: u64 = 64 << 20;

/// What was decompressed.
pub(super) struct Pipe {
    chunks: Receiver<io::Result<Vec<u8>>>,
    chunk: Cursor<Vec<u8>>,
}

impl Pipe {
    /// Begins to decompress `source`, in a thread of `scope`, which ends when nobody reads any more.
    pub(super) fn open<'s>(source: impl Read + Send + 's, scope: &'s Scope<'s, '_>) -> io::Result<Pipe> {
        let (sender, chunks) = sync_channel(WAITING);
        thread::Builder::new().spawn_scoped(scope, move || decompress(source, &sender))?;
        Ok(Pipe { chunks, chunk: Cursor::default() })
    }
}

impl Read for Pipe {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.chunk.read(into)?;
            if read > 0 || into.is_empty() {
                return Ok(read);
            }
            match self.chunks.recv() {
                Ok(chunk) => self.chunk = Cursor::new(chunk?),
                // The thread is over: there is no more.
                Err(_) => return Ok(0),
            }
        }
    }
}

/// That nobody receives any more is no error: a fault was found in what came before.
fn decompress(source: impl Read, to: &SyncSender<io::Result<Vec<u8>>>) {
    let counted = BufReader::new(Counted { source, bytes: 0 });
    let mut decoder = match zstd::stream::read::Decoder::with_buffer(counted) {
        Ok(decoder) => decoder,
        Err(error) => {
            let _ = to.send(Err(error));
            return;
        }
    };
    let mut given = 0u64;
    loop {
        let mut chunk = Vec::with_capacity(CHUNK);
        let end = decoder.by_ref().take(CHUNK as u64).read_to_end(&mut chunk);
        given += chunk.len() as u64;
        let is_over = chunk.is_empty();
        if !is_over && to.send(Ok(chunk)).is_err() {
            return;
        }
        let taken = decoder.get_ref().get_ref().bytes;
        let swells = given > ANYTHING && given / TIMES > taken;
        match end {
            Err(error) => {
                let _ = to.send(Err(error));
                return;
            }
            Ok(_) if swells => {
                let message = format!("it is more than {TIMES} times as long as what it was compressed to");
                let _ = to.send(Err(io::Error::new(io::ErrorKind::InvalidData, message)));
                return;
            }
            Ok(_) if is_over => return,
            Ok(_) => {}
        }
    }
}

struct Counted<R> {
    source: R,
    bytes: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(into)?;
        self.bytes += read as u64;
        Ok(read)
    }
}
