//! `replab bench forum` on real servers: what each method promises, what its mistakes do to it, and the two schemas.

use replab::history::{Cause, CauseClass, NodeName};
use replab::isolation::Isolation;
use replab::pg::Session;
use replab::topology::{Access, Role, Site};
use replab::workload::bench::{BenchClient, Effort, Policy, Subject, Task};
use replab::workload::forum::{self, Method, Reaction};
use replab::workload::{Answer, Client};
use serde_json::Value;

use crate::lab::{Lab, is_own_server};
use crate::support::{self, DEADLINES};

/// `replab bench forum` once, on a primary alone, as `bench.json`.
fn forum(lab: &Lab, args: &[&str], exit: i32) -> Value {
    let mut all = vec!["bench", "forum", "--replicas", "0", "--repeat", "1", "--format", "json"];
    all.extend(args);
    let bench = lab.run(&all).exits(exit).json();
    lab.assert_nothing_left();
    bench
}

/// One method's only lap.
struct Lap<'a> {
    group: &'a str,
    method: &'a str,
    row: &'a Value,
    lap: &'a Value,
}

impl Lap<'_> {
    fn name(&self) -> String {
        format!("{}, {}: {}", self.group, self.method, self.lap)
    }

    /// A count of the lap, or of what its clients were told.
    #[track_caller]
    fn count(&self, name: &str) -> u64 {
        let places = [&self.lap[name], &self.lap["increments"][name], &self.lap["balance"][name]];
        places.into_iter().find_map(Value::as_u64).unwrap_or_else(|| panic!("no {name} in {}", self.name()))
    }

    fn verdict(&self) -> &str {
        self.lap["balance"]["verdict"].as_str().unwrap()
    }

    fn reason(&self) -> &str {
        self.lap["balance"]["reason"].as_str().unwrap()
    }

    fn has_rows(&self) -> bool {
        !self.lap["inserted"].is_null()
    }

    fn is_meant_to_lose(&self) -> bool {
        self.row["promise"] == "loses"
    }
}

/// Every lap of the bench.
fn laps(bench: &Value) -> Vec<Lap<'_>> {
    let mut laps = Vec::new();
    for group in bench["groups"].as_array().unwrap() {
        for row in group["rows"].as_array().unwrap() {
            let all = row["laps"].as_array().unwrap();
            assert_eq!(all.len(), 1, "{row}");
            let (group, method) = (group["title"].as_str().unwrap(), row["method"].as_str().unwrap());
            laps.push(Lap { group, method, row, lap: &all[0] });
        }
    }
    laps
}

#[test]
fn every_method_keeps_its_promise_with_few_clients_and_with_many() {
    let Some(lab) = Lab::real() else { return };
    let clients = if is_own_server() { "10,64" } else { "4,20" };
    let sizes = ["--clients", clients, "--tasks", "3", "--accounts", "3", "--users", "320", "--seed", "7"];
    let bench = forum(&lab, &sizes, 0);
    let laps = laps(&bench);
    assert_eq!(laps.len(), 18);
    for lap in &laps {
        let name = lap.name();
        assert_eq!((lap.verdict(), lap.count("unknown")), ("pass", 0), "{name}");
        let (told, found) = (lap.count("acknowledged"), lap.count("found"));
        let clients = bench["groups"]
            .as_array()
            .unwrap()
            .iter()
            .find(|group| group["rows"].as_array().unwrap().iter().any(|row| std::ptr::eq(row, lap.row)));
        let group = clients.unwrap();
        let wanted = group["clients"].as_u64().unwrap() * group["each"].as_u64().unwrap();
        assert_eq!(told + lap.count("given_up"), wanted, "{name}");
        assert_eq!(found + lap.count("lost"), told, "what is lost is counted exactly: {name}");
        assert!(lap.is_meant_to_lose() || found == told, "{name}");
        if lap.has_rows() {
            assert_eq!(
                lap.count("inserted"),
                told,
                "who gives up leaves nothing, and no comment is lost: {name}"
            );
            assert_eq!(lap.count("orphaned"), lap.count("lost"), "{name}");
        }
    }
    let lost = |lap: &&Lap<'_>| lap.is_meant_to_lose() && lap.has_rows() && lap.count("lost") > 0;
    assert!(laps.iter().any(|lap| lost(&lap)), "many clients on one thread, and not one total was undone");
    let retries = bench["retries"].as_str().unwrap();
    assert!(retries.starts_with("until it is done, at once (single object"), "{retries}");
    assert!(retries.contains("; at most 5 times, at once (reactions of 320 users"), "{retries}");
    let remarks = bench["remarks"].as_array().unwrap();
    assert_eq!(remarks.iter().filter(|remark| remark.as_str().unwrap().contains("citext")).count(), 1);
    assert!(remarks.iter().any(|remark| remark.as_str().unwrap().contains("not interchangeable")));
}

#[test]
fn a_client_that_dies_leaves_a_reaction_behind_only_without_a_transaction() {
    let Some(lab) = Lab::real() else { return };
    let args = ["--only", "reactions", "--clients", "8", "--users", "40", "--deaths", "10"];
    let bench = forum(&lab, &args, 0);
    for lap in laps(&bench) {
        let name = lap.name();
        let is_apart = lap.method == "compare-and-set";
        assert_eq!((lap.verdict(), lap.count("unknown")), ("pass", 10), "{name}");
        assert_eq!(lap.count("acknowledged") + lap.count("given_up"), 30, "{name}");
        assert_eq!(lap.count("found"), lap.count("acknowledged"), "{name}");
        assert_eq!(lap.count("orphaned"), if is_apart { 10 } else { 0 }, "{name}");
        assert_eq!(lap.count("inserted"), lap.count("found") + lap.count("orphaned"), "{name}");
        assert_eq!(lap.reason() == "as expected", is_apart, "{name}");
    }
}

#[test]
fn a_task_that_is_done_twice_is_caught_in_every_method() {
    let Some(lab) = Lab::real() else { return };
    // Nobody else is there whose lost update could hide it.
    let args = ["--clients", "1", "--tasks", "20", "--users", "20", "--plant", "double-apply"];
    let bench = forum(&lab, &args, 1);
    for lap in laps(&bench) {
        assert_eq!((lap.verdict(), lap.count("doubled")), ("fail", 2), "{}", lap.name());
    }
}

#[test]
fn without_what_makes_it_safe_every_method_is_caught() {
    let Some(lab) = Lab::real() else { return };
    let args = ["--clients", "16", "--tasks", "40", "--accounts", "1", "--users", "640"];
    let bench = forum(&lab, &[&args[..], &["--plant", "unguarded"]].concat(), 1);
    for lap in laps(&bench) {
        assert_eq!(lap.verdict() == "fail", !lap.is_meant_to_lose(), "{}", lap.name());
    }
}

#[test]
fn rows_and_total_that_part_are_caught_although_no_update_is_lost() {
    let Some(lab) = Lab::real() else { return };
    let args = ["--only", "reactions", "--clients", "1", "--users", "10", "--deaths", "2"];
    let bench = forum(&lab, &[&args[..], &["--plant", "unguarded"]].concat(), 1);
    for lap in laps(&bench) {
        let name = lap.name();
        assert_eq!((lap.count("found"), lap.count("inserted"), lap.count("lost")), (8, 10, 0), "{name}");
        let expected = match lap.method {
            "compare-and-set" => ("pass", "as expected"),
            _ => ("fail", "2 there that nobody counted"),
        };
        assert_eq!((lap.verdict(), lap.reason()), expected, "{name}");
    }
}

#[test]
fn a_crash_costs_no_acknowledged_reaction() {
    let Some(lab) = Lab::real() else { return };
    let args = ["--only", "reactions", "--clients", "8", "--users", "8", "--duration", "3s"];
    let bench = forum(&lab, &[&args[..], &["--fault", "crash(primary)@1s"]].concat(), 0);
    for lap in laps(&bench) {
        let name = lap.name();
        assert_eq!(lap.verdict(), "pass", "{name}");
        assert!(lap.count("acknowledged") > 0 && !lap.lap["faults"].as_array().unwrap().is_empty(), "{name}");
        let most = lap.count("acknowledged") + lap.count("unknown");
        assert!((lap.count("acknowledged")..=most).contains(&lap.count("found")), "{name}");
        assert!((lap.count("found")..=most).contains(&lap.count("inserted")), "{name}");
        assert!(lap.method == "compare-and-set" || lap.count("orphaned") == 0, "{name}");
    }
}

#[test]
fn the_original_stands_beside_its_own_size_and_each_back_off_is_a_contest() {
    let Some(lab) = Lab::real() else { return };
    let bench = forum(&lab, &["--only", "reactions"], 0);
    let originals: Vec<(u64, f64)> = laps(&bench)
        .iter()
        .map(|lap| &lap.row["original"])
        .map(|original| (original["value"].as_u64().unwrap(), original["seconds"].as_f64().unwrap()))
        .collect();
    assert_eq!(originals, [(100, 0.424), (93, 0.325), (18, 0.367)]);
    assert_eq!((&bench["groups"][0]["clients"], &bench["groups"][0]["each"]), (&100.into(), &1.into()));
    let remarks = bench["remarks"].to_string();
    assert!(remarks.contains("RetryMatchAndSet") && !remarks.contains("Single object"), "{remarks}");

    let pauses = ["--backoffs", "0,1ms", "--users", "20", "--clients", "4"];
    let bench = forum(&lab, &[&["--only", "reactions"][..], &pauses].concat(), 0);
    let titles: Vec<&str> =
        bench["groups"].as_array().unwrap().iter().map(|group| group["title"].as_str().unwrap()).collect();
    assert_eq!(
        titles,
        [
            "reactions of 20 users to one thread, no back-off",
            "reactions of 20 users to one thread, back-off 1ms"
        ]
    );
    assert!(laps(&bench).iter().all(|lap| lap.row["original"].is_null()));
    assert!(bench["retries"].as_str().unwrap().contains("after a random part of 1ms, doubled"));
    let reproduce = bench["reproduce"].as_str().unwrap();
    assert!(reproduce.contains(" --only reactions --clients 4 --users 20 --backoffs 0s,1ms"), "{reproduce}");
}

/// Names that differ in their case only are refused, and every method does its task.
async fn is_a_forum(session: &Session, site: &Site) {
    let twice = "INSERT INTO account (id, username, hashed_password, created_on) VALUES ('other', 'USER-1', '', now())";
    assert_eq!(session.batch(twice).await.unwrap_err().sqlstate(), Some("23505"));
    let methods =
        Isolation::ALL.into_iter().flat_map(|level| [Method::Account(level), Method::Comment(level)]);
    let methods = methods.chain(Reaction::ALL.map(Method::Reaction));
    for (number, method) in (0..).zip(methods) {
        let before = method.left(session).await.unwrap();
        let task = Task {
            subject: Subject::Forum(method),
            mistake: None,
            policy: Policy::default(),
            slots: 3,
            user: 1,
            dies: false,
            client: 0,
            number,
            draw: 7,
        };
        let mut client = BenchClient::connect(site, &(), DEADLINES).await.unwrap();
        let done = client.invoke(0, &task).await;
        assert_eq!(done, Answer::ok(Effort { retries: 0, given_up: false }), "{method:?}");
        let after = method.left(session).await.unwrap();
        assert_eq!(after.value, before.value + 1, "{method:?}");
        assert_eq!(after.rows, before.rows.map(|rows| rows + 1), "{method:?}");
        // Its death is told as what nobody can know.
        let mut client = BenchClient::connect(site, &(), DEADLINES).await.unwrap();
        if let Method::Reaction(_) = method {
            let died = client.invoke(0, &Task { dies: true, number: number + 100, ..task }).await;
            let is_lost = |cause: &Cause| cause.class == CauseClass::ConnectionLost;
            assert!(matches!(&died, Answer::Info(cause) if is_lost(cause)), "{died:?}");
        }
    }
    let changed = "SELECT count(*) FROM account WHERE username::text LIKE 'name-%' AND version > 1";
    assert_ne!(session.simple_query_rows(changed).await.unwrap()[0][0].as_deref(), Some("0"));
}

#[tokio::test]
async fn names_are_told_apart_with_citext_and_without() {
    let Some(lab) = support::Lab::up(0).await else { return };
    let session = lab.session(NodeName::primary()).await;
    let site = Site {
        node: NodeName::primary(),
        role: Role::Primary,
        access: Access::Postgres(lab.conninfo(NodeName::primary())),
    };
    let installed = "SELECT 1 FROM pg_extension WHERE extname = 'citext'";
    let available = "SELECT 1 FROM pg_available_extensions WHERE name = 'citext'";
    let has = async |sql: &str| !session.simple_query_rows(sql).await.unwrap().is_empty();
    if has(available).await {
        // Nobody else's server is given an extension.
        let remark = forum::set_up(&session, 3, false).await.unwrap();
        assert!(remark.contains("lower()") && !has(installed).await, "{remark}");
        let remark = forum::set_up(&session, 3, true).await.unwrap();
        assert!(remark.contains("are citext") && has(installed).await, "{remark}");
        is_a_forum(&session, &site).await;
        // Where the session's path does not lead.
        session.batch("DROP EXTENSION citext CASCADE; CREATE SCHEMA \"Else where\"").await.unwrap();
        session.batch("CREATE EXTENSION citext SCHEMA \"Else where\"").await.unwrap();
        let remark = forum::set_up(&session, 3, true).await.unwrap();
        assert!(remark.contains("are citext"), "{remark}");
        is_a_forum(&session, &site).await;
        session.batch("DROP TABLE reaction, comment, thread, account; DROP EXTENSION citext").await.unwrap();
    } else {
        println!("skipped: this server has no citext");
    }
    // Somebody who may make tables and no extension.
    session
        .batch("CREATE ROLE plain; GRANT CREATE, USAGE ON SCHEMA public TO plain; SET ROLE plain")
        .await
        .unwrap();
    for _ in 0..2 {
        let remark = forum::set_up(&session, 3, true).await.unwrap();
        assert!(remark.contains("lower()") && !has(installed).await, "{remark}");
    }
    is_a_forum(&session, &site).await;
    session.close().await;
    lab.down().await;
}

#[test]
fn what_makes_no_sense_is_explained_before_anything_is_started() {
    let lab = Lab::new();
    let refused = |args: &[&str], words: &[&str]| {
        lab.run(&[&["bench", "forum"], args].concat()).exits(2).explains(words);
    };
    refused(
        &["--clients", "8", "--users", "100"],
        &["100 users cannot be shared out evenly among 8 clients", "--users 96"],
    );
    refused(&["--users", "5", "--clients", "10"], &["5 users", "10 clients", "--users 10"]);
    refused(&["--deaths", "101"], &["101 of 100 users cannot die", "--users"]);
    refused(&["--only", "single", "--deaths", "1"], &["not measured", "--only reactions"]);
    refused(&["--only", "multiple", "--backoffs", "0"], &["not measured", "--only reactions"]);
    refused(&["--tasks", "5", "--duration", "1s"], &["both were given", "leave out --tasks"]);
    refused(&["--topology", "memory"], &["the methods are SQL", "--topology memory"]);
    for (args, words) in [
        (&["--backoffs", "0", "--backoff", "1ms"][..], "cannot be used with"),
        (&["--backoffs", "5"], "5 is"),
        (&["--only", "everything"], "reactions"),
    ] {
        let done = lab.run(&[&["bench", "forum"], args].concat()).exits(2);
        assert!(
            done.stderr.contains(words) || done.stderr.contains("is not a length of time"),
            "{}",
            done.stderr
        );
    }
    lab.assert_nothing_left();
}
