//! Jepsen's workloads that are no transactions.

use super::*;
use crate::history::txn::{Value, Values};

/// Invocations and completions: `process type f asked`.
fn events(lines: &[(u32, &str, &str, &str)]) -> String {
    let line = |&(process, r#type, f, value): &(u32, &str, &str, &str)| {
        format!("{{:type :{type}, :process {process}, :f :{f}, :value {value}, :time 7}}\n")
    };
    lines.iter().map(line).collect()
}

/// One operation a line: `process invoked-completed status: action`.
fn listed<A>(operations: &Operations<A>, action: impl Fn(&Values, &A) -> String) -> Vec<String> {
    let line = |one: &Operation<A>| {
        let completed = one.completed.map_or_else(String::new, |completed| completed.to_string());
        let key = one.key.map_or_else(String::new, |key| format!("{}: ", operations.values.show(key)));
        let action = action(&operations.values, &one.action);
        format!("{} {}-{completed} {:?}: {key}{action}", one.process, one.invoked, one.status)
    };
    operations.all.iter().map(line).collect()
}

#[test]
fn transfers_and_reads_of_a_bank() {
    let text = events(&[
        (0, "invoke", "transfer", "{:from 0, :to 1, :amount 5}"),
        (1, "invoke", "read", "nil"),
        (0, "ok", "transfer", "{:from 0, :to 1, :amount 5}"),
        (1, "ok", "read", "{0 5, 1 nil, :x -3}"),
        (1, "invoke", "read", "nil"),
        (1, "info", "read", "nil"),
        (2, "invoke", "transfer", "{:from :x, :to 1, :amount -1}"),
    ]);
    let expected = [
        "0 0-2 Ok: 0 -> 1: 5",
        "1 1-3 Ok: 0: Some(5), 1: None, :x: Some(-3)",
        "1 4-5 Info: unknown",
        "2 6- Info: :x -> 1: -1",
    ];
    let shown = |values: &Values, action: &BankAction| match action {
        BankAction::Transfer { from, to, amount } => {
            format!("{} -> {}: {amount}", values.show(*from), values.show(*to))
        }
        BankAction::Read(None) => "unknown".to_owned(),
        BankAction::Read(Some(accounts)) => {
            let one = |(account, balance): &(_, _)| format!("{}: {balance:?}", values.show(*account));
            accounts.iter().map(one).collect::<Vec<_>>().join(", ")
        }
    };
    let Imported::Bank(bank) = import(&text).history else { panic!("a bank") };
    assert_eq!(listed(&bank, shown), expected);
    assert_eq!((bank.all[0].start.0, bank.all[0].end.0, bank.all[0].node.as_str()), (7, 7, "primary"));
    let json = r#"{"type":"invoke","process":0,"f":"read","value":null,"node":"n2"}
        {"type":"ok","process":0,"f":"read","value":{"0":10,"1":20}}"#;
    let Imported::Bank(bank) = import(json).history else { panic!("a bank") };
    assert_eq!(listed(&bank, shown), ["0 0-1 Ok: 0: Some(10), 1: Some(20)"]);
    let BankAction::Read(Some(accounts)) = &bank.all[0].action else { panic!("a read") };
    assert_eq!((accounts[1].0.0, bank.all[0].node.as_str()), (1, "n2"));
}

#[test]
fn adds_and_reads_of_a_set() {
    let shown = |values: &Values, action: &SetAction| match action {
        SetAction::Add(element) => format!("+{}", values.show(*element)),
        SetAction::Read(None) => "unknown".to_owned(),
        SetAction::Read(Some(elements)) => {
            elements.iter().map(|element| values.show(*element)).collect::<Vec<_>>().join(" ")
        }
    };
    for read in ["#{1 :b}", "[1 :b]"] {
        let text = events(&[
            (0, "invoke", "add", "1"),
            (1, "invoke", "add", ":b"),
            (0, "ok", "add", "1"),
            (0, "invoke", "read", "nil"),
            (0, "ok", "read", read),
            (2, "invoke", "read", "nil"),
            (2, "fail", "read", "nil"),
        ]);
        let Imported::Set(set) = import(&text).history else { panic!("a set") };
        assert_eq!(
            listed(&set, shown),
            ["0 0-2 Ok: +1", "1 1- Info: +:b", "0 3-4 Ok: 1 :b", "2 5-6 Fail: unknown"]
        );
    }
    let text = events(&[(0, "invoke", "add", "1"), (0, "ok", "add", "1")]);
    let Imported::Set(set) = import(&text).history else { panic!("without reads, a set") };
    assert_eq!(listed(&set, shown), ["0 0-1 Ok: +1"]);
}

#[test]
fn adds_and_reads_of_a_counter() {
    let text = events(&[
        (0, "invoke", "add", "2"),
        (0, "ok", "add", "2"),
        (0, "invoke", "read", "nil"),
        (0, "ok", "read", "2"),
        (0, "invoke", "add", "-1"),
    ]);
    let Imported::Counter(counter) = import(&text).history else { panic!("a counter") };
    assert_eq!(
        listed(&counter, |_, action| format!("{action:?}")),
        ["0 0-1 Ok: Add(2)", "0 2-3 Ok: Read(Some(2))", "0 4- Info: Add(-1)"]
    );
}

fn registers(values: &Values, action: &RegisterAction) -> String {
    match *action {
        RegisterAction::Read(seen) => {
            format!("read {}", seen.map_or("nothing".into(), |seen| values.show(seen)))
        }
        RegisterAction::Write(value) => format!("write {}", values.show(value)),
        RegisterAction::CompareAndSet { old, new } => {
            format!("{} to {}", values.show(old), values.show(new))
        }
    }
}

#[test]
fn one_register() {
    let text = events(&[
        (0, "invoke", "read", "nil"),
        (0, "ok", "read", "nil"),
        (0, "invoke", "write", "3"),
        (1, "invoke", "cas", "[3 4]"),
        (0, "ok", "write", "3"),
        (1, "fail", "cas", "[3 4]"),
        (0, "invoke", "read", "nil"),
        (0, "ok", "read", "3"),
        (1, "invoke", "read", "nil"),
        (1, "info", "read", "nil"),
    ]);
    let Imported::CasRegister(register) = import(&text).history else { panic!("a register") };
    assert_eq!(
        listed(&register, registers),
        [
            "0 0-1 Ok: read nothing",
            "0 2-4 Ok: write 3",
            "1 3-5 Fail: 3 to 4",
            "0 6-7 Ok: read 3",
            "1 8-9 Info: read nothing"
        ]
    );
}

#[test]
fn independent_registers() {
    let text = events(&[
        (0, "invoke", "write", "[7 3]"),
        (0, "ok", "write", "[7 3]"),
        (0, "invoke", "cas", "[:k [3 4]]"),
        (0, "ok", "cas", "[:k [3 4]]"),
        (0, "invoke", "read", "[7 nil]"),
        (0, "ok", "read", "[7 3]"),
    ]);
    let Imported::CasRegister(register) = import(&text).history else { panic!("registers") };
    assert_eq!(
        listed(&register, registers),
        ["0 0-1 Ok: 7: write 3", "0 2-3 Ok: :k: 3 to 4", "0 4-5 Ok: 7: read 3"]
    );
    // One value that is no pair, and all are values.
    let text = text.clone() + &events(&[(0, "invoke", "write", "1")]);
    let text = text.replace("[:k [3 4]]", "[1 2]");
    let Imported::CasRegister(register) = import(&text).history else { panic!("a register") };
    assert_eq!(
        listed(&register, registers),
        ["0 0-1 Ok: write [7 3]", "0 2-3 Ok: 1 to 2", "0 4-5 Ok: read [7 3]", "0 6- Info: write 1"]
    );
}

#[test]
fn independent_sets_and_counters() {
    let of = |added: &str, read: &str| {
        let text = events(&[
            (0, "invoke", "add", added),
            (0, "ok", "add", added),
            (0, "invoke", "read", "[7 nil]"),
            (0, "ok", "read", read),
            (1, "invoke", "read", "[8 nil]"),
        ]);
        import(&text).history
    };
    let Imported::Set(set) = of("[7 [1 2]]", "[7 #{[1 2]}]") else { panic!("sets") };
    let shown = listed(&set, |values, action| match action {
        SetAction::Add(element) => format!("+{}", values.show(*element)),
        SetAction::Read(seen) => format!("{:?}", seen.as_ref().map(Vec::len)),
    });
    assert_eq!(shown, ["0 0-1 Ok: 7: +[1 2]", "0 2-3 Ok: 7: Some(1)", "1 4- Info: 8: None"]);
    let Imported::Counter(counter) = of("[7 3]", "[7 3]") else { panic!("counters") };
    let shown = listed(&counter, |_, action| format!("{action:?}"));
    assert_eq!(shown, ["0 0-1 Ok: 7: Add(3)", "0 2-3 Ok: 7: Read(Some(3))", "1 4- Info: 8: Read(None)"]);
    // Reads that are asked nothing are of one set, whose elements are pairs.
    let text = events(&[
        (0, "invoke", "add", "[1 2]"),
        (0, "ok", "add", "[1 2]"),
        (0, "invoke", "read", "nil"),
        (0, "ok", "read", "[[1 2] [3 4]]"),
    ]);
    let Imported::Set(set) = import(&text).history else { panic!("a set") };
    assert!(set.all.iter().all(|one| one.key.is_none()));
    assert_eq!(set.all[1].action, SetAction::Read(Some(vec![Value(i64::MIN), Value(i64::MIN + 1)])));
}
