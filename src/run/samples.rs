//! Samples on disk: JSON Lines, flushed line by line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Appends samples to a file.
#[derive(Debug)]
pub(super) struct SampleFile {
    file: File,
}

impl SampleFile {
    pub(super) fn create(path: &Path) -> io::Result<SampleFile> {
        Ok(SampleFile { file: File::options().write(true).create_new(true).open(path)? })
    }

    pub(super) fn append<S: Serialize>(&mut self, samples: &[S]) -> io::Result<()> {
        let mut lines = Vec::new();
        for sample in samples {
            serde_json::to_writer(&mut lines, sample)?;
            lines.push(b'\n');
        }
        self.file.write_all(&lines)
    }
}

/// Reads samples; a last line that was cut is left out, any other that cannot be read is an error with its number.
pub(super) fn read<S: DeserializeOwned>(path: &Path) -> io::Result<Vec<S>> {
    let mut samples = Vec::new();
    let mut reader = BufReader::new(File::open(path)?);
    let mut line = String::new();
    for number in 1.. {
        line.clear();
        if reader.read_line(&mut line)? == 0 || !line.ends_with('\n') {
            break;
        }
        let sample = serde_json::from_str(&line);
        samples.push(
            sample.map_err(|e| io::Error::new(io::ErrorKind::InvalidData, format!("line {number}: {e}")))?,
        );
    }
    Ok(samples)
}
