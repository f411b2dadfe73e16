//! A run's own history: its reader, against the one that goes through serde.

use proptest::prelude::*;

use super::*;
use crate::history::simulation::{Fault, Level, Settings, simulate};
use crate::history::txn::notation;
use crate::history::txn::recorded::{Answers, NotTransactions, transactions};
use crate::history::{Event, Micro, Nanos, Observed, Phase, Process, TxnOp, TxnReply, file};
use crate::import::scan::{What, scan};

/// The events of a file, a line each, without header and trailer.
const HEADER: &str = r#"{"format":"replab-history","version":1,"workload":"append","concurrency":4}"#;
const LINES: [&str; 12] = [
    r#"{"index":0,"time":5,"process":0,"node":"primary","type":"invoke","op":{"transaction":[{"append":[3,17]},{"read":4}]}}"#,
    r#"{"index":1,"time":6,"process":1,"node":"replica-1","type":"invoke","op":{"last":[{"read":3},{"read":-4},{"write":[5,-6]}]}}"#,
    r#"{"index":2,"time":6,"process":0,"node":"primary","type":"ok","reply":{"committed":{"reads":[[1,-2,30]],"xid":812,"lsn":"0/1A"}}}"#,
    r#"{"index":3,"time":7,"process":1,"node":"replica-1","type":"ok","reply":{"committed":{"reads":[[17],[]]}}}"#,
    r#"{"index":4,"time":7,"process":1,"node":"replica-1","type":"invoke","op":{"transaction":[]}}"#,
    r#"{"index":5,"time":7,"process":1,"node":"replica-1","type":"fail","cause":{"class":"server","sqlstate":"40001","message":"could not serialize"}}"#,
    r#"{"index":6,"time":8,"process":0,"node":"primary","type":"invoke","op":{"digest":{"table":"orders"}}}"#,
    r#"{"index":7,"time":8,"process":1,"node":"primary","type":"invoke","op":{"transaction":[{"append":[3,18]}]}}"#,
    r#"{"index":8,"time":8,"process":1,"node":"primary","type":"info","cause":{"class":"deadline","message":"late"}}"#,
    r#"{"index":9,"time":8,"process":0,"node":"primary","type":"ok","reply":{"digest":{"table":"orders","lsn":null,"rows":0,"buckets":[]}}}"#,
    r#"{"index":10,"time":9,"process":5,"node":"primary","type":"invoke","op":{"transaction":[{"read":3}]}}"#,
    r#"{"index":11,"time":9,"process":2,"node":"primary","type":"invoke","op":{"transaction":[{"append":[3,19]}]}}"#,
];
const END: &str = r#"{"end":true,"events":12}"#;

/// Header, events and trailer.
fn file_of(lines: &[&str]) -> String {
    let lines = [HEADER].into_iter().chain(lines.iter().copied()).chain([END]);
    lines.map(|line| format!("{line}\n")).collect()
}

/// What the reader through serde makes of it.
fn by_serde(packed: &[u8]) -> Result<(Txns, bool), String> {
    let stored = file::read_from::<TxnOp>("file", packed).map_err(|error| error.to_string())?;
    let txns = transactions(&stored.history).map_err(|error: NotTransactions| error.to_string())?;
    Ok((txns, stored.complete))
}

/// And what the importer makes of it.
fn by_scan(bytes: &[u8]) -> Result<(Txns, bool), String> {
    let import = read_from("file", bytes, Some(Format::Replab)).map_err(|error| error.to_string())?;
    Ok((transactions_of(Import { orders: import.orders, ..import.clone() }), import.complete))
}

/// Both, which have to agree on everything but the words of an error.
fn both(packed: &[u8]) -> Result<(Txns, bool), String> {
    let (serde, scan) = (by_serde(packed), by_scan(packed));
    match (&serde, &scan) {
        (Ok((one, is_one)), Ok((other, is_other))) => {
            assert_eq!((format!("{one:?}"), is_one), (format!("{other:?}"), is_other));
        }
        (Err(_), Err(_)) => {}
        _ => panic!("{serde:?}\n{scan:?}"),
    }
    scan
}

fn packed(text: &[u8]) -> Vec<u8> {
    // Frames of their own, as after each flush.
    text.chunks(500).flat_map(|piece| zstd::bulk::compress(piece, 1).unwrap()).collect()
}

#[test]
fn a_runs_history_is_read() {
    let text = file_of(&LINES);
    let expected = "0@primary 0-2 ok: 3+17 4[1 -2 30]; 1@replica-1 1-3 ok: 3[17] -4[] 5=-6; 1@replica-1 4-5 fail:; \
                    1@primary 7-8 info: 3+18; 5@primary 10- info: 3?; 2@primary 11- info: 3+19";
    for bytes in [text.as_bytes().to_vec(), packed(text.as_bytes())] {
        let import = read_from("file", bytes.as_slice(), None).unwrap();
        assert_eq!((import.format, import.orders, import.complete), (Format::Replab, Orders::RealTime, true));
        assert_eq!(shown(&transactions_of(import)), expected);
    }
    let (txns, is_complete) = both(&packed(text.as_bytes())).unwrap();
    assert_eq!((shown(&txns).as_str(), is_complete), (expected, true));
    assert_eq!((txns.txn(0).start, txns.txn(0).end), (Nanos(5), Nanos(6)));
}

#[test]
fn every_kind_of_line_is_scanned_but_those_of_digests() {
    let mut scanned = Vec::new();
    for line in LINES {
        let line = format!("{line}\n");
        scanned.push(scan(line.as_bytes(), &mut Vec::new(), &mut Answers::default()).map(|one| one.what));
        assert_eq!(scan(&line.as_bytes()[..line.len() - 1], &mut Vec::new(), &mut Answers::default()), None);
    }
    use What::{Asked, Committed, Failed, Unknown};
    let (asked, committed) = (Some(Asked), Some(Committed));
    assert_eq!(
        scanned,
        [
            asked,
            asked,
            committed,
            committed,
            asked,
            Some(Failed),
            None,
            asked,
            Some(Unknown),
            None,
            asked,
            asked
        ]
    );
}

#[test]
fn a_file_that_was_cut_is_read_as_far_as_it_goes() {
    let text = file_of(&LINES);
    let text = text.as_bytes();
    for end in 0..text.len() {
        let whole = text[..end].iter().filter(|&&byte| byte == b'\n').count();
        let found = both(&zstd::bulk::compress(&text[..end], 1).unwrap());
        match by_scan(&text[..end]) {
            Err(error) => assert!(whole == 0 && error.contains("line 1") && found.is_err(), "{end}: {error}"),
            Ok((txns, is_complete)) => {
                assert!(!is_complete && whole > 0, "{end}");
                assert_eq!(format!("{txns:?}"), format!("{:?}", found.unwrap().0));
            }
        }
    }
    let (first, packed) = (packed(&text[..500]).len(), packed(text));
    for end in 0..packed.len() {
        match both(&packed[..end]) {
            Ok((_, is_complete)) => assert!(!is_complete, "{end}"),
            // The header's frame is not whole.
            Err(error) => assert!(end < first, "{end}: {error}"),
        }
    }
}

#[test]
fn damage_is_named_with_its_line() {
    let changed = |line: usize, from: &str, to: &str| {
        let mut lines = LINES.map(str::to_owned);
        lines[line] = lines[line].replace(from, to);
        file_of(&lines.each_ref().map(String::as_str))
    };
    for (text, expected) in [
        (changed(2, "30]]", "30],[]]"), "line 4, column 1: event 2 has 2 answers, but its transaction of event 0 reads 1 times"),
        (changed(3, "[17],[]", "[17]"), "line 5, column 1: event 3 has 1 answers"),
        (changed(4, "\"index\":4", "\"index\":5"), "line 6, column 1: event 4 is numbered 5"),
        (changed(2, "\"time\":6", "\"time\":4"), "line 4, column 1: event 2 is earlier"),
        (changed(2, "\"process\":0", "\"process\":3"), "line 4, column 1: event 2: Client(3) completes an operation"),
        (changed(2, "\"node\":\"primary\"", "\"node\":\"n9\""), "on n9 that it has not invoked there"),
        (changed(4, "\"process\":1", "\"process\":0"), "line 7, column 1: event 5"),
        (changed(10, "\"process\":5", "\"process\":1"), "line 12, column 1: event 10: Client(1) is used again"),
        (changed(11, "\"process\":2", "\"process\":5"), "line 13, column 1: event 11: Client(5) invokes an operation while"),
        (changed(10, "\"process\":5", "\"process\":\"nemesis\""), "line 12, column 1: event 10: the nemesis runs no"),
        (changed(9, "\"digest\":{\"table\":\"orders\",\"lsn\":null,\"rows\":0,\"buckets\":[]}", "\"committed\":{\"reads\":[]}"),
            "line 11, column 1: event 9 is not an answer to what event 6 asked for"),
        (changed(0, "append", "appnd"), "line 2, column 1: unknown variant `appnd`"),
        (changed(0, "17", "99999999999999999999"), "line 2, column 1: "),
        (changed(0, "}}", "}} "), ""),
        (changed(0, "}}", "}}x"), "line 2, column 1: trailing characters"),
        (file_of(&LINES[..11]), "line 13, column 1: the trailer counts 12 events, the file has 11"),
        (file_of(&LINES) + "x", "line 15, column 1: something follows the trailer"),
        (file_of(&LINES) + "\n", "line 15, column 1: something follows the trailer"),
        (file_of(&LINES).replace("version\":1", "version\":2"), "line 1, column 1: replab-history version 2, but"),
        ("{}\n".to_owned(), "line 1, column 1: not a header"),
        ("\u{feff}".to_owned() + &file_of(&LINES), "line 1, column 1: not a header: a byte order mark"),
        (String::new(), "line 1, column 1: no header"),
        (
            file_of(&[r#"{"index":0,"time":5,"process":0,"node":"primary","type":"invoke","op":{"increment":{"key":1}}}"#])
                .replace("append", "counter"),
            "this is the history of `counter`: `replab check` takes the run's directory (read as replab)",
        ),
    ] {
        let packed = packed(text.as_bytes());
        match both(&packed) {
            Ok(_) => assert!(expected.is_empty(), "{text}"),
            Err(error) => assert!(!expected.is_empty() && error.contains(expected), "{error}: {expected}"),
        }
    }
    let mut flipped = packed(file_of(&LINES).as_bytes());
    let middle = flipped.len() - 30;
    flipped[middle..].iter_mut().for_each(|byte| *byte ^= 0x5A);
    let error = both(&flipped).unwrap_err();
    assert!(error.starts_with("file, line "), "{error}");
}

#[test]
fn what_was_simulated_comes_back_by_either_reader() {
    let mut all = Vec::new();
    for level in Level::ALL {
        all.push(simulate(&Settings { transactions: 300, level, ..Settings::default() }).unwrap());
    }
    let fault = Some((Fault::Garbage, 5));
    all.push(simulate(&Settings { transactions: 300, fault, keys: 3, ..Settings::default() }).unwrap());
    for txns in all {
        let file = replab(&txns, "append", Vec::new()).unwrap();
        assert_eq!(timed(&both(&file).unwrap().0), timed(&txns));
    }
    let error = replab(&notation::txns("ax1"), "append", Vec::new()).unwrap_err().to_string();
    assert_eq!(error, "`x` is no integer");
    let again = txns(
        "{:process 0 :type :invoke :value [[:w 1 1]]}{:process 0 :type :info}{:process 0 :type :invoke :value [[:w 1 2]]}",
    );
    let error = replab(&again, "register", Vec::new()).unwrap_err().to_string();
    assert!(error == "process 0 goes on after a transaction of unknown outcome", "{error}");
    let back = txns(
        "{:process 0 :type :invoke :value [[:w 1 1]] :time 9}{:process 0 :type :ok :value [[:w 1 1]] :time 8}",
    );
    let error = replab(&back, "register", Vec::new()).unwrap_err().to_string();
    assert!(error.starts_with("event 1 is earlier"), "{error}");
}

fn integer() -> impl Strategy<Value = i64> {
    prop_oneof![0i64..100, any::<i64>(), Just(i64::MIN), Just(i64::MIN + 7), -5i64..0]
}

fn micro() -> impl Strategy<Value = Micro> {
    prop_oneof![
        (integer(), integer()).prop_map(|(key, element)| Micro::Append(key, element)),
        integer().prop_map(Micro::Read),
        (integer(), integer()).prop_map(|(key, value)| Micro::Write(key, value)),
    ]
}

fn observed() -> impl Strategy<Value = Observed> {
    prop_oneof![
        prop::collection::vec(integer(), 0..5).prop_map(Observed::List),
        prop::option::of(integer()).prop_map(Observed::Register),
    ]
}

/// Words of lines, well-formed and not.
fn word() -> impl Strategy<Value = String> {
    let words = vec![
        "0",
        "-0",
        "01",
        "1.0",
        "1e3",
        "null",
        "[]",
        "[[]]",
        "{}",
        "\"",
        "\\",
        "\"ok\"",
        "\"nemesis\"",
        " ",
        "\r",
        ",",
        "]",
        "}",
        "\"xid\":1",
        "\"lsn\":\"0/0\"",
        "\u{e9}",
        "\u{1}",
        "18446744073709551616",
        "\"warning\":\"w\",",
    ];
    prop_oneof![prop::sample::select(words).prop_map(str::to_owned), any::<u64>().prop_map(|n| n.to_string())]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// What is written as replab writes it is scanned, and nothing else comes out.
    #[test]
    fn a_line_says_the_same_to_both(
        micros in prop::collection::vec(micro(), 0..4),
        reads in prop::collection::vec(observed(), 0..4),
        numbers in any::<(u32, u64, u32)>(),
        xid in prop::option::of(any::<u64>()),
    ) {
        let (index, time, process) = numbers;
        let committed = crate::history::Committed { reads: reads.clone(), xid, lsn: crate::lsn::Lsn::new(time) };
        for phase in [
            Phase::Invoke { op: TxnOp::Transaction(micros.clone()) },
            Phase::Invoke { op: TxnOp::Last(micros.clone()) },
            Phase::Ok { reply: TxnReply::Committed(committed.clone()), warning: None },
        ] {
            let event = Event::<TxnOp> {
                index: u64::from(index),
                time: Nanos(time),
                process: Process::Client(process),
                node: crate::history::NodeName::primary(),
                phase,
            };
            let mut writer = file::Writer::begin(Vec::new(), &crate::history::Header {
                workload: "append".to_owned(),
                concurrency: 1,
            }).unwrap();
            writer.append(event.clone()).unwrap();
            let text = zstd::decode_all(writer.end().unwrap().as_slice()).unwrap();
            let line = text.split_inclusive(|&byte| byte == b'\n').nth(1).unwrap();
            prop_assert_eq!(&file::event::<TxnOp>(line).unwrap(), &event);
            let (mut found, mut answers) = (Vec::new(), Answers::default());
            if let Some(scanned) = scan(line, &mut found, &mut answers) {
                prop_assert_eq!((scanned.index, scanned.time, scanned.process), (event.index, event.time, process));
                prop_assert_eq!(scanned.bytes, line.len());
                let mut expected = Answers::default();
                match &event.phase {
                    Phase::Invoke { op } => prop_assert_eq!(&found, op.micros()),
                    _ => expected.take(&reads, &mut crate::history::txn::Values::default()),
                }
                prop_assert_eq!(format!("{answers:?}"), format!("{expected:?}"));
            }
        }
    }

    /// Whatever is done to its lines, a file is taken by both readers, or by neither.
    #[test]
    fn a_changed_file_says_the_same_to_both(
        at in any::<prop::sample::Index>(),
        length in 0usize..6,
        word in word(),
        frames in 1usize..700,
    ) {
        let text = file_of(&LINES);
        let at = at.index(text.len());
        let end = (at + length).min(text.len());
        let changed = [&text.as_bytes()[..at], word.as_bytes(), &text.as_bytes()[end..]].concat();
        let packed: Vec<u8> =
            changed.chunks(frames).flat_map(|piece| zstd::bulk::compress(piece, 1).unwrap()).collect();
        let _ = both(&packed);
    }
}
