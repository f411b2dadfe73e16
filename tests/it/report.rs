//! The renderers, on sample reports: what a reader or a program gets of each.

use std::collections::BTreeMap;

use crate::sample_report;
use replab::check::Guarantee;
use replab::history::{LinkState, Nanos};
use replab::measure::Recovery;
use replab::report::{self, InstanceFacts, Look};

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/results.schema.json");

/// `REPLAB_UPDATE_SCHEMA=1 cargo test --test it schema` writes the file anew.
#[test]
fn the_schema_in_the_tree_is_the_generated_one() {
    if std::env::var_os("REPLAB_UPDATE_SCHEMA").is_some() {
        std::fs::write(SCHEMA, report::schema()).unwrap();
    }
    let kept = std::fs::read_to_string(SCHEMA).unwrap();
    assert!(kept == report::schema(), "{SCHEMA} is stale: run with REPLAB_UPDATE_SCHEMA=1");
}

#[test]
fn reports_are_valid_against_the_schema_and_broken_ones_are_not() {
    let schema = serde_json::from_str(&report::schema()).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    for (name, sample) in sample_report::all() {
        let value: serde_json::Value = serde_json::from_str(&report::json(&sample)).unwrap();
        if let Err(error) = validator.validate(&value) {
            panic!("{name}: {error} at {}", error.instance_path());
        }
        let read: report::Report = serde_json::from_value(value).unwrap();
        assert_eq!(read, sample, "{name} reads back as it was");
    }
    let good: serde_json::Value = serde_json::from_str(&report::json(&sample_report::valid())).unwrap();
    for (pointer, bad) in [
        ("/verdict", serde_json::json!("passed")),
        ("/exit_code", serde_json::json!(-1)),
        ("/nodes/0/node", serde_json::json!(7)),
        ("/judgements/0/guarantee", serde_json::json!("serializability")),
        ("/figures/lag/0/points/0/state", serde_json::json!("fine")),
        ("/not_checked", serde_json::json!(null)),
    ] {
        let mut broken = good.clone();
        *broken.pointer_mut(pointer).unwrap() = bad;
        assert!(!validator.is_valid(&broken), "{pointer} was changed, and the schema did not notice");
    }
    let mut missing = good;
    missing.as_object_mut().unwrap().remove("claims");
    assert!(!validator.is_valid(&missing), "`claims` is missing, and the schema did not notice");
}

#[test]
fn terminal_fits_and_has_colours_only_where_wanted() {
    for (name, sample) in sample_report::all() {
        for width in [80, 100, 140] {
            let text = report::terminal(&sample, Look { color: false, width });
            assert!(!text.contains('\u{1b}'), "{name}: an escape without colours");
            for line in text.lines() {
                assert!(line.chars().count() <= width, "{name}: wider than {width}: {line}");
            }
            let painted = report::terminal(&sample, Look { color: true, width });
            assert_eq!(without_colours(&painted), text, "{name}: colours change nothing else");
            assert!(painted.contains('\u{1b}'), "{name}: no colours");
        }
    }
}

fn without_colours(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(part.split_once('m').map_or("", |(_, rest)| rest));
    }
    plain
}

#[test]
fn no_format_calls_a_guarantee_passed() {
    for (name, sample) in sample_report::all() {
        let look = Look { color: false, width: 100 };
        for text in [report::terminal(&sample, look), report::markdown(&sample), report::html(&sample)] {
            assert!(!text.to_lowercase().contains("passed"), "{name}");
        }
    }
}

#[test]
fn terminal_snapshots() {
    for (name, sample) in sample_report::all().into_iter().take(4) {
        insta::assert_snapshot!(
            format!("terminal_{name}"),
            report::terminal(&sample, Look { color: false, width: 100 })
        );
    }
}

#[test]
fn markdown_snapshots() {
    for (name, sample) in sample_report::all() {
        insta::assert_snapshot!(format!("markdown_{name}"), report::markdown(&sample));
    }
}

#[test]
fn junit_snapshots() {
    for (name, sample) in sample_report::all() {
        insta::assert_snapshot!(format!("junit_{name}"), report::junit(&sample));
    }
}

/// `REPLAB_SAMPLE_PAGES=dir cargo test --test it sample_pages` leaves the pages there, to be looked at.
#[test]
fn sample_pages_are_small_even_with_many_points() {
    let mut large = sample_report::valid();
    large.figures.lag = (1..=5).map(|n| sample_report::lag(&format!("replica-{n}"), 2_000)).collect();
    let pages = sample_report::all().into_iter().chain([("large", large)]);
    for (name, sample) in pages {
        let page = report::html(&sample);
        assert!(page.len() < 5_000_000, "{name}: {} bytes", page.len());
        if let Some(folder) = std::env::var_os("REPLAB_SAMPLE_PAGES") {
            std::fs::write(std::path::Path::new(&folder).join(format!("{name}.html")), page).unwrap();
        }
    }
}

#[test]
fn a_replica_without_connection_is_a_gap_and_never_a_lag_of_zero() {
    let mut sample = sample_report::valid();
    let lag = &mut sample.figures.lag[0];
    for point in &mut lag.points {
        point.state = LinkState::Disconnected;
        point.visibility = None;
        for bytes in [&mut point.sent, &mut point.written, &mut point.flushed, &mut point.replayed] {
            *bytes = Some(0);
        }
    }
    lag.disconnected = lag.samples;
    lag.unknown = 0;
    let page = report::html(&sample);
    let chart = page.split("id=\"chart-lag-bytes-1\"").nth(1).unwrap().split("</figure>").next().unwrap();
    assert_eq!(chart.matches("d=\"\"></path>").count(), 4, "no line is drawn");
    assert_eq!(chart.matches("<rect class=\"gap\"").count(), 1);
    assert_eq!(chart.matches("<td>disconnected</td>").count(), 4 * 300, "the numbers say why there are none");
    assert!(!chart.contains("<td>0 B</td>"));
    let connected = report::html(&sample_report::valid());
    assert!(connected.contains("<td>0 B</td>"), "an idle replica has a lag of zero");
    for text in [report::terminal(&sample, Look { color: false, width: 140 }), report::markdown(&sample)] {
        assert!(!text.contains(" 0 B"), "{text}");
    }
}

#[test]
fn where_positions_are_not_known_there_is_no_lag_in_bytes() {
    let mut sample = sample_report::valid();
    sample.nodes[0].instance = Some(InstanceFacts {
        name: "part-4-instance-1".to_owned(),
        address: None,
        version: None,
        refused: BTreeMap::new(),
        unanswered: vec![],
    });
    for lag in &mut sample.figures.lag {
        lag.max_replay_bytes = None;
        for point in &mut lag.points {
            (point.sent, point.written, point.flushed, point.replayed) = (None, None, None, None);
            (point.write_lag, point.flush_lag) = (None, None);
        }
    }
    let page = report::html(&sample);
    assert!(!page.contains("chart-lag-bytes") && !page.contains("Three definitions"));
    let chart = page.split("id=\"chart-lag-time-1\"").nth(1).unwrap().split("</figure>").next().unwrap();
    assert!(chart.contains("replica_lag_in_msec") && !chart.contains("flush_lag"));
    assert!(!chart.contains("d=\"\"></path>"), "every line is drawn");
    let tile = page.split("Largest replay lag").nth(1).unwrap().split("</dd>").next().unwrap();
    assert!(tile.contains(" ms") || tile.contains(" s"), "{tile}");
}

#[test]
fn an_empty_report_says_that_nothing_is_known() {
    let mut sample = sample_report::cut();
    sample.judgements.clear();
    sample.thresholds.clear();
    sample.figures = replab::measure::Figures::default();
    let terminal = report::terminal(&sample, Look { color: false, width: 100 });
    let page = report::html(&sample);
    for text in [&terminal, &report::markdown(&sample), &page] {
        assert!(text.contains("UNKNOWN"), "{text}");
        assert!(!text.contains("NaN") && !text.contains("inf "), "{text}");
    }
    for words in
        ["nothing was judged", "no operation of the load", "no replica was sampled", "no fault was injected"]
    {
        assert!(terminal.contains(words), "{terminal}");
    }
    assert_eq!(
        page.matches("</svg>not judged in this run").count(),
        Guarantee::ALL.len(),
        "every guarantee says that it was not judged"
    );
    assert!(page.contains("nobody knows whether it was the bottleneck"));
    assert!(report::junit(&sample).contains("errors=\"1\""), "{}", report::junit(&sample));
}

#[test]
fn a_node_that_another_fault_hit_first_is_not_called_gone() {
    let mut sample = sample_report::valid();
    let faults = &mut sample.figures.recoveries;
    let crash = faults[0].clone();
    faults[0] = Recovery {
        answered: None,
        first_success: None,
        unavailable: None,
        resolution: None,
        ..crash.clone()
    };
    let look = Look { color: false, width: 100 };
    assert!(report::terminal(&sample, look).contains("no answer seen"));
    let page = report::html(&sample);
    assert!(page.contains("crash primary (no answer seen)") && page.contains("no end seen"));

    let later = crash.invoked + Nanos::from_millis(3_000);
    sample.figures.recoveries.push(Recovery { action: "start".to_owned(), invoked: later, ..crash });
    assert!(report::terminal(&sample, look).contains("not before the next fault"));
    let page = report::html(&sample);
    assert!(!page.contains("(no answer seen)") && !page.contains("no end seen"));
}

#[test]
fn what_has_no_end_is_shown_as_a_lower_bound_and_what_nobody_looked_for_as_a_dash() {
    let mut sample = sample_report::valid();
    let fault = &mut sample.figures.recoveries[0];
    (fault.first_success, fault.unavailable_is_bound) = (None, true);
    let lag = &mut sample.figures.lag[0];
    lag.visibility.endless = 8_000;
    lag.never_seen = Some(8_000);
    lag.unmeasured = 1;
    let page = report::html(&sample);
    for tile in [
        "<dt>Longest unavailability</dt><dd><span class=\"value\">≥ 1.21 s</span>",
        "<dt>Largest replay lag</dt><dd><span class=\"value\">≥ ",
        "<dt>Seen by a client after</dt><dd><span class=\"value\">≥ 312 ms</span><span class=\"note\">p99, the slowest replica; 8,000 never seen</span>",
    ] {
        assert!(page.contains(tile), "{tile}");
    }
    let look = Look { color: false, width: 140 };
    for text in [report::terminal(&sample, look), report::markdown(&sample)] {
        assert!(text.contains("≥ 1.21 s") && text.contains("≥ 312 ms"), "{text}");
    }

    let lag = &mut sample.figures.lag[0];
    lag.visibility = replab::measure::Percentiles::default();
    lag.never_seen = None;
    assert!(
        report::html(&sample)
            .contains("<span class=\"value\">–</span><span class=\"note\">nobody looked</span>")
    );
    let line = |text: &str| text.lines().filter(|line| line.contains("1.96 MB")).collect::<String>();
    let dashes = line(&report::terminal(&sample, look)).matches('–').count();
    assert_eq!(dashes, 4, "seen p50, p99 and max, and how many were not");
}

#[test]
fn the_first_lines_identify_the_run_however_narrow() {
    let mut sample = sample_report::valid();
    sample.run.topology = "local, 1 primary + 2 replicas, synchronous_commit=remote_apply".to_owned();
    sample.run.seed = 5_675_540_123_456_789_012;
    for width in [60, 80, 100] {
        let text = report::terminal(&sample, Look { color: false, width });
        let head = text.split("\n\n").next().unwrap();
        assert!(head.starts_with("✓ VALID  orders (8 clients)"), "{head}");
        for words in ["synchronous_commit=remote_apply", "5675540123456789012"] {
            assert!(head.contains(words), "{words} at {width}: {head}");
        }
    }
}

#[test]
fn words_in_tables_stay_whole_at_eighty_columns() {
    let mut sample = sample_report::valid();
    sample.figures.lag[0].unmeasured = 1;
    let text = report::terminal(&sample, Look { color: false, width: 80 });
    let totals = text.split("TOTALS").nth(1).unwrap().split("REPLICATION LAG").next().unwrap();
    for words in ["operation", "unknown", "read counters", "increment", "primary", "replica-1", "31,877"] {
        assert!(totals.contains(words), "{words}: {totals}");
    }
    let lag = text.split("REPLICATION LAG").nth(1).unwrap().split("RESTARTS").next().unwrap();
    for words in ["replica-1", "≥ 1.96 MB", "≥ 44.0 ms", "312 ms", "unseen", "no answer"] {
        assert!(lag.contains(words), "{words}: {lag}");
    }
    assert!(!totals.contains("refused"), "no word on a column that is not there: {totals}");
}

#[test]
fn code_in_a_sentence_is_code() {
    let mut sample = sample_report::valid();
    sample.not_checked = vec!["Nothing of `fsync = off`.".to_owned(), "A lone ` stays.".to_owned()];
    let page = report::html(&sample);
    assert!(page.contains("<li>Nothing of <code>fsync = off</code>.</li><li>A lone ` stays.</li>"));
}

#[test]
fn a_threshold_without_an_answer_is_marked_only_where_the_lab_is_to_blame() {
    let mut sample = sample_report::cut();
    let markdown = report::markdown(&sample);
    assert!(markdown.contains("(measured 312 ms †)"), "{markdown}");
    sample.figures.lab.taints.clear();
    let markdown = report::markdown(&sample);
    assert!(markdown.contains("(measured 312 ms)"), "{markdown}");
}
