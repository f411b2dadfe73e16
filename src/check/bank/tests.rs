//! Banks in text, one call a line: `t a b 5` moves 5 from a to b, `r a=1 b=-` reads, each after the other.

use super::*;

/// `!` ends a call that failed, `?` one of unknown outcome; `@n2` is its node.
fn calls(text: &str) -> Vec<Call> {
    let account = |name: &str| Value(i64::from(name.as_bytes()[0]));
    let one = |(number, line): (u32, &str)| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let node = words.iter().find_map(|word| word.strip_prefix('@')).unwrap_or("primary");
        let status = match words.last() {
            Some(&"!") => Status::Fail,
            Some(&"?") => Status::Info,
            _ => Status::Ok,
        };
        let action = if words[0] == "t" {
            let amount = words[3].parse().unwrap();
            Action::Transfer { from: account(words[1]), to: account(words[2]), amount }
        } else {
            let balances = words[1..].iter().filter_map(|word| word.split_once('='));
            Action::Read(balances.map(|(name, balance)| (account(name), balance.parse().ok())).collect())
        };
        let completed = (status != Status::Info).then_some(2 * number + 1);
        Call { node: NodeName::new(node), invoked: 2 * number, completed, status, action }
    };
    (0..).zip(text.split(';').map(str::trim).filter(|line| !line.is_empty())).map(one).collect()
}

/// `verdict total: anomaly×count@call …`.
fn found(text: &str, rules: &Rules) -> String {
    let bank = check(&calls(text), rules);
    let total = bank.total.expected().map_or("-".to_owned(), |total| total.to_string());
    let found = bank.found.iter().map(|one| {
        let half = one.half.map_or(String::new(), |half| format!("~{half}"));
        format!(" {}×{}@{}{half}", one.anomaly.name(), one.count, one.call)
    });
    format!("{:?} {total}:{}", bank.verdict(), found.collect::<String>())
}

#[test]
fn what_reads_show() {
    for (text, expected) in [
        ("r a=10 b=0; t a b 3; r a=7 b=3", "Pass 10:"),
        // Nothing to compare with.
        ("", "Unknown -:"),
        ("t a b 3", "Unknown -:"),
        ("r a=10 b=0", "Unknown -:"),
        ("r a=10 ?; r a=1 !", "Unknown -:"),
        // Half a transfer.
        ("r a=10 b=0; r a=7 b=3; t a b 3; r a=7 b=0", "Fail 10: wrong-total×1@3~2"),
        ("r a=10 b=0; r a=7 b=3; t a b 3; r a=10 b=3", "Fail 10: wrong-total×1@3~2"),
        ("r a=10 b=0; r a=7 b=3; t a b 3 !; r a=7 b=0", "Fail 10: wrong-total×1@3"),
        ("r a=10 b=0; r a=7 b=3; r a=7 b=0; t a b 3", "Fail 10: wrong-total×1@2"),
        // The one that is off by the least, and all of them.
        ("r a=5; r a=5; r a=5; r a=9; r a=6; r a=1; r a=6", "Fail 5: wrong-total×4@4"),
        // As many of the one as of the other: the first.
        ("r a=5; r a=6", "Fail 5: wrong-total×1@1"),
        ("r a=6; r a=5; r a=5", "Fail 5: wrong-total×1@0"),
        // What did not come through is not looked at.
        ("r a=5; r a=5; r a=6 ?; r a=7 !", "Pass 5:"),
        // A read that lacks an account has no less in it.
        ("r a=5 b=0; r a=5", "Pass 5:"),
        ("r a=-2 b=7; r a=5 b=0; r a=-1 b=6", "Fail 5: negative-value×2@0"),
        ("r a=5 b=0; r a=5 b=-; r a=5 b=0", "Fail 5: nil-balance×1@1"),
        ("r a=5; r a=5; r a=3 z=2; t a b 0", "Fail 5: unexpected-key×1@2"),
        ("r a=5; r a=5; r a=3 z=2; t a z 2", "Pass 5:"),
        // Without a total, what is wrong with one read is.
        ("r a=-5", "Fail -: negative-value×1@0"),
        ("r a=- b=-1", "Fail -: nil-balance×1@0 negative-value×1@0"),
    ] {
        assert_eq!(found(text, &Rules::default()), expected, "{text}");
    }
}

#[test]
fn what_the_rules_say() {
    let total = |total| Rules { total: Some(total), ..Rules::default() };
    assert_eq!(found("r a=5", &total(5)), "Pass 5:");
    assert_eq!(found("r a=5; r a=5", &total(6)), "Fail 6: wrong-total×2@0");
    assert_eq!(found("t a b 5", &total(6)), "Unknown 6:");
    let negative = Rules { may_be_negative: true, ..Rules::default() };
    assert_eq!(found("r a=-2 b=7; r a=5 b=0", &negative), "Pass 5:");
    let accounts = Rules { accounts: Some(BTreeSet::from([Value(97)])), ..Rules::default() };
    assert_eq!(found("r a=5 b=0; r a=5 b=0", &accounts), "Fail -: unexpected-key×2@0");
}

#[test]
fn each_node_has_its_readers() {
    let bank = check(&calls("r a=5; r a=5 @n2; r a=6 @n2; t a b 1 @n3; r a=5 @n4 ?"), &Rules::default());
    let nodes: Vec<_> =
        bank.nodes.iter().map(|(name, node)| (name.as_str(), node.reads, node.wrong)).collect();
    assert_eq!(nodes, [("n2", 2, 1), ("primary", 1, 0)]);
    assert_eq!((bank.reads, bank.transfers), (3, [1, 0, 0]));
}

#[test]
fn nothing_is_too_large() {
    let all =
        format!("r a={max} b={max}; r a={max} b={max}; r a={min} b={max}", max = i64::MAX, min = i64::MIN);
    assert_eq!(
        found(&all, &Rules::default()),
        format!("Fail {}: wrong-total×1@2 negative-value×1@2", 2 * i128::from(i64::MAX))
    );
}
