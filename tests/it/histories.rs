//! Histories in files: the samples of `docs/histories.md` and of the corpus, each with the verdict that it has to get.

use std::fs;
use std::path::Path;

use replab::report::bank;
use serde_json::Value;

use super::transactions::{assert_schema, replab, words};

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/histories.md");
const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/histories");
const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/bank.schema.json");

/// The samples of the document: how the program has to end, and the file.
fn samples() -> Vec<(i32, String)> {
    let text = fs::read_to_string(DOCUMENT).unwrap();
    let mut samples = Vec::new();
    for block in text.split("\n```").skip(1).step_by(2) {
        let (head, sample) = block.split_once('\n').unwrap();
        let code = head.split_once("exit=").unwrap_or_else(|| panic!("`{head}` has no exit code")).1;
        samples.push((code.parse().unwrap(), format!("{sample}\n")));
    }
    samples
}

#[test]
fn the_documents_samples_are_true() {
    let folder = tempfile::tempdir().unwrap();
    let samples = samples();
    assert!(samples.len() >= 11, "a sample of each format and workload");
    for (code, sample) in samples {
        let file = folder.path().join("sample");
        for content in [sample.clone().into_bytes(), zstd::encode_all(sample.as_bytes(), 1).unwrap()] {
            fs::write(&file, content).unwrap();
            let (found, text) = words(&replab(folder.path()).arg("check").arg(&file).output().unwrap());
            assert_eq!(found, Some(code), "{sample}{text}");
        }
    }
}

/// `append.valid.edn` and the like: valid, invalid, unknown or broken.
#[test]
fn every_workload_has_a_valid_and_an_invalid_sample() {
    let mut names = Vec::new();
    for entry in fs::read_dir(CORPUS).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let code = match name.split('.').nth(1).unwrap() {
            "valid" => 0,
            "invalid" => 1,
            "unknown" => 3,
            "broken" => 11,
            _ => panic!("{name}"),
        };
        let (found, text) = words(&replab(Path::new(CORPUS)).arg("check").arg(&name).output().unwrap());
        assert_eq!(found, Some(code), "{name}: {text}");
        let is_unread = code == 11 && !(text.contains(&name) && text.contains(", line "));
        assert!(!is_unread, "{name}: {text}");
        names.push(name);
    }
    for workload in
        ["append", "rw-register", "bank", "set", "counter", "long-fork", "cas-register", "dbcop", "plume"]
    {
        for verdict in [".valid.", ".invalid."] {
            let is_there = names.iter().any(|name| name.starts_with(&format!("{workload}{verdict}")));
            assert!(is_there, "{workload}{verdict}");
        }
    }
}

#[test]
fn a_bank_is_judged_by_its_rules() {
    let check = |file: &str, args: &[&str]| {
        words(&replab(Path::new(CORPUS)).args(["check", file]).args(args).output().unwrap())
    };
    for (file, args, code, expected) in [
        ("bank.valid.edn", &[][..], 0, "the total is 10, as the reads say: 3 of 3 reads have it"),
        ("bank.valid.edn", &["--total", "10"], 0, "as --total says: 3 of 3 reads have it"),
        ("bank.valid.edn", &["--total", "11"], 1, "its total is 10, 1 less than 11"),
        ("bank.invalid.edn", &[], 1, "its total is 7, 3 less than 10"),
        ("bank.invalid.edn", &[], 1, "as if one half of this had been seen"),
        ("bank.invalid.edn", &[], 1, "move 3 from 0 to 1"),
        ("bank-negative.invalid.edn", &[], 1, "negative-value"),
        ("bank-negative.invalid.edn", &["--negative-balances"], 0, "they are allowed here"),
        ("bank-nil.invalid.edn", &[], 1, "it has 0 nil"),
        ("bank-unexpected.invalid.edn", &[], 1, "it has 9 1"),
        ("bank-unread.unknown.edn", &[], 3, "no read was acknowledged"),
        ("bank.valid.edn", &["--model", "serializable"], 2, "only the total is judged"),
        ("set.valid.edn", &["--total", "5"], 2, "for a bank"),
    ] {
        let (found, text) = check(file, args);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(found == Some(code) && text.contains(expected), "{file} {args:?}: {found:?} {text}");
    }
    let output = replab(Path::new(CORPUS)).args(["check", "bank.invalid.edn", "--json"]).output().unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_schema(SCHEMA, &document);
    assert_eq!(document["anomaly-types"], serde_json::json!(["wrong-total"]));
    assert_eq!(document["nodes"][1], serde_json::json!({ "name": "n2", "reads": 1, "wrong": 1 }));
}

#[test]
fn a_long_fork_is_refuted_by_snapshots_and_not_by_parallel_ones() {
    for (model, code) in [("snapshot-isolation", 1), ("parallel-snapshot-isolation", 0)] {
        let args = ["check", "long-fork.invalid.edn", "--model", model];
        let (found, text) = words(&replab(Path::new(CORPUS)).args(args).output().unwrap());
        assert_eq!(found, Some(code), "{model}: {text}");
    }
}

#[test]
fn a_cut_history_says_so() {
    for (file, code) in [("append-cut.unknown.jsonl", 3), ("append-cut.invalid.jsonl", 1)] {
        for model in [&[][..], &["--model", "linearizable"]] {
            let (found, text) =
                words(&replab(Path::new(CORPUS)).args(["check", file]).args(model).output().unwrap());
            assert_eq!((found, text.contains("The file was cut")), (Some(code), true), "{file}: {text}");
        }
    }
}

/// `REPLAB_UPDATE_SCHEMA=1 cargo test --test it histories` writes the file anew.
#[test]
fn the_banks_schema_in_the_tree_is_the_generated_one() {
    if std::env::var_os("REPLAB_UPDATE_SCHEMA").is_some() {
        fs::write(SCHEMA, bank::schema()).unwrap();
    }
    assert!(
        fs::read_to_string(SCHEMA).unwrap_or_default() == bank::schema(),
        "run with REPLAB_UPDATE_SCHEMA=1"
    );
}
