//! Objects as pictures.

use super::{CallReport, Failing, Object, Objects, html, svg};
use crate::check::Verdict;
use crate::history::Nanos;

fn found(verdict: Verdict) -> Objects {
    let call = |process, start: u64, call: &str, is_acknowledged| CallReport {
        process,
        node: "primary".to_owned(),
        start: Nanos::from_millis(start),
        end: Nanos::from_millis(start + 5),
        is_acknowledged,
        call: call.to_owned(),
    };
    let window =
        vec![call(0, 0, "write 1", true), call(1, 2, "write 2", false), call(2, 10, "read <b>\"3", true)];
    let failing = Failing { name: "<script>alert(1)</script>".to_owned(), before: 7, window };
    Objects {
        file: "it's here.edn".to_owned(),
        object: Object::Register,
        verdict,
        exit_code: u8::from(verdict == Verdict::Fail),
        objects: 1,
        calls: 3,
        acknowledged: 2,
        not_linearizable: if verdict == Verdict::Fail { vec![failing] } else { Vec::new() },
        unknown: Vec::new(),
    }
}

#[test]
fn the_calls_that_have_no_order_are_lanes() {
    let found = found(Verdict::Fail);
    for text in [svg(&found), html(&found)] {
        assert_eq!(text.matches("class=\"lane\"").count(), 3, "{text}");
        assert_eq!(text.matches("class=\"run unknown\"").count(), 1, "what may still take effect has no end");
        assert!(
            text.contains("read &lt;b&gt;&quot;3")
                && !text.contains("<b>")
                && !text.contains("<script>alert")
        );
        assert!(text.contains("3 calls, after 7 calls that no order explains."), "{text}");
        assert!(!text.contains("class=\"arrow"), "calls have no dependencies");
    }
    assert!(html(&found).contains("replab check 'it'\\''s here.edn'"), "{}", html(&found));
}

#[test]
fn without_such_calls_the_picture_says_so() {
    let found = found(Verdict::Pass);
    assert!(svg(&found).contains("No calls to draw"));
    assert!(html(&found).contains("None was found.") && html(&found).contains("LINEARIZABLE"));
}
