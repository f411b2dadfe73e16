//! Whatever is in a file, every reader of histories ends with a history or with an error that names file and line: no
//! panic, no work or memory out of proportion.
//!
//! The seeds are `tests/corpus/histories`; what a longer search finds is kept there. `REPLAB_FUZZ_SECONDS=600 cargo test
//! --release --test it fuzz::` goes on for so long, from a seed of its own that it prints, `REPLAB_FUZZ_SEED` repeats one.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use replab::check::cycle::{Order, Scope, analyze};
use replab::check::linear;
use replab::history::txn::recorded::transactions;
use replab::history::{Clock, CounterOp, FaultOp, Operation, OrdersOp, TxnOp, file};
use replab::import::{self, Format, Import, Imported};

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/histories");
/// Files that are read without `REPLAB_FUZZ_SECONDS`.
const EXECUTIONS: u64 = 2_000;
/// The longest file that is made, in bytes, before it is compressed.
const LONGEST: usize = 1 << 16;
/// Changed files that are kept, to be changed further.
const KEPT: usize = 300;

/// What reads a file.
#[derive(Clone, Copy, Debug)]
enum Reader {
    Import(Option<Format>),
    Transactions,
    Orders,
    Counter,
    Nemesis,
}

impl Reader {
    fn all() -> Vec<Reader> {
        let imports = Format::ALL.into_iter().map(|format| Reader::Import(Some(format)));
        let own = [Reader::Transactions, Reader::Orders, Reader::Counter, Reader::Nemesis];
        imports.chain([Reader::Import(None)]).chain(own).collect()
    }

    /// Reads; an error has to name file and line. A history is judged, too, where it is short.
    fn read(self, bytes: &[u8]) -> Result<(), String> {
        let format = match self {
            Reader::Import(format) => format,
            Reader::Transactions => return by_either(bytes),
            Reader::Orders => return stored::<OrdersOp>(bytes),
            Reader::Counter => return stored::<CounterOp>(bytes),
            Reader::Nemesis => return stored::<FaultOp>(bytes),
        };
        let import = import::read_from("file", bytes, format).map_err(|error| error.to_string())?;
        if let Imported::Transactions(txns) = &import.history
            && txns.len() < 300
        {
            analyze(txns, Scope::Whole, Order::RealTime);
            // That a history is none for it is an answer.
            let _ = linear::of_txns(txns, 10_000);
        }
        Ok(())
    }
}

fn stored<O: Operation>(bytes: &[u8]) -> Result<(), String> {
    file::read_from::<O>("file", bytes).map(drop).map_err(|error| error.to_string())
}

/// A run's own transactions, read for the run and as a file, which has to be the same.
fn by_either(bytes: &[u8]) -> Result<(), String> {
    let stored = file::read_from::<TxnOp>("file", bytes).map_err(|error| error.to_string());
    let as_file = import::read_from("file", bytes, Some(Format::Replab));
    if bytes.starts_with(&[0x28, 0xB5, 0x2F, 0xFD]) {
        let of_run = stored.as_ref().ok().and_then(|stored| transactions(&stored.history).ok());
        match (of_run, as_file) {
            (None, Err(_)) => {}
            (Some(txns), Ok(Import { history: Imported::Transactions(same), .. })) => {
                assert_eq!(format!("{txns:?}"), format!("{same:?}"));
            }
            (of_run, as_file) => panic!("{of_run:?} {as_file:?}"),
        }
    }
    stored.map(drop)
}

fn names_file_and_line(error: &str) -> bool {
    ["file, line ", "file is not a history from line "].iter().any(|start| error.starts_with(start))
}

fn corpus() -> Vec<Vec<u8>> {
    let mut paths: Vec<_> = fs::read_dir(CORPUS).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let files: Vec<Vec<u8>> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
    assert!(files.len() > 40 && files.iter().all(|file| file.len() < 10_000), "small files, and many");
    files
}

/// What breaks readers.
const PIECES: [&[u8]; 26] = [
    b"[",
    b"]",
    b"{",
    b"}",
    b"#{",
    b"#_",
    b"\"",
    b"\\",
    b"\\u",
    b"\\ud800",
    b"-",
    b":",
    b",",
    b"\n",
    b"\r\n",
    b" ",
    b"nil",
    b"null",
    b"-0",
    b"1e999",
    b"9223372036854775808",
    b"-9223372036854775808",
    b"18446744073709551616",
    b"4294967295",
    b"\xff",
    b"\xf0\x9f",
];

fn some<'v, T>(random: &mut ChaCha8Rng, of: &'v [T]) -> &'v T {
    &of[random.random_range(0..of.len())]
}

fn range(random: &mut ChaCha8Rng, bytes: &[u8]) -> std::ops::Range<usize> {
    let mut ends = [0; 2].map(|_| random.random_range(0..=bytes.len()));
    ends.sort_unstable();
    ends[0]..ends[1]
}

/// A run of digits, if there is one.
fn number(random: &mut ChaCha8Rng, bytes: &[u8]) -> Option<std::ops::Range<usize>> {
    let digits: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at].is_ascii_digit()).collect();
    let start = *digits.get(random.random_range(0..digits.len().max(1)))?;
    let length = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    Some(start..start + length)
}

/// One change; `other` is another file to take pieces from.
fn change(random: &mut ChaCha8Rng, bytes: &[u8], other: &[u8]) -> Vec<u8> {
    let at = random.random_range(0..=bytes.len());
    let mut lines: Vec<&[u8]> = bytes.split_inclusive(|&byte| byte == b'\n').collect();
    let line = random.random_range(0..lines.len().max(1));
    let put =
        |at: std::ops::Range<usize>, piece: &[u8]| [&bytes[..at.start], piece, &bytes[at.end..]].concat();
    match random.random_range(0..13) {
        0 => bytes[..at].to_vec(),
        1 if at < bytes.len() => put(at..at + 1, &[bytes[at] ^ (1 << random.random_range(0..8))]),
        2 if at < bytes.len() => put(at..at + 1, &[random.random()]),
        3 => put(at..at, some::<&[u8]>(random, &PIECES)),
        4 => put(range(random, bytes), b""),
        5 => put(at..at, &other[range(random, other)]),
        6 if !lines.is_empty() => {
            lines.insert(line, lines[line]);
            lines.concat()
        }
        7 if !lines.is_empty() => {
            let second = random.random_range(0..lines.len());
            lines.swap(line, second);
            lines.concat()
        }
        8 if !lines.is_empty() => {
            lines.remove(line);
            lines.concat()
        }
        9 => {
            // Two files, a line of each in turns.
            let mut others = other.split_inclusive(|&byte| byte == b'\n');
            lines.iter().flat_map(|line| [*line, others.next().unwrap_or(b"")]).collect::<Vec<_>>().concat()
        }
        10 => {
            let piece = *some::<&[u8]>(random, &PIECES);
            put(at..at, &piece.repeat(random.random_range(1..1_000)))
        }
        11 => match number(random, bytes) {
            Some(place) => put(place, some::<&[u8]>(random, &PIECES)),
            None => bytes.to_vec(),
        },
        _ => match number(random, bytes) {
            Some(place) => {
                let digits = bytes[place.clone()].repeat(random.random_range(1..50));
                put(place, &digits)
            }
            None => bytes.to_vec(),
        },
    }
}

/// As it is; or compressed, in one frame or several, which may be changed in turn.
fn packed(random: &mut ChaCha8Rng, bytes: &[u8]) -> Vec<u8> {
    let frame = |piece: &[u8]| zstd::bulk::compress(piece, 1).unwrap();
    let packed = match random.random_range(0..4) {
        0 => return bytes.to_vec(),
        1 => bytes.chunks(random.random_range(1..500).max(bytes.len() / 50)).flat_map(frame).collect(),
        _ => frame(bytes),
    };
    if random.random_range(0..4) == 0 { change(random, &packed, bytes) } else { packed }
}

#[test]
fn every_reader_ends_with_a_history_or_an_error() {
    let seconds = std::env::var("REPLAB_FUZZ_SECONDS").ok().map(|seconds| seconds.parse::<f64>().unwrap());
    let seed = match std::env::var("REPLAB_FUZZ_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) if seconds.is_some() => u64::from(std::process::id()),
        Err(_) => 1,
    };
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (readers, clock) = (Reader::all(), Clock::start());
    let mut pool = corpus();
    let seeds = pool.len();
    let (mut executions, mut accepted, mut slowest) = (0u64, 0u64, 0.0f64);
    let mut by_reader = vec![[0u64; 2]; readers.len()];
    while seconds.map_or(executions < EXECUTIONS, |seconds| clock.now().as_secs_f64() < seconds) {
        let mut bytes = some(&mut random, &pool).clone();
        for _ in 0..random.random_range(0..4) {
            let other = some(&mut random, &pool).clone();
            bytes = change(&mut random, &bytes, &other);
            bytes.truncate(LONGEST);
        }
        let input = packed(&mut random, &bytes);
        let which = random.random_range(0..readers.len());
        let before = clock.now();
        let outcome = catch_unwind(AssertUnwindSafe(|| readers[which].read(&input)));
        slowest = slowest.max(clock.now().since(before).as_secs_f64());
        executions += 1;
        let is_right = match &outcome {
            Ok(Ok(())) => true,
            Ok(Err(error)) => names_file_and_line(error),
            Err(_) => false,
        };
        if !is_right {
            let kept = std::env::temp_dir().join(format!("replab-fuzz-{seed}-{executions}"));
            fs::write(&kept, &input).unwrap();
            panic!("{:?} of {}: {outcome:?} (seed {seed})", readers[which], kept.display());
        }
        by_reader[which][0] += 1;
        if let Ok(Ok(())) = outcome {
            accepted += 1;
            by_reader[which][1] += 1;
            // What is a history after it was changed can be changed further.
            if pool.len() < seeds + KEPT {
                pool.push(bytes);
            } else {
                let place = random.random_range(seeds..pool.len());
                pool[place] = bytes;
            }
        }
    }
    // Each reader was used, and most of them took something.
    assert!(by_reader.iter().all(|[read, _]| *read > 0) && accepted > executions / 100);
    println!(
        "seed {seed}: {executions} files read, {accepted} of them histories, the slowest in {slowest:.3} s"
    );
    for (reader, [read, accepted]) in readers.iter().zip(by_reader) {
        println!("  {reader:?}: {read} read, {accepted} histories");
    }
}

#[test]
fn random_bytes_end_with_an_error_or_a_history() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for reader in Reader::all() {
        for _ in 0..50 {
            let mut bytes = vec![0; random.random_range(0..300)];
            random.fill_bytes(&mut bytes);
            let input = if random.random() { zstd::bulk::compress(&bytes, 1).unwrap() } else { bytes };
            if let Err(error) = reader.read(&input) {
                assert!(names_file_and_line(&error), "{error}");
            }
        }
    }
}

/// So many bytes of what repeats `piece`, after `start`, compressed.
fn bomb(start: &str, piece: &[u8], bytes: usize) -> Vec<u8> {
    let mut to = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    std::io::Write::write_all(&mut to, start.as_bytes()).unwrap();
    let chunk = piece.repeat((1 << 20) / piece.len());
    for _ in 0..bytes >> 20 {
        std::io::Write::write_all(&mut to, &chunk).unwrap();
    }
    to.finish().unwrap()
}

/// A file of a few kilobytes that becomes hundreds of megabytes is given up on, wherever the growth is.
#[test]
fn what_swells_is_given_up() {
    const HEADER: &str =
        "{\"format\":\"replab-history\",\"version\":1,\"workload\":\"append\",\"concurrency\":4}\n";
    for (start, piece, readers) in [
        ("", &b"x"[..], &[Reader::Import(None), Reader::Transactions][..]),
        ("{:type ", b" ", &[Reader::Import(Some(Format::Edn))]),
        ("", b"\n", &[Reader::Import(Some(Format::Plume)), Reader::Import(Some(Format::Json))]),
        ("w(", b"1", &[Reader::Import(Some(Format::Plume))]),
        ("[{\"type\":\"", b"a", &[Reader::Import(Some(Format::Json))]),
        (HEADER, b"0", &[Reader::Import(Some(Format::Replab)), Reader::Transactions]),
    ] {
        let file = bomb(start, piece, 96 << 20);
        assert!(file.len() < 100_000);
        for reader in readers {
            let error = reader.read(&file).expect_err("no history");
            assert!(names_file_and_line(&error), "{error}");
        }
    }
}

#[test]
fn what_is_nested_deep_is_an_error() {
    for open in ["[", "{", "(", "#{", "#_", "#a ", "{\"a\":", "[[\"append\",", "{:value "] {
        let deep = open.repeat(200_000);
        for reader in Reader::all() {
            for start in [
                "",
                "{:type :invoke, :process 0, :value ",
                "{\"index\":0,\"op\":",
                "{\"type\":\"invoke\",\"value\":",
            ] {
                let error = reader.read(format!("{start}{deep}").as_bytes()).expect_err("no history");
                assert!(names_file_and_line(&error), "{error}");
            }
        }
    }
}

#[test]
fn the_corpus_is_what_its_names_say() {
    for entry in fs::read_dir(CORPUS).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let read = import::read(Path::new(&path), None).map(drop).map_err(|error| error.to_string());
        match read {
            Ok(()) => assert!(!name.contains(".broken."), "{name}"),
            Err(error) => {
                assert!(name.contains(".broken.") && error.contains(&format!("{name}, line ")), "{error}");
            }
        }
    }
}
