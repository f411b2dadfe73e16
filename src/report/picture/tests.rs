//! Pictures by their data: nothing lies over anything else, and nothing of what is drawn is taken for markup.

use super::layout::{ArrowAt, Layout};
use super::text::{CODE, columns, lines, shorten, shown};
use super::{Arrow, Ending, Kind, Lane, Picture, STYLE, figure, standalone};
use crate::history::Nanos;
use crate::report::html::theme;

const KINDS: [Kind; 6] = [Kind::Ww, Kind::Wr, Kind::Rw, Kind::Process, Kind::RealTime, Kind::Before];

fn lane(name: usize, process: u32, node: &str, [start, end]: [u64; 2]) -> Lane {
    Lane {
        name: format!("T{name}"),
        process,
        node: node.to_owned(),
        start: Nanos::from_millis(start),
        end: Nanos::from_millis(end),
        ending: Ending::Acknowledged,
        operations: vec![("append 1 to x".to_owned(), true), ("read y as [1 2 3]".to_owned(), false)],
    }
}

fn arrow(from: usize, to: usize, kind: Kind) -> Arrow {
    let label = format!("{} x 1→2", kind.word());
    Arrow { from, to, kind, label, sentence: format!("T{} < T{}, because", from + 1, to + 1) }
}

fn picture(lanes: Vec<Lane>, arrows: Vec<Arrow>) -> Picture {
    Picture {
        id: "p".to_owned(),
        title: "G0".to_owned(),
        about: "Transactions overwrote each other's writes in a circle.".to_owned(),
        description: "T1 < T2".to_owned(),
        is_timed: true,
        lanes,
        arrows,
        note: None,
    }
}

/// Pictures of all sizes, made from numbers that look like chance.
fn many() -> Vec<Picture> {
    let mut state = 7u64;
    let mut next = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let made = |size: usize| {
        let nodes = ["replica-2", "primary", "replica-1", "二号機の長い名前"];
        let lanes = (0..size).map(|place| {
            let start = next(50) + 100_000 * next(2);
            let mut lane =
                lane(place + 1, next(5) as u32, nodes[next(4) as usize], [start, start + next(30)]);
            lane.ending = [Ending::Acknowledged, Ending::Failed, Ending::Unknown][next(3) as usize];
            let operation = |number| (format!("append {number} to the key 値 {number}"), number % 5 == 1);
            lane.operations = (0..next(12)).map(operation).collect();
            lane
        });
        let lanes: Vec<Lane> = lanes.collect();
        let mut arrows: Vec<Arrow> =
            (0..size).map(|place| arrow(place, (place + 1) % size, KINDS[next(6) as usize])).collect();
        arrows.retain(|arrow| arrow.from != arrow.to);
        for _ in 0..next(4) {
            let (from, to) = (next(size as u64) as usize, next(size as u64) as usize);
            arrows.extend((from != to).then(|| arrow(from, to, Kind::Before)));
        }
        picture(lanes, arrows)
    };
    (1..=14).chain(1..=14).chain([32]).map(made).collect()
}

#[test]
fn nothing_lies_over_anything_else() {
    for picture in many() {
        for is_alone in [false, true] {
            let layout = Layout::new(&picture, is_alone);
            let (left, right) = (layout.scale.left, layout.scale.right);
            let mut y = layout.heading.last().map_or(0.0, |(y, _)| *y);
            for (place, at) in layout.lanes.iter().enumerate() {
                let lane = &picture.lanes[at.lane];
                assert!(at.bar.top > y, "lane {place} begins below what is above: {layout:?}");
                assert!(at.bar.left >= left && at.bar.right <= right + 0.001 && at.bar.left < at.bar.right);
                y = at.bar.bottom.max(at.badge.bottom);
                for (x, baseline, parts) in &at.lines {
                    let width = parts.iter().map(|(text, _)| columns(text)).sum::<usize>() as f64 * CODE;
                    assert!(
                        *x >= left - 0.001 && x + width <= right + 0.001,
                        "{lane:?} in {left}..{right}: {parts:?}"
                    );
                    assert!(baseline - 9.0 > at.bar.bottom, "under its bar");
                    y = y.max(*baseline);
                }
                let is_header_above = layout.nodes.iter().any(|(node, _)| (*node..y).contains(&at.bar.top));
                assert!(place > 0 || is_header_above, "a node is named above its lanes");
            }
            assert!(y < layout.axis && layout.axis < layout.legend && layout.legend < layout.height);
            labels(&layout);
        }
    }
}

fn labels(layout: &Layout) {
    let lane = |y: f64| layout.lanes.iter().position(|at| (at.badge.top..at.badge.bottom).contains(&y));
    let path = |one: &ArrowAt| (one.from.min(one.to), one.from.max(one.to));
    for (place, one) in layout.arrows.iter().enumerate() {
        assert!(lane(one.from).is_some() && lane(one.to).is_some() && lane(one.from) != lane(one.to));
        assert!(one.label.right < one.track && one.track < layout.width, "a label is left of all tracks");
        for other in &layout.arrows[..place] {
            assert!(one.label.right < other.track && other.label.right < one.track);
            assert!(
                one.label.bottom <= other.label.top || other.label.bottom <= one.label.top,
                "labels touch"
            );
            for y in [one.from, one.to] {
                assert!(y != other.from && y != other.to, "two arrows in one row");
                assert!(y <= other.label.top || y >= other.label.bottom, "an arrow strikes out a label");
            }
            let ((a, b), (c, d)) = (path(one), path(other));
            assert!(one.track != other.track || b < c || d < a, "two arrows in one track: {one:?} {other:?}");
        }
    }
}

#[test]
fn arrows_lead_from_lane_to_lane() {
    let lanes = vec![
        lane(1, 0, "replica-1", [0, 5]),
        lane(2, 1, "primary", [1, 6]),
        lane(3, 0, "primary", [8, 9]),
        lane(4, 0, "primary", [2, 3]),
    ];
    let picture =
        picture(lanes, vec![arrow(0, 1, Kind::Rw), arrow(1, 0, Kind::Wr), arrow(2, 0, Kind::RealTime)]);
    let layout = Layout::new(&picture, false);
    let order: Vec<&str> = layout.lanes.iter().map(|at| picture.lanes[at.lane].name.as_str()).collect();
    assert_eq!(order, ["T4", "T3", "T2", "T1"], "the primary first, then by process and time");
    let nodes: Vec<&str> = layout.nodes.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(nodes, ["primary", "replica-1"]);
    let lane = |y: f64| {
        let at = layout.lanes.iter().find(|at| (at.badge.top..at.badge.bottom).contains(&y)).unwrap();
        picture.lanes[at.lane].name.as_str()
    };
    let ends: Vec<[&str; 2]> = layout.arrows.iter().map(|at| [lane(at.from), lane(at.to)]).collect();
    assert_eq!(ends, [["T1", "T2"], ["T2", "T1"], ["T3", "T1"]]);
    let labels: Vec<&str> = layout.arrows.iter().map(|at| at.text.as_str()).collect();
    assert_eq!(labels, ["rw x 1→2", "wr x 1→2", "realtime x 1→2"]);
}

#[test]
fn each_kind_of_arrow_has_dashes_of_its_own() {
    let dashes = |kind: &Kind| {
        let rule = STYLE.split(&format!(".picture .{} .way {{", kind.word())).nth(1).unwrap();
        let rule = rule.split('}').next().unwrap();
        rule.split("stroke-dasharray:").nth(1).map(|dashes| dashes.trim().to_owned())
    };
    let mut all: Vec<_> = KINDS.iter().map(dashes).collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), KINDS.len(), "{all:?}");
}

#[test]
fn what_may_still_happen_has_no_end() {
    let mut lanes = vec![lane(1, 0, "primary", [0, 5]), lane(2, 1, "primary", [1, 2])];
    lanes[1].ending = Ending::Unknown;
    let layout = Layout::new(&picture(lanes, Vec::new()), false);
    assert_eq!(layout.lanes[1].bar.right, layout.scale.right);
    assert!(layout.lanes[0].bar.right < layout.scale.right - 20.0, "what ended, ended before");
}

#[test]
fn without_times_bars_have_no_length_and_there_is_no_axis() {
    let mut untimed = picture(vec![lane(1, 0, "primary", [0, 0]), lane(2, 1, "primary", [0, 0])], Vec::new());
    untimed.is_timed = false;
    let layout = Layout::new(&untimed, false);
    assert!(
        layout.lanes.iter().all(|at| at.bar.left == layout.scale.left && at.bar.right == layout.scale.right)
    );
    let text = standalone(&untimed);
    assert!(text.contains("tells of no times") && !text.contains("from the first event"), "{text}");
}

#[test]
fn a_bar_across_a_break_is_cut() {
    let lanes = vec![
        lane(1, 0, "primary", [0, 90_000]),
        lane(2, 1, "primary", [1, 3]),
        lane(3, 2, "primary", [89_998, 89_999]),
    ];
    let text = standalone(&picture(lanes, Vec::new()));
    assert_eq!(
        (text.matches("class=\"zigzag\"").count(), text.matches("class=\"cut\"").count()),
        (1, 1),
        "{text}"
    );
    assert!(text.contains("… 90.0 s …"), "{text}");
}

const HOSTILE: &str = "<script>alert(\"x\")</script> & ']]> \u{202e}\u{7}\u{ffff}--";

#[test]
fn hostile_text_is_text() {
    let mut lane_of = lane(1, 0, HOSTILE, [0, 5]);
    lane_of.name = HOSTILE.to_owned();
    lane_of.operations = vec![(format!("append {HOSTILE} to {HOSTILE}"), true)];
    let mut arrow = arrow(0, 1, Kind::Ww);
    (arrow.label, arrow.sentence) = (HOSTILE.to_owned(), HOSTILE.to_owned());
    let mut picture = picture(vec![lane_of, lane(2, 1, "primary", [0, 5])], vec![arrow]);
    (picture.title, picture.about, picture.description) =
        (HOSTILE.to_owned(), HOSTILE.to_owned(), HOSTILE.to_owned());
    picture.note = Some(HOSTILE.to_owned());
    for text in [standalone(&picture), figure(&picture).into_string()] {
        assert!(!text.contains("<script") && !text.contains("alert(\"x\")"), "{text}");
        assert!(
            text.contains("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; ']]&gt; --"),
            "{text}"
        );
        assert!(!text.contains(['\u{202e}', '\u{7}', '\u{ffff}']), "{text}");
        let opened = text.matches('<').count() - text.matches("</").count();
        assert_eq!(opened, text.matches("</").count(), "every element is closed, as XML wants it");
    }
}

#[test]
fn a_file_of_its_own_has_its_styles() {
    let text = standalone(&picture(vec![lane(1, 0, "primary", [0, 5])], Vec::new()));
    for part in [
        "xmlns=\"http://www.w3.org/2000/svg\"",
        "prefers-color-scheme: dark",
        ".picture .run",
        "<title",
        "<desc",
    ] {
        assert!(text.contains(part), "{part}");
    }
    assert!(!theme().contains(['<', '&']) && !STYLE.contains(['<', '&']), "styles stand in XML as they are");
    let used = STYLE.split("var(--").skip(1).map(|rest| rest.split(')').next().unwrap());
    used.for_each(|name| {
        assert!(theme().contains(&format!("--{name}:")), "--{name} is a colour of the theme")
    });
}

#[test]
fn long_texts_keep_both_ends_and_say_that_something_is_left_out() {
    assert_eq!(shorten("abcdef", 6), "abcdef");
    assert_eq!(shorten("abcdefgh", 6), "abc…gh");
    assert_eq!(shorten("漢字漢字", 5), "漢…字");
    assert_eq!(shown("a\u{1b}[31m\n b\u{2066}"), "a [31m b");
    let many: Vec<(String, bool)> = (0..40).map(|n| (format!("append {n} to key-{n}"), n == 30)).collect();
    let text = |found: &[Vec<(String, bool)>]| -> String {
        found.iter().flatten().map(|(text, _)| text.as_str()).collect()
    };
    let found = lines(&many, 60);
    assert_eq!(text(&found), "…, append 30 to key-30, …");
    let none: Vec<(String, bool)> = many.iter().map(|(text, _)| (text.clone(), false)).collect();
    let found = lines(&none, 60);
    assert!(text(&found).starts_with("append 0 to key-0, ") && text(&found).ends_with(", …"), "{found:?}");
    let all: Vec<(String, bool)> = many.iter().map(|(text, _)| (text.repeat(3), true)).collect();
    let found = lines(&all, 60);
    assert!(found.len() <= 2 && text(&found).ends_with('…'), "{found:?}");
    assert!(
        found.iter().all(|line| line.iter().map(|(text, _)| columns(text.trim_end())).sum::<usize>() <= 60)
    );
}
