//! Whatever is done to a file, it is a history or an error.

use proptest::prelude::*;

use super::*;
use crate::history::Clock;
use crate::history::simulation::{Level, Settings, simulate};

/// Files of every kind, to be broken.
fn files() -> Vec<Vec<u8>> {
    let settings = Settings { transactions: 30, level: Level::Unisolated, ..Settings::default() };
    let txns = simulate(&settings).unwrap();
    let (mut as_edn, mut as_json) = (Vec::new(), Vec::new());
    edn(&txns, &mut as_edn).unwrap();
    json(&txns, &mut as_json).unwrap();
    let mut in_vector = b"[".to_vec();
    in_vector.extend(&as_edn);
    in_vector.push(b']');
    let packed = zstd::bulk::compress(&as_edn, 1).unwrap();
    let bank = "{:type :invoke, :process 0, :f :transfer, :value {:from 0, :to 1, :amount 5}}\n\
                {:type :ok, :process 0, :f :transfer, :value {:from 0, :to 1, :amount 5}}\n\
                {:type :invoke, :process 0, :f :read, :value nil}\n{:type :ok, :process 0, :f :read, :value {0 1, 1 9}}\n";
    let registers = "{:type :invoke, :process 0, :f :write, :value [1 2]}\n{:type :ok, :process 0, :f :write, :value [1 2]}\n\
                     {:type :invoke, :process 1, :f :cas, :value [1 [2 3]]}\n{:type :info, :process 1, :f :cas, :value nil}\n";
    let sessions = "[[{\"events\":[{\"Write\":{\"variable\":0,\"version\":1}},[\"r\",0,null]],\n\"committed\":true}],\n\
                    [{\"events\":[{\"write\":true,\"variable\":1,\"value\":5,\"success\":true}],\"success\":true}]]\n";
    let lines = "w(1,5,0,0)\nr(1,5,1,1)\nr(2,0,1,1)\nw(2,3,0,-1)\n";
    let texts = [bank, registers, sessions, lines].map(|text| text.as_bytes().to_vec());
    [as_edn, as_json, in_vector, packed].into_iter().chain(texts).collect()
}

/// What is done to a file.
#[derive(Clone, Debug)]
enum Harm {
    Truncate(usize),
    Flip(usize, u8),
    Insert(usize, &'static str),
    Duplicate(usize),
    Swap(usize, usize),
    Splice(usize, usize, usize),
}

fn harm() -> impl Strategy<Value = Harm> {
    let pieces = prop::sample::select(vec![
        "[",
        "}",
        "#",
        "#_",
        "\"",
        "\\",
        "-",
        "9999999999",
        ":",
        "nil",
        "\u{e9}",
        ";",
        "N",
        "e9",
    ]);
    prop_oneof![
        any::<usize>().prop_map(Harm::Truncate),
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Harm::Flip(at, byte)),
        (any::<usize>(), pieces).prop_map(|(at, piece)| Harm::Insert(at, piece)),
        any::<usize>().prop_map(Harm::Duplicate),
        (any::<usize>(), any::<usize>()).prop_map(|(a, b)| Harm::Swap(a, b)),
        (any::<usize>(), any::<usize>(), any::<usize>()).prop_map(|(a, b, c)| Harm::Splice(a, b, c)),
    ]
}

fn harmed(file: &[u8], other: &[u8], harm: &Harm) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = file.split_inclusive(|&byte| byte == b'\n').collect();
    let at = |at: usize| at % (file.len() + 1);
    match *harm {
        Harm::Truncate(end) => file[..at(end)].to_vec(),
        Harm::Flip(place, byte) => {
            let mut bytes = file.to_vec();
            if let Some(flipped) = bytes.get_mut(at(place)) {
                *flipped ^= byte;
            }
            bytes
        }
        Harm::Insert(place, piece) => [&file[..at(place)], piece.as_bytes(), &file[at(place)..]].concat(),
        Harm::Duplicate(line) if !lines.is_empty() => {
            let line = line % lines.len();
            lines.insert(line, lines[line]);
            lines.concat()
        }
        Harm::Swap(a, b) if !lines.is_empty() => {
            let count = lines.len();
            lines.swap(a % count, b % count);
            lines.concat()
        }
        Harm::Duplicate(_) | Harm::Swap(..) => Vec::new(),
        Harm::Splice(place, start, end) => {
            let (start, end) = (start % (other.len() + 1), end % (other.len() + 1));
            let piece = &other[start.min(end)..start.max(end)];
            [&file[..at(place)], piece, &file[at(place)..]].concat()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn a_broken_file_is_a_history_or_an_error(
        which in any::<[prop::sample::Index; 2]>(),
        harms in prop::collection::vec(harm(), 1..4),
        format in prop::option::of(prop::sample::select(Format::ALL.to_vec())),
    ) {
        let files = files();
        let [file, other] = which.map(|which| which.get(&files).clone());
        let broken = harms.iter().fold(file, |file, harm| harmed(&file, &other, harm));
        let clock = Clock::start();
        match read_from("file", broken.as_slice(), format) {
            Ok(import) => {
                if let Imported::Transactions(txns) = &import.history {
                    prop_assert!(txns.mops() <= broken.len().max(1 << 20));
                    prop_assert_eq!(shown(txns).is_empty(), txns.is_empty());
                }
            }
            Err(error) => {
                let error = error.to_string();
                prop_assert!(error.starts_with("file, line ") || error.starts_with("read file"), "{}", error);
            }
        }
        prop_assert!(clock.now().as_secs_f64() < 10.0);
    }

    #[test]
    fn bytes_are_a_history_or_an_error(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        format in prop::sample::select(Format::ALL.to_vec()),
    ) {
        if let Err(error) = read_from("file", bytes.as_slice(), Some(format)) {
            let error = error.to_string();
            prop_assert!(error.starts_with("file, line ") || error.starts_with("read file"), "{}", error);
        }
    }

    /// Wherever the window ends, the same is read.
    #[test]
    fn it_does_not_matter_where_the_window_ends(shift in 0usize..600) {
        let event = "{:type :invoke, :process 0, :f :txn, :value [[:append \"é\\n\" -12] [:r :k nil]], :time 5}\n\
                     {:type :ok, :process 0, :f :txn, :value [[:append \"é\\n\" -12] [:r :k [1 2 3]]], :time 6}\n";
        let padding = " ".repeat((1 << 18) - shift);
        let read = txns(&format!("{padding}{event}{event}"));
        prop_assert_eq!(timed(&read), timed(&txns(&event.repeat(2))));
    }
}
