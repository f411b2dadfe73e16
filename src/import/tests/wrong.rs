//! Every fault says where it is, and what would be right.

use super::*;

const INVOKE: &str = "{:type :invoke :process 0 :f :txn :value [[:append x 1]]}";
const OK: &str = "{:type :ok :process 0 :f :txn :value [[:append x 1]]}";

#[test]
fn what_no_edn_is() {
    for (text, expected) in [
        ("{:type :invoke", "1, column 15: the file ends in the middle of what begins in line 1"),
        ("{:a \"b}", "1, column 8: the file ends in the middle of what begins in line 1"),
        ("[{:process :nemesis}", "1, column 21: the file ends in the middle of what begins in line 1"),
        ("{:a 1]", "1, column 6: `]` where `}` is expected"),
        ("{:process :nemesis}}", "1, column 20: `}` closes nothing"),
        ("{:process :nemesis}\n{:a}", "2, column 1: the last key of this map has no value"),
        ("[{:process :nemesis}] 1", "1, column 23: something follows the end of the history"),
        ("{:é \"ü\" :a \"\\q\"}", "1, column 13: no string has the escape `\\q`"),
        ("{:a \"\\u12x4\"}", "1, column 8: `\\u` takes four hexadecimal digits"),
        ("{:a \"\\ud800 \"}", "1, column 6: half a surrogate pair"),
        ("{:a # 1}", "1, column 5: `#` stands before nothing"),
        (
            "{:process :nemesis} 7",
            "1, column 21: an event is a map with :type, :process, :f and :value, not `7`",
        ),
    ] {
        assert_eq!(fault(text), format!("file, line {expected} (read as edn)"), "{text}");
    }
}

#[test]
fn what_no_json_is() {
    for (text, expected) in [
        ("{\"type\":", "1, column 9: the file ends in the middle of what begins in line 1"),
        ("{\"a\" 1}", "1, column 6: `1` where `:` is expected"),
        ("{\"a\":1,}", "1, column 8: `}` where a key in quotes is expected"),
        ("{\"a\":[1 2]}", "1, column 9: `2` where `,` or `]` is expected"),
        ("{\"a\":nil}", "1, column 6: `n` where a value is expected"),
        ("{\"a\":-}", "1, column 6: `-` where a number is expected"),
        ("[{\"process\":\"nemesis\"} 1]", "1, column 24: `,` is expected here"),
        ("[{\"process\":\"nemesis\"},]", "1, column 24: `]` where a value is expected"),
    ] {
        assert_eq!(fault(text), format!("file, line {expected} (read as json)"), "{text}");
    }
}

#[test]
fn what_no_event_is() {
    for (text, expected) in [
        ("{:type :ok}", "this event has no `:process`"),
        ("{:process 1}", "this event has no `:type`"),
        ("{:process -1}", "a `:process` is from 0 to 4294967295, not -1"),
        ("{:process 4294967296}", "a `:process` is from 0 to 4294967295, not 4294967296"),
        ("{:process :other}", "a `:process` is an integer, not `:other`"),
        ("{:process 99999999999999999999}", "the integer `99999999999999999999` does not fit into 64 bits"),
        (
            "{:process 1 :type :invok}",
            "`:type` is :invoke, :ok, :fail or :info, not `:invok` (did you mean `invoke`?)",
        ),
        ("{:process 1 :type :ok :time 1.5}", "`:time`, in nanoseconds, is an integer, not `1.5`"),
        ("{:process 1 :type :ok :f [1]}", "`:f` is a keyword, not `[1]`"),
        ("{:process 1 :type :invoke}", "this invocation has no `:f`"),
        (
            "{:process 1 :type :invoke :f :transfr}",
            "`:f :transfr` is of no workload that is read here (did you mean `transfer`?): :txn; :transfer and :read of \
             a bank; :add and :read of a set or a counter; :read, :write and :cas of a register",
        ),
    ] {
        assert_eq!(fault(text), format!("file, line 1, column 1: {expected} (read as edn)"), "{text}");
    }
}

#[test]
fn what_no_history_is() {
    for (text, expected) in [
        (OK.to_owned(), "1, column 1: process 0 completes what it has not invoked"),
        (
            format!("{INVOKE}\n{OK}\n {OK}"),
            "3, column 2: process 0 completes what it has not invoked; its last operation completed in line 2",
        ),
        (
            format!("{INVOKE}\n{INVOKE}"),
            "2, column 1: process 0 invokes, but what it invoked in line 1 has not completed",
        ),
        (
            format!("{INVOKE}{}", OK.replace("[[:append x 1]]", "nil")),
            "1, column 58: the `:value` of a transaction that is :ok is a sequence of micro-operations",
        ),
        (
            INVOKE.replace("[[:append x 1]]", "{}"),
            "1, column 1: the `:value` of a transaction is a sequence of micro-operations",
        ),
        (
            INVOKE.replace(":append x", ":appnd x"),
            "1, column 1: a micro-operation is [:r key value], [:append key element] or [:w key value], not \
             `[:appnd x 1]`",
        ),
        (
            INVOKE.replace("x 1", "x 9223372036854775808"),
            "1, column 1: the integer `9223372036854775808` does not fit into 64 bits",
        ),
        (
            format!("{INVOKE}\n{}", OK.replace("x 1]", "x 1] [:r y 5]")),
            "2, column 1: `[:r y 5]` is of a register, but the keys of this history are lists since line 1",
        ),
        (
            format!("{}\n{}", INVOKE.replace("append", "w"), INVOKE.replace("process 0", "process 1")),
            "2, column 1: `[:append x 1]` is of a list, but the keys of this history are registers since line 1",
        ),
        (
            format!("{INVOKE}\n{{:type :invoke :process 1 :f :add :value 1}}"),
            "2, column 1: `:f :add` does not fit: the operations since line 1 are transactions",
        ),
        (
            format!("{{:type :invoke :process 1 :f :add :value 1}}\n{INVOKE}"),
            "2, column 1: `:f :txn` does not fit: the operations since line 1 are no transactions",
        ),
    ] {
        assert_eq!(fault(&text), format!("file, line {expected} (read as edn)"), "{text}");
    }
}

#[test]
fn what_no_workload_is() {
    let call = |f: &str, asked: &str, seen: &str| {
        format!(
            "{{:type :invoke :process 0 :f :{f} :value {asked}}}\n{{:type :ok :process 0 :f :{f} :value {seen}}}\n"
        )
    };
    let transfer = call("transfer", "{:from 0 :to 1 :amount 5}", "nil");
    for (text, expected) in [
        (
            call("transfer", "{:from 0 :to 1}", "nil"),
            "1, column 1: a transfer is {:from a, :to b, :amount n}, not `{:from 0 :to 1}`",
        ),
        (transfer.replace('5', "5.5"), "1, column 1: an `:amount` is an integer, not `5.5`"),
        (
            transfer.clone() + &call("read", "nil", "[1]"),
            "4, column 1: a read of a bank is {account balance, …}, not `[1]`",
        ),
        (transfer.clone() + &call("read", "nil", "{0 x}"), "4, column 1: a balance is an integer, not `x`"),
        (
            transfer.clone() + &call("read", "nil", "{0 1, \"0\" 2}"),
            "4, column 1: account 0 is there twice in `{0 1 \"0\" 2}`",
        ),
        (transfer + &call("add", "1", "1"), "3, column 1: `:f :add` in a history of :transfer, :read"),
        (
            call("add", "1", "1") + &call("read", "nil", "1") + &call("read", "nil", "#{}"),
            "6, column 1: a read of a counter is an integer, not `#{}`",
        ),
        (
            call("add", "1", "1") + &call("read", "nil", "#{1}") + &call("read", "nil", "1"),
            "6, column 1: a read of a set is #{…} or […], not `1`",
        ),
        (
            call("add", ":x", ":x") + &call("read", "nil", "1"),
            "1, column 1: what is added to a counter is an integer, not `:x`",
        ),
        (call("cas", "5", "5"), "1, column 1: a :cas takes [old new], not `5`"),
        (
            call("write", "5", "5") + &call("add", "5", "5"),
            "3, column 1: `:f :add` in a history of :read, :write, :cas",
        ),
    ] {
        assert_eq!(fault(&text), format!("file, line {expected} (read as edn)"), "{text}");
    }
}

#[test]
fn what_no_session_is() {
    const LINE: &str =
        "a line is w(key,value,session,transaction) or r(key,value,session,transaction), of integers";
    for (text, expected) in [
        ("w(1,2,3)", format!("line 1, column 8: {LINE}")),
        ("w(1,2,3,4)\nw(1,x,3,4)", format!("line 2, column 5: {LINE}")),
        ("w(1,2,3,4)x", format!("line 1, column 11: {LINE}")),
        ("w(1,2,3,4)\nq(1,2,3,4)", format!("line 2, column 1: {LINE}")),
        ("w(1,,3,4)", format!("line 1, column 5: {LINE}")),
        (
            "w(1,9223372036854775808,3,4)",
            "line 1, column 5: the integer `9223372036854775808` does not fit into 64 bits".to_owned(),
        ),
        ("w(1,2,-3,4)", "line 1, column 1: a session is from 0 to 4294967295, not -3".to_owned()),
    ] {
        assert_eq!(fault(text), format!("file, {expected} (read as plume)"), "{text}");
    }
    for (text, expected) in [
        ("{\"data\":5}", "line 1, column 9: `[` is expected here"),
        ("{\"params\":5}", "line 1, column 1: this object has no `data` with sessions"),
        ("{\"data\":[]}x", "line 1, column 12: something follows the end of the history"),
        (
            "[[{\"events\":[]}]]",
            "line 1, column 3: a transaction is {\"events\": […], \"committed\": true}, not `{\"events\" []}`",
        ),
        (
            "[[{\"events\":[[\"q\",1,2]],\"committed\":true}]]",
            "line 1, column 3: an event reads (r) or writes (w), not `[\"q\" 1 2]`",
        ),
        (
            "[[{\"events\":[7],\"committed\":true}]]",
            "line 1, column 3: an event is {\"Read\": {\"variable\": 0, \"version\": 1}} or the same with \"Write\", not `7`",
        ),
        ("[[{\"events\":[]", "line 1, column 15: the file ends in the middle of what begins in line 1"),
        ("[[", "line 1, column 3: the file ends in the middle of what begins in line 1"),
    ] {
        assert_eq!(fault(text), format!("file, {expected} (read as dbcop)"), "{text}");
    }
}

#[test]
fn what_is_none_of_the_formats() {
    for (text, expected) in [
        ("", "there is nothing in it"),
        (" \n", "there is nothing in it"),
        ("JEPSEN\0", "this is Jepsen's binary store; beside it is a history.edn, which can be read"),
        (
            "hello",
            "this begins like none of the histories that can be read: Jepsen's events in EDN or JSON, dbcop's sessions \
             in JSON, lines of w(key,value,session,transaction)",
        ),
    ] {
        assert_eq!(fault(text), format!("file, line 1, column 1: {expected}"), "{text}");
    }
    let error = read_from("file", [0x1F, 0x8B, 8].as_slice(), None).unwrap_err().to_string();
    assert_eq!(error, "file, line 1, column 1: this is compressed with gzip; decompress it first");
}

#[test]
fn what_is_no_text() {
    for (text, expected) in [
        (&b"{:a \"x\xff\"}"[..], "line 1, column 7: this is not UTF-8 (read as edn)"),
        (&b"{:a\xc3 1}"[..], "line 1, column 4: this is not UTF-8 (read as edn)"),
        (&b"{\"a\":\n\"\xf0\x9f\"}"[..], "line 2, column 2: this is not UTF-8 (read as json)"),
    ] {
        let error = read_from("file", text, None).unwrap_err().to_string();
        assert_eq!(error, format!("file, {expected}"));
    }
}

#[test]
fn what_is_too_deep_or_too_long() {
    let deep = |open: &str, times: usize| format!("{{:process :nemesis, :x {}", open.repeat(times));
    for open in ["[", "(", "{", "#{", "#_ ", "#a "] {
        let error = fault(&deep(open, 100_000));
        assert!(error.contains(": this is nested more than 64 deep (read as edn)"), "{open}: {error}");
    }
    let error = fault(&"[".repeat(100_000));
    assert!(error.contains(": this is nested more than 64 deep (read as dbcop)"), "{error}");
    let nested = format!("{{:process :nemesis, :x {}{}}}", "[".repeat(63), "]".repeat(63));
    assert_eq!(shown(&txns(&nested)), "");
    let endless = Read::take(std::io::repeat(b'x'), 70 << 20);
    let whole = Read::chain(&b"{:process :nemesis}\n {:a \""[..], endless);
    let error = read_from("file", whole, None).unwrap_err().to_string();
    assert_eq!(error, "file, line 2, column 2: what begins here is longer than 64 MiB (read as edn)");
}
