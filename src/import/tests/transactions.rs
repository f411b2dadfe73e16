//! Jepsen's transactions, and their way out and back in.

use super::*;
use crate::history::simulation::{Fault, Level, Settings, simulate};
use crate::history::txn::notation;

/// One process's invocation and its completion.
fn one(asked: &str, r#type: &str, answered: &str) -> String {
    format!(
        "{{:type :invoke, :process 0, :f :txn, :value {asked}}}\n{{:type :{type}, :process 0, :f :txn, :value {answered}}}"
    )
}

#[test]
fn what_transactions_did() {
    for (asked, r#type, answered, expected) in [
        ("[[:append x 1]]", "ok", "[[:append x 1]]", "ok: x+1"),
        ("[[:append x 1] [:r x nil]]", "ok", "[[:append x 1] [:r x [1]]]", "ok: x+1 x[1]"),
        ("[[:r x nil]]", "ok", "[[:r x [1 -2 3]]]", "ok: x[1 -2 3]"),
        ("[[:r x nil]]", "ok", "[[:r x nil]]", "ok: x[]"),
        ("[[:r x nil] [:append y 1]]", "ok", "[[:r x nil] [:append y 1]]", "ok: x[] y+1"),
        ("[[:r x nil] [:w y 1]]", "ok", "[[:r x nil] [:w y 1]]", "ok: x> y=1"),
        ("[[:r x nil]]", "ok", "[[:r x 7]]", "ok: x>7"),
        ("[[:w x [1 2]] [:r x nil]]", "ok", "[[:w x [1 2]] [:r x [1 2]]]", "ok: x=[1 2] x>[1 2]"),
        ("[[:append x 1] [:r y nil]]", "fail", "[[:append x 1] [:r y nil]]", "fail: x+1 y?"),
        ("[[:append x 1] [:r y nil]]", "info", "nil", "info: x+1 y?"),
        ("[[:append x 1] [:r y nil]]", "info", ":timeout", "info: x+1 y?"),
        ("[[:append x 1] [:r y nil]]", "info", "[[:append x 1] [:r y [5]]]", "info: x+1 y?"),
        ("[]", "ok", "[]", "ok:"),
        ("[]", "fail", "[]", "fail:"),
        ("[[:append :x \"1\"]]", "ok", "[[:append :x \"1\"]]", "ok: :x+1"),
        ("[[:append [1 :a] #{2}]]", "ok", "[[:append (1 :a) #{2}]]", "ok: [1 :a]+#{2}"),
        ("[[:append x 1.50]]", "ok", "[[:append x {:a \"b\\n\" c nil}]]", "ok: x+{:a \"b\\n\" c nil}"),
        ("[[:append x 1]]", "ok", "[[:append x 12N]]", "ok: x+12"),
        ("[[:append x 1]]", "ok", "[[:append x -9223372036854775808]]", "ok: x+-9223372036854775808"),
    ] {
        let text = one(asked, r#type, answered);
        assert_eq!(shown(&txns(&text)), format!("0@primary 0-1 {expected}"), "{text}");
    }
}

#[test]
fn ways_to_write_edn() {
    let expected = "1@n1 0-1 ok: x+1";
    let invoke = "{:type :invoke :process 1 :f :txn :value [[:append x 1]] :node \"n1\"}";
    let ok = "{:type :ok :process 1 :f :txn :value [[:append x 1]] :node \"n1\"}";
    for text in [
        format!("{invoke}{ok}"),
        format!("\u{feff}{invoke}\n{ok}\n"),
        format!("[{invoke},{ok}]"),
        format!("({invoke} {ok}) ; the end"),
        format!("; Jepsen\n#_ {{:type #_ #_ 1 2 :nothing}} {invoke}, #_[1 2] {ok} #_ {invoke}"),
        format!("#jepsen.history.Op{invoke} #jepsen.history.Op {ok}"),
        format!("{{:process :nemesis :type :info :f :kill :value {{\"n1\" :killed}}}}{invoke}\r\n{ok}"),
        format!("{invoke}{{:process :nemesis, :type :info}}{ok}{{:process \"nemesis\", :type :info}}"),
        invoke.replace(
            "x 1]]",
            "x 1]] :error #error {:via [{:at [java.lang.Thread run \"a.java\" 1]}]} :c \\] :d \\newline",
        ) + ok,
        invoke.replace(
            "x 1]]",
            "x 1]] :t #inst \"2024-01-01\" :n ##NaN :r 1/2 :b 99999999999999999999 :e [()]",
        ) + ok,
        invoke.replace("{:type", "{:extra [[{}] #{}], #_ no :type")
            + &ok.replace("{:type", "{\"type\" :ok :type"),
    ] {
        assert_eq!(shown(&txns(&text)), expected, "{text}");
    }
}

#[test]
fn ways_to_write_json() {
    let expected = "1@n1 0-1 ok: x+1 y[2 é\u{1F600}]";
    let invoke =
        r#"{"type":"invoke","process":1,"f":"txn","value":[["append","x",1],["r","y",null]],"node":"n1"}"#;
    let ok = r#"{"type":"ok","process":1,"f":"txn","value":[["append","x",1],["r","y",[2,"\u00e9\ud83d\ude00"]]],"e":[true,{},[],1.5e3]}"#;
    for text in [
        format!("{invoke}\n{ok}\n"),
        format!("[{invoke},\n {ok}]\n"),
        format!("{invoke}{}", ok.replace("\"ok\"", "\":ok\"").replace("\"txn\"", "\":txn\"")),
        format!("{{\"process\":\"nemesis\",\"type\":\"info\"}} {invoke} {}", ok.replace("\"r\"", "\":r\"")),
        format!("{invoke}{ok}").replace("\"type\"", "\":type\"").replace("\"value\"", "\":value\""),
    ] {
        let import = import(&text);
        assert_eq!((import.format, import.orders), (Format::Json, Orders::RealTime), "{text}");
        assert_eq!(shown(&transactions_of(import)), expected, "{text}");
    }
}

#[test]
fn who_overlaps_whom() {
    let text = "{:type :invoke :process 5 :f :txn :value [[:append x 1]] :time 10}
        {:type :invoke :process 3 :f :txn :value [[:r x nil]] :time 20}
        {:type :info :process :nemesis :f :stop}
        {:type :ok :process 3 :f :txn :value [[:r x nil]] :time 30}
        {:type :invoke :process 3 :f :txn :value [[:r x nil] [:append y 1]] :time 40}
        {:type :ok :process 5 :value [[:append x 1]] :time 50}";
    assert_eq!(
        timed(&txns(text)),
        "5@primary 0-4 ok: x+1; 3@primary 1-2 ok: x[]; 3@primary 3- info: x? y+1 | 10-50 20-30 40-40"
    );
}

#[test]
fn reads_of_nothing_wait_for_what_the_keys_hold() {
    let read = one("[[:r x nil]]", "ok", "[[:r x nil]]");
    let write = one("[[:w x 1]]", "ok", "[[:w x 1]]");
    let append = one("[[:append x 1]]", "ok", "[[:append x 1]]");
    assert_eq!(shown(&txns(&(read.clone() + &write))), "0@primary 0-1 ok: x>; 0@primary 2-3 ok: x=1");
    assert_eq!(shown(&txns(&(read.clone() + &append))), "0@primary 0-1 ok: x[]; 0@primary 2-3 ok: x+1");
    assert_eq!(shown(&txns(&(write + &read))), "0@primary 0-1 ok: x=1; 0@primary 2-3 ok: x>");
}

#[test]
fn times_start_at_zero_or_later() {
    let at = |a: i64, b: i64| {
        let text = one("[[:r x nil]]", "ok", "[[:r x 1]]");
        let (invoke, ok) = text.split_once('\n').unwrap();
        let with = |event: &str, time: i64| event.replace("{:type", &format!("{{:time {time} :type"));
        let txns = txns(&(with(invoke, a) + &with(ok, b)));
        (txns.txn(0).start.0, txns.txn(0).end.0)
    };
    assert_eq!(at(5, 9), (5, 9));
    assert_eq!(at(-5, 9), (0, 14));
    assert_eq!(at(-5, -9), (0, 0));
    assert_eq!(at(5, -9), (5, 0));
    assert_eq!(at(i64::MIN, i64::MAX), (0, u64::MAX));
}

#[test]
fn long_fork_is_of_registers() {
    let text = "{:type :invoke :process 0 :f :write :value [[:w 1 1]]} {:type :ok :process 0 :f :write :value [[:w 1 1]]}
        {:type :invoke :process 0 :f :read :value [[:r 1 nil] [:r 2 nil]]}
        {:type :ok :process 0 :f :read :value [[:r 1 1] [:r 2 nil]]}";
    assert_eq!(shown(&txns(text)), "0@primary 0-1 ok: 1=1; 0@primary 2-3 ok: 1>1 2>");
}

#[test]
fn compressed_files_are_read() {
    let text = one("[[:append x 1]]", "ok", "[[:append x 1]]");
    let (first, second) = text.split_once('\n').unwrap();
    let mut packed = zstd::bulk::compress(first.as_bytes(), 1).unwrap();
    packed.extend(zstd::bulk::compress(second.as_bytes(), 1).unwrap());
    let read = read_from("file", packed.as_slice(), None).unwrap();
    assert_eq!(shown(&transactions_of(read)), "0@primary 0-1 ok: x+1");
    let cut = &packed[..packed.len() - 3];
    let error = read_from("file", cut, None).unwrap_err().to_string();
    assert!(error.contains("the compressed file is cut off after this"), "{error}");
}

/// Whole histories go out and come back in both formats.
fn comes_back(txns: &Txns) {
    let (mut as_edn, mut as_json) = (Vec::new(), Vec::new());
    edn(txns, &mut as_edn).unwrap();
    json(txns, &mut as_json).unwrap();
    for (text, format) in [(as_edn, Format::Edn), (as_json, Format::Json)] {
        let import = read_from("file", text.as_slice(), None).unwrap();
        assert_eq!(import.format, format);
        assert_eq!(timed(&transactions_of(import)), timed(txns));
    }
}

#[test]
fn histories_come_back() {
    for level in Level::ALL {
        comes_back(&simulate(&Settings { transactions: 300, level, ..Settings::default() }).unwrap());
    }
    for fault in Fault::ALL {
        let fault = Some((fault, 5));
        comes_back(
            &simulate(&Settings { transactions: 300, fault, keys: 3, ..Settings::default() }).unwrap(),
        );
    }
    for text in [
        "ax1 rx12; ry ?; ax2 ax3 !; ay1 ...; 3-5 2@replica-1: rx[1,2,3]",
        "wx1 gx; gx1; wx2 ?; wx3 !; wx4 gy? ...",
        "rx1 rx12; rx132; rx21",
    ] {
        comes_back(&notation::txns(text));
    }
}

#[test]
fn names_come_back() {
    let text = one(
        "[[:append :k/a \"\"]]",
        "ok",
        "[[:append :k \":v w\"] [:append \"a b\" \"q\\\"\\\\\\n\\u0001é\"] [:append nil 1.5] [:r \"1\" [1 \"1\" :a-b true]]]",
    );
    comes_back(&txns(&text));
}

#[test]
fn what_is_written_is_jepsens() {
    let txns = notation::txns("0-3 0: ax1 rx1; 1-2 1@replica-1: rx ?");
    let (mut as_edn, mut as_json) = (Vec::new(), Vec::new());
    edn(&txns, &mut as_edn).unwrap();
    json(&txns, &mut as_json).unwrap();
    let first = |text: Vec<u8>| String::from_utf8(text).unwrap().lines().next_back().unwrap().to_owned();
    assert_eq!(
        first(as_edn),
        "{:index 3, :type :ok, :process 0, :node \"primary\", :f :txn, :value [[:append \"x\" 1] [:r \"x\" [1]]], :time 3000000}"
    );
    assert_eq!(
        first(as_json),
        r#"{"index":3,"type":"ok","process":0,"node":"primary","f":"txn","value":[["append","x",1],["r","x",[1]]],"time":3000000}"#
    );
}

#[test]
fn what_jepsen_cannot_say_is_left_out() {
    let mut text = Vec::new();
    edn(&notation::txns("ax1 ry?"), &mut text).unwrap();
    assert_eq!(shown(&txns(&String::from_utf8(text).unwrap())), "100@primary 0-1 ok: x+1");
}
