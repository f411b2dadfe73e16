//! Stored runs: judged and rendered again, listed and removed, and what becomes of damaged ones. The runs are of the
//! in-memory cluster; real ones are stored by the same code.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::lab::{Done, Lab};

/// A lab with one small, valid run in it.
fn lab_with_run() -> Lab {
    let lab = Lab::new();
    run(&lab);
    lab
}

fn run(lab: &Lab) {
    let args =
        ["run", "--quiet", "--topology", "memory", "--duration", "300ms", "--fault", "crash(primary)@100ms"];
    lab.run(&[&args[..], &["--seed", "3", "--clients", "2"]].concat()).exits(0);
}

fn history(lab: &Lab, name: &str) -> PathBuf {
    lab.latest("history").join(format!("{name}.jsonl.zst"))
}

fn lines(path: &Path) -> Vec<String> {
    let text = zstd::decode_all(&*fs::read(path).unwrap()).unwrap();
    String::from_utf8(text).unwrap().lines().map(str::to_owned).collect()
}

fn write(path: &Path, text: &str) {
    fs::write(path, zstd::encode_all(text.as_bytes(), 1).unwrap()).unwrap();
}

/// The history of counters with line `number` (from 1) changed.
fn change(lab: &Lab, number: usize, change: impl FnOnce(&mut Value)) {
    let path = history(lab, "counter");
    let mut lines = lines(&path);
    let mut line = serde_json::from_str(&lines[number - 1]).unwrap();
    change(&mut line);
    lines[number - 1] = line.to_string();
    write(&path, &(lines.join("\n") + "\n"));
}

/// The first line (from 1) of the counters' history that a client's event of this type is on.
fn line_of(lab: &Lab, kind: &str) -> usize {
    let lines = lines(&history(lab, "counter"));
    let is = |line: &String| serde_json::from_str::<Value>(line).unwrap()["type"] == kind;
    lines.iter().position(is).unwrap_or_else(|| panic!("no {kind}")) + 1
}

fn assert_cut(lab: &Lab, history: &str) {
    let why = format!("the history `{history}` was cut");
    let report = lab.run(&["check", "--json"]).exits(3).json();
    assert_eq!((&report["verdict"], &report["exit_code"]), (&"unknown".into(), &3.into()));
    assert_eq!(report["cut"], why.as_str());
    assert!(!report["figures"]["operations"].as_array().unwrap().is_empty());
    assert!(lab.run(&["check"]).exits(3).stdout.contains(&why));
}

#[test]
fn a_history_cut_in_a_frame_is_unknown() {
    let lab = lab_with_run();
    let path = history(&lab, "counter");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 20]).unwrap();
    assert_cut(&lab, "counter");
}

#[test]
fn a_history_cut_in_a_line_is_unknown() {
    let lab = lab_with_run();
    let path = history(&lab, "orders");
    let whole = lines(&path);
    let half = &whole[whole.len() / 2];
    write(&path, &format!("{}\n{}", whole[..whole.len() / 2].join("\n"), &half[..half.len() / 2]));
    assert_cut(&lab, "orders");
    // Between two lines is no better: the trailer is missing.
    write(&path, &(whole[..whole.len() - 1].join("\n") + "\n"));
    assert_cut(&lab, "orders");
}

/// What `check` says about the counters' history after it was changed.
fn refused(damage: impl FnOnce(&Lab), words: &[&str]) {
    let lab = lab_with_run();
    damage(&lab);
    let words: Vec<&str> = words.iter().copied().chain(["counter.jsonl.zst"]).collect();
    lab.run(&["check"]).exits(11).explains(&words);
    let done = lab.run(&["check", "--json"]).exits(11);
    assert_eq!(done.json()["error"]["exit_code"], 11);
    lab.run(&["report"]).exits(11);
}

#[test]
fn a_line_that_is_none_is_named() {
    let damage = |lab: &Lab| {
        let path = history(lab, "counter");
        let mut lines = lines(&path);
        lines[6].truncate(9);
        write(&path, &(lines.join("\n") + "\n"));
    };
    refused(damage, &[", line 7: "]);
    refused(|lab| change(lab, 5, |line| line["extra"] = 1.into()), &[", line 5: ", "unknown field `extra`"]);
    refused(
        |lab| change(lab, 5, |line| drop(line.as_object_mut().unwrap().remove("type"))),
        &[", line 5: ", "`type`"],
    );
}

#[test]
fn events_that_make_no_history_are_refused() {
    // Line 1 is the header, so event n stands on line n + 2.
    refused(
        |lab| change(lab, 5, |line| line["index"] = 9.into()),
        &["is not a history", "event 3 is numbered 9"],
    );
    refused(
        |lab| change(lab, 5, |line| line["time"] = 0.into()),
        &["is not a history", "event 3 is earlier"],
    );
    let orphan = |lab: &Lab| {
        let number = line_of(lab, "ok");
        change(lab, number, |line| line["process"] = 999_999.into());
    };
    refused(orphan, &["is not a history", "completes an operation", "that it has not invoked there"]);
    let reuse = |lab: &Lab| {
        let number = line_of(lab, "ok");
        change(lab, number, |line| {
            let line = line.as_object_mut().unwrap();
            line.remove("reply");
            line.remove("warning");
            line.insert("type".to_owned(), "info".into());
            line.insert("cause".to_owned(), serde_json::json!({ "class": "deadline", "message": "late" }));
        });
    };
    refused(reuse, &["is not a history", "is used again", "is unknown"]);
}

#[test]
fn files_of_another_kind_are_refused() {
    refused(|lab| change(lab, 1, |line| line["version"] = 9.into()), &["line 1", "replab-history version 9"]);
    refused(|lab| change(lab, 1, |line| line["format"] = "x".into()), &["line 1", "x version 1"]);
    refused(|lab| fs::write(history(lab, "counter"), "plain text, and not short\n").unwrap(), &["not zstd"]);
    refused(|lab| fs::remove_file(history(lab, "counter")).unwrap(), &["No such file"]);
    refused(|lab| fs::write(history(lab, "counter"), "").unwrap(), &["no header"]);
    let wrong_count = |lab: &Lab| {
        let last = lines(&history(lab, "counter")).len();
        change(lab, last, |line| line["events"] = 1.into());
    };
    refused(wrong_count, &["the trailer counts 1 events"]);
}

#[test]
fn a_manifest_that_is_missing_or_garbage_is_refused() {
    let lab = lab_with_run();
    fs::write(lab.latest("run.json"), "{ \"format\": ").unwrap();
    lab.run(&["check"]).exits(11).explains(&["run.json is not a run's manifest", "EOF while parsing"]);
    assert!(lab.run(&["runs", "list"]).exits(0).stdout.contains("is not a run's manifest"));
    fs::remove_file(lab.latest("run.json")).unwrap();
    lab.run(&["check"])
        .exits(2)
        .explains(&["runs/latest has no run.json, so it is not a run", "replab runs list"]);
    lab.run(&["check", "nothing"]).exits(2).explains(&["there is no run `nothing` in runs"]);
}

#[test]
fn a_stored_run_in_every_format() {
    let lab = lab_with_run();
    let results = lab.results();
    let checked = lab.run(&["check", "--json"]).exits(0).json();
    assert_eq!(checked, results, "the same evidence gives the same report");
    let report = |format: &str| lab.run(&["report", "--format", format]).exits(0).stdout;
    assert_eq!(serde_json::from_str::<Value>(&report("json")).unwrap(), results);
    let id = results["run"]["id"].as_str().unwrap();
    for (format, file, begins) in [
        ("html", "report.html", "<!DOCTYPE html>"),
        ("md", "report.md", "#"),
        ("markdown", "report.md", "#"),
        ("junit", "junit.xml", "<?xml"),
        ("text", "", "✓ VALID"),
    ] {
        let text = report(format);
        assert!(text.starts_with(begins), "{format}: {}", &text[..60]);
        assert!(text.contains(id), "{format} names the run");
        if !file.is_empty() {
            assert_eq!(fs::read_to_string(lab.latest(file)).unwrap(), text, "{format}");
        }
    }
    assert_eq!(lab.run(&["report", "--json"]).exits(0).json(), results);
    // Printing writes nothing: the run may be an artefact that cannot be written.
    fs::remove_file(lab.latest("report.html")).unwrap();
    let page = report("html");
    assert!(!lab.latest("report.html").exists());
    lab.run(&["report", "--rewrite"]).exits(0);
    assert_eq!(fs::read_to_string(lab.latest("report.html")).unwrap(), page);
    // From elsewhere, its paths lead there.
    let elsewhere = lab.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let mut shown = lab.replab(&["report", "--json", "--runs", "../runs"]);
    let shown = Done::from(shown.current_dir(&elsewhere).output().unwrap()).exits(0).json();
    let directory = Path::new(shown["run"]["directory"].as_str().unwrap());
    assert!(directory.is_absolute() && directory.join("plan.toml").exists(), "{directory:?}");
    let repeat = shown["run"]["reproduce"].as_str().unwrap();
    assert_eq!(repeat, format!("replab run --config {}/plan.toml", directory.display()));
    // What is required later is judged as claimed, and nothing is written by that.
    let required = lab.run(&["check", "--json", "--require", "read-your-writes"]);
    assert!(required.json()["claims"]["everywhere"].to_string().contains("read-your-writes"));
    assert_eq!(lab.results(), results);
}

#[test]
fn a_missed_threshold_is_no_valid_run() {
    let lab = Lab::new();
    for (threshold, code, result) in [
        // Counts: however slow the machine is, they are no less true.
        ("errors.unknown>0", 4, "threshold missed"),
        ("lag.bytes.max<1GB", 3, "unknown"),
        ("errors.unknown<1", 0, "valid"),
    ] {
        let args =
            ["run", "--quiet", "--topology", "memory", "--duration", "300ms", "--no-faults", "--threshold"];
        lab.run(&[&args[..], &[threshold]].concat()).exits(code);
        let shown = lab.run(&["runs", "show", "--json"]).exits(0).json();
        assert_eq!(shown["result"], result, "{threshold}");
    }
    let listed = lab.run(&["runs", "list"]).exits(0).stdout;
    assert!(listed.contains("┆ threshold missed ") && listed.contains("┆ unknown "), "{listed}");
}

#[test]
fn a_planted_bug_is_named_and_repeated() {
    let lab = Lab::new();
    let args = ["run", "counter", "--quiet", "--topology", "memory", "--duration", "300ms", "--no-faults"];
    let done = lab.run(&[&args[..], &["--plant", "double-apply"]].concat()).exits(1);
    let report = lab.results();
    let topology = report["run"]["topology"].as_str().unwrap();
    assert!(topology.ends_with(", planted: double-apply"), "{topology}");
    let repeat = report["run"]["reproduce"].as_str().unwrap();
    assert!(repeat.ends_with("/plan.toml --plant double-apply"), "{repeat}");
    assert!(done.stdout.contains(topology) && done.stdout.contains(repeat), "{}", done.stdout);
    let markdown = fs::read_to_string(lab.latest("report.md")).unwrap();
    assert!(markdown.contains(topology) && markdown.contains(repeat), "{markdown}");
    let repeat: Vec<&str> = repeat.split(' ').skip(1).chain(["--quiet"]).collect();
    lab.run(&repeat).exits(1);
}

#[test]
fn a_failed_run_keeps_the_exit_code_it_ended_with() {
    let lab = lab_with_run();
    let path = lab.latest("run.json");
    for (category, code) in [("environment", 11), ("lab", 12)] {
        let mut document: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        document["ended"] = serde_json::json!({ "failed": { "why": "no luck", "category": category } });
        fs::write(&path, document.to_string()).unwrap();
        assert_eq!(lab.run(&["check", "--json"]).exits(code).json()["exit_code"], code);
        assert_eq!(lab.run(&["report", "--json"]).exits(0).json()["exit_code"], code);
    }
    // A run that nobody judged before.
    fs::remove_file(lab.latest("results.json")).unwrap();
    lab.run(&["check"]).exits(12);
}

#[test]
fn runs_are_listed_shown_and_removed() {
    let lab = Lab::new();
    assert_eq!(lab.run(&["runs", "list"]).exits(0).stderr, "no runs in runs\n");
    assert_eq!(lab.run(&["runs", "list", "--json"]).exits(0).json(), serde_json::json!([]));
    (0..3).for_each(|_| run(&lab));
    let ids = || -> Vec<String> {
        let listed = lab.run(&["runs", "list", "--json"]).exits(0).json();
        listed.as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap().to_owned()).collect()
    };
    let all = ids();
    assert_eq!(all.len(), 3);
    assert_eq!(lab.results()["run"]["id"], all[2].as_str(), "the newest comes last");
    lab.run(&["check", ""]).exits(2).explains(&["the run's name is empty"]);
    lab.run(&["check", "2"]).exits(2).explains(&["`2` may be", &all[0], &all[1], &all[2]]);
    let shown = lab.run(&["runs", "show", &all[0]]).exits(0).stdout;
    assert!(shown.contains(&all[0]) && shown.contains("result     valid"), "{shown}");
    lab.run(&["check", &format!("runs/{}", all[1])]).exits(0);

    let latest = || fs::read_link(lab.runs().join("latest")).ok();
    let removed = lab.run(&["runs", "rm", "latest", "--json"]).exits(0).json();
    assert_eq!(removed, serde_json::json!({ "removed": [all[2]] }));
    assert_eq!(ids(), all[..2]);
    assert_eq!(latest(), Some(PathBuf::from(&all[1])), "the newest that stays");
    lab.run(&["check"]).exits(0);
    lab.run(&["runs", "rm", &all[2]]).exits(2);
    let removed = lab.run(&["runs", "prune", "--keep", "1", "--json"]).exits(0).json();
    assert_eq!(removed, serde_json::json!({ "removed": [all[0]] }));
    assert_eq!(ids(), all[1..2]);
    lab.run(&["runs", "rm", "latest"]).exits(0);
    assert_eq!((ids(), latest()), (Vec::new(), None));
    lab.run(&["check"]).exits(2).explains(&["there is no run `latest` in runs"]);
}
