//! The built-in matrix, and every kind of bad file.

use std::fs;

use super::*;
use crate::topology::{Method, Standbys};

const SMALL: &str = "repeat = 1\nsynchronous_commit = [\"off\"]\nstandbys = [\"none\"]\n[[fault]]\nname = \"crash\"\nschedule = \"crash(primary)@1s\"\n";

fn built_in(flags: &MatrixFlags) -> MatrixPlan {
    matrix(None, flags, []).unwrap()
}

fn seeded() -> MatrixFlags {
    MatrixFlags { settings: Overrides { seed: Some(7), ..Overrides::default() }, ..MatrixFlags::default() }
}

/// What is said of a file, under a name that does not depend on the machine.
fn refused(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("matrix.toml");
    fs::write(&path, text).unwrap();
    let error = matrix(Some(&path), &seeded(), []).unwrap_err();
    assert!(!error.is_usage(), "{error}");
    error.to_string().replace(&path.display().to_string(), "matrix.toml")
}

#[test]
fn the_built_in_matrix_is_every_combination() {
    let plan = built_in(&seeded());
    assert_eq!((plan.repeat, plan.cells.len(), plan.seed()), (3, 40, 7));
    let any = Wanted::These(Standbys { method: Method::Any, count: 1, names: Vec::new() });
    let first: Vec<_> =
        plan.cells[..6].iter().map(|cell| (cell.synchronous_commit, &cell.standbys)).collect();
    assert_eq!(first[0], (SynchronousCommit::Off, &Wanted::Nobody));
    assert_eq!(first[5], (SynchronousCommit::Off, &any));
    assert!(plan.cells.iter().all(|cell| cell.plan.topology.replicas == 2 && !cell.plan.runs("counter")));
    assert!(plan.faults.iter().all(|fault| !fault.explanation.is_empty()));
}

/// By fault, the cells that claim durability.
#[test]
fn theory_says_where_nothing_may_be_lost() {
    let plan = built_in(&seeded());
    let claimed = |fault: &str| -> Vec<String> {
        let of_fault = plan.cells.iter().filter(|cell| cell.fault == fault && cell.plan.durability().claimed);
        of_fault.map(|cell| format!("{} {}", cell.synchronous_commit, cell.standbys)).collect()
    };
    let all_but_off: Vec<String> = ["none", "ANY 1"]
        .iter()
        .flat_map(|standbys| {
            ["local", "remote_write", "on", "remote_apply"].map(|level| format!("{level} {standbys}"))
        })
        .collect();
    assert_eq!(claimed("kill primary"), all_but_off);
    assert_eq!(claimed("stop immediate"), all_but_off);
    assert_eq!(
        claimed("promote best after a freeze"),
        ["remote_write ANY 1", "on ANY 1", "remote_apply ANY 1"]
    );
    assert_eq!(claimed("promote wrong"), [""; 0]);
    for cell in &plan.cells {
        let theory = cell.plan.durability();
        assert_eq!(theory.claimed, cell.plan.claims().claims(crate::check::Guarantee::Durability, None));
        assert!(!theory.why.contains("  ") && !theory.why.ends_with('.'), "{}", theory.why);
    }
    let why = |fault: &str, level: &str, standbys: &str| {
        let cell = plan.cells.iter().find(|cell| {
            (cell.fault.as_str(), cell.synchronous_commit.as_str(), cell.standbys.to_string().as_str())
                == (fault, level, standbys)
        });
        cell.unwrap().plan.durability().why
    };
    insta::assert_snapshot!(why("kill primary", "off", "ANY 1"), @"a commit is acknowledged before it is on disk: a crash takes back what the WAL writer had not flushed, the end of the log of at most three times `wal_writer_delay`");
    insta::assert_snapshot!(why("promote wrong", "remote_write", "none"), @"there is no synchronous standby to wait for, so that PostgreSQL takes the level for `local`, in silence: what the promoted replica had not received by then is gone");
    insta::assert_snapshot!(why("promote wrong", "off", "none"), @"neither a disk nor a standby is waited for: what the promoted replica had not received by then is gone");
    insta::assert_snapshot!(why("promote best after a freeze", "remote_write", "ANY 1"), @"1 of 2 standbys had received each commit before it was acknowledged (written, not flushed: enough while that standby's operating system stays up), and the one that is promoted cannot have less than they");
    insta::assert_snapshot!(why("promote wrong", "on", "ANY 1"), @"1 of 2 standbys had received each commit before it was acknowledged, and the one that is promoted may be another: what the promoted replica had not received by then is gone");
}

#[test]
fn what_a_matrix_is_written_as_describes_it() {
    let plan = built_in(&seeded());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("matrix.toml");
    fs::write(&path, plan.to_toml()).unwrap();
    let again = matrix(Some(&path), &MatrixFlags::default(), []).unwrap();
    assert_eq!(again, plan);
    assert_eq!(again.to_toml(), plan.to_toml());
}

#[test]
fn flags_choose_cells() {
    let only = |only: &[&str]| {
        let only = only.iter().map(|text| (*text).to_owned()).collect();
        matrix(None, &MatrixFlags { repeat: Some(9), only, ..seeded() }, [])
    };
    let plan =
        only(&["fault=kill primary", "fault = promote wrong", "standbys=ANY 1", "synchronous_commit=on"])
            .unwrap();
    assert_eq!((plan.repeat, plan.cells.len(), plan.standbys.len(), plan.faults.len()), (9, 2, 1, 2));
    for (text, said) in [
        (
            "fault=kil",
            "--only: there is no fault `kil` (did you mean `kill primary`?); known are kill primary, ",
        ),
        ("standby=none", "--only: `standby=none` does not say what to keep (did you mean `standbys`?)"),
        ("none", "--only: `none` does not say what to keep"),
    ] {
        let error = only(&[text]).unwrap_err();
        assert!(error.is_usage() && error.to_string().starts_with(said), "{error}");
    }
    let repeat = matrix(None, &MatrixFlags { repeat: Some(0), ..seeded() }, []).unwrap_err();
    assert_eq!(
        (repeat.is_usage(), repeat.to_string().as_str()),
        (true, "--repeat: it must be between 1 and 100, but is 0")
    );
    let variable = [("REPLAB_FAULTS__SCHEDULE".to_owned(), "none".to_owned())];
    let error = matrix(None, &seeded(), variable).unwrap_err().to_string();
    assert!(error.starts_with("REPLAB_FAULTS__SCHEDULE: faults.schedule: a matrix varies it"), "{error}");
}

#[test]
fn bad_files_are_refused_with_line_and_caret() {
    insta::assert_snapshot!(refused("repeat = 1\n"), @"matrix.toml: there is no key `synchronous_commit`; `replab matrix --print` shows a matrix");
    insta::assert_snapshot!(refused(&SMALL.replace("repeat = 1", "repeat = 101")), @"
        matrix.toml:1: it must be between 1 and 100, but is 101
          1 | repeat = 101
            |          ^^^
        ");
    insta::assert_snapshot!(refused(&SMALL.replace("repeat", "repeet")), @"
        matrix.toml:1: there is no key `repeet` in a matrix (did you mean `repeat`?)
          1 | repeet = 1
            | ^^^^^^
        ");
    insta::assert_snapshot!(refused(&SMALL.replace("\"off\"", "\"of\"")), @r#"
        matrix.toml:2: `of` is not a value of synchronous_commit (did you mean `off`?); known are off, local, remote_write, on, remote_apply
          2 | synchronous_commit = ["of"]
            |                       ^^^^
        "#);
    insta::assert_snapshot!(refused(&SMALL.replace("\"off\"", "\"off\", \"off\"")), @r#"
        matrix.toml:2: `off` stands in `synchronous_commit` twice
          2 | synchronous_commit = ["off", "off"]
            |                              ^^^^^
        "#);
    insta::assert_snapshot!(refused(&SMALL.replace("\"none\"", "\"ANY 2\"")), @r#"
        matrix.toml:3: synchronous standbys `ANY 2`: a commit would wait for 2 of 1
          3 | standbys = ["ANY 2"]
            |             ^^^^^^^
        "#);
    insta::assert_snapshot!(refused(&SMALL.replace("[\"none\"]", "[]")), @"
        matrix.toml:3: `standbys` takes a list of texts in quotes, at least one
          3 | standbys = []
            |            ^^
        ");
    insta::assert_snapshot!(refused(&SMALL.replace("crash(primary)@1s", "crash(primay)@1s")), @r#"
        matrix.toml:6: crash(primay)@1s: there is no node `primay` (did you mean `primary`?); the nodes are primary, replica-1
          6 | schedule = "crash(primay)@1s"
            |            ^^^^^^^^^^^^^^^^^^
        "#);
    insta::assert_snapshot!(refused(&SMALL.replace("schedule", "shedule")), @r#"
        matrix.toml:6: there is no key `shedule` in [[fault]] (did you mean `schedule`?)
          6 | shedule = "crash(primary)@1s"
            | ^^^^^^^
        "#);
    insta::assert_snapshot!(refused(&format!("{SMALL}[[fault]]\nname = \"other\"\n")), @r#"
        matrix.toml:8: this fault has no `schedule`
          8 | name = "other"
            | ^^^^
        "#);
    insta::assert_snapshot!(refused(&format!("{SMALL}[topology]\nsynchronous_commit = \"on\"\n")), @r#"
        matrix.toml:8: topology.synchronous_commit: a matrix varies it: list its values in `synchronous_commit`
          8 | synchronous_commit = "on"
            |                      ^^^^
        "#);
    insta::assert_snapshot!(refused(&format!("{SMALL}[load]\nduraton = \"1s\"\n")), @r#"
        matrix.toml:8: there is no key `duraton` in [load] (did you mean `duration`?)
          8 | duraton = "1s"
            | ^^^^^^^
        "#);
    let twice = format!("{SMALL}[[fault]]\nname = \"crash\"\nschedule = \"none\"\n");
    assert!(refused(&twice).contains("two faults are called `crash`"), "{}", refused(&twice));
    assert!(refused("repeat = [").contains("this is not TOML"));
    let gone = matrix(Some(Path::new("no-such-file")), &seeded(), []).unwrap_err().to_string();
    assert!(gone.starts_with("no-such-file: read the configuration file"), "{gone}");
}
