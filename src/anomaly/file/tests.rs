//! What files are refused, with the exact words.

use super::read;
use crate::anomaly::Placement;
use crate::isolation::Isolation;

const GOOD: &str = r#"name = "mine"
title = "Mine"
about = "Mine."
setup = ["CREATE TABLE t (v int)"]
sessions = { alice = "primary", rita = { on = "replica", isolation = "repeatable-read" } }
steps = [
  { alice = "UPDATE t SET v = {saw:rita reads|1}", as = "alice writes" },
  { rita = "SELECT v FROM t", as = "rita reads" },
]
happens = [{ step = "rita reads", rows = [[1, "NULL"]] }]

[expect.replica]
read-committed = "waits at alice writes"

[[prevention]]
name = "other"
isolation = "serializable"
why = "Because."
replace = { "alice writes" = "SELECT 1" }
expect = "refused 40001 at alice writes"
"#;

/// What is said of the good file after `from` became `to`.
#[track_caller]
fn refused(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    read("mine.toml", &GOOD.replacen(from, to, 1)).unwrap_err().to_string()
}

#[test]
fn a_whole_file_is_read() {
    let case = read("mine.toml", GOOD).unwrap();
    assert_eq!(case.placements(), [Placement::Replica]);
    assert_eq!(case.sessions[1].isolation, Some(Isolation::RepeatableRead));
    assert_eq!(case.expect.len(), 1);
    let with = case.with(&case.preventions[0]);
    assert_eq!((with.steps[0].action.text(), case.preventions[0].on), ("SELECT 1", Placement::Replica));
}

/// Accepted with `INSTA_UPDATE=always cargo test --lib anomaly::file`, and read before it is committed.
#[test]
fn a_mistake_is_shown_on_its_line_with_what_would_be_right() {
    let told: Vec<String> = [
        ("about =", "abuot ="),
        ("{ rita = \"SELECT", "{ rta = \"SELECT"),
        ("read-committed =", "read-comitted ="),
        ("\"repeatable-read\" }", "\"repeatable-reed\" }"),
        ("alice = \"primary\"", "alice = \"primry\""),
        ("step = \"rita reads\"", "step = \"rita read\""),
        ("waits at alice writes", "waits at alice wrote"),
        ("waits at alice writes", "blocks"),
        ("as = \"alice writes\"", "as = \"alice writes\", only_iff = 1"),
        ("{saw:rita reads|1}", "{seen:rita reads}"),
        ("{saw:rita reads|1}", "{pid:bob}"),
        ("rows = [[1, \"NULL\"]]", "rows = [[1.5]]"),
        ("rows = [[1, \"NULL\"]]", "row = 1"),
        ("rows = [[1, \"NULL\"]]", "ok = false"),
        ("[expect.replica]", "[expect.primary]"),
        ("refused 40001 at alice writes", "happens"),
        ("why =", "helps = false\nwhy ="),
        ("replace = {", "needs = [\"root\"]\nreplace = {"),
        ("replace = { \"alice", "replace = { \"alise"),
        ("name = \"mine\"", "name = mine"),
        ("name = \"mine\"", "name = \"My case\""),
        ("title = \"Mine\"\n", ""),
        ("isolation = \"serializable\"\n", ""),
        ("as = \"rita reads\"", "as = \"alice writes\""),
        ("  { rita = \"SELECT v FROM t\", as = \"rita reads\" },\n", ""),
        ("happens = [{ step = \"rita reads\", rows = [[1, \"NULL\"]] }]", ""),
        ("  { rita =", "  { control = \"hold-commits\" },\n  { rita ="),
        ("  { rita =", "  { \"SELECT 1\" = 1 },\n  { rita ="),
    ]
    .into_iter()
    .map(|(from, to)| format!("{} → {}\n{}\n", from.trim(), to.trim(), refused(from, to)))
    .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_control_needs_an_admin_and_says_that_it_changes_settings() {
    let admin = GOOD.replacen("alice = \"primary\"", "alice = \"admin\"", 1);
    let admin = admin.replacen("  { rita =", "  { control = \"hold-commits\" },\n  { rita =", 1);
    let refused = read("mine.toml", &admin).unwrap_err().to_string();
    assert!(refused.contains("add needs = [\"superuser\"]"), "{refused}");
    read("mine.toml", &admin.replacen("setup", "needs = [\"superuser\"]\nsetup", 1)).unwrap();
}

#[test]
fn every_mistake_is_told_at_once_in_the_order_of_the_file() {
    let text = GOOD.replacen("about", "abuot", 1).replacen("why", "wy", 1);
    let error = read("mine.toml", &text).unwrap_err();
    let places: Vec<&str> = error.problems.iter().map(|problem| problem.place.as_str()).collect();
    assert_eq!(places, ["mine.toml:3", "mine.toml"]);
}

#[test]
fn no_text_makes_it_panic() {
    for cut in 0..GOOD.len() {
        if let Some(part) = GOOD.get(..cut) {
            let _ = read("x", part).map_err(|error| error.to_string());
        }
        let without: String = GOOD.chars().enumerate().filter(|(at, _)| *at != cut).map(|(_, c)| c).collect();
        let _ = read("x", &without).map_err(|error| error.to_string());
    }
}
