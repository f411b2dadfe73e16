//! JUnit XML: a test suite a workload, a test case a judgement; the thresholds are a suite of their own.

use super::outcome;
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::words::{self, plain};
use super::{Report, Threshold};
use crate::check::{Judgement, Verdict};
use crate::measure::LabFigures;

/// The report as JUnit XML.
///
/// A violated claim is a `failure`, a claim of which nothing can be said an `error`. What nobody claimed never fails a
/// build: a violation or an unknown of that kind is `skipped`, with the reason as its message. A run that was cut is
/// an `error` of its own, so that no cut run is green.
pub fn junit(report: &Report) -> String {
    let mut document = quick_junit::Report::new(format!("replab {}", report.run.id));
    let mut suites: Vec<TestSuite> = Vec::new();
    for judgement in &report.judgements {
        let name = format!("replab.{}", judgement.workload);
        let known = suites.iter().position(|suite| suite.name.as_str() == name);
        let place = known.unwrap_or_else(|| {
            suites.push(TestSuite::new(name));
            suites.len() - 1
        });
        suites[place].add_test_case(judged(judgement));
    }
    if !report.thresholds.is_empty() {
        let mut suite = TestSuite::new("replab.thresholds");
        suite.add_test_cases(
            report.thresholds.iter().map(|threshold| limited(threshold, &report.figures.lab)),
        );
        suites.push(suite);
    }
    let mut run = TestSuite::new("replab.run");
    run.add_property(("seed", report.run.seed.to_string().as_str()))
        .add_property(("version", report.run.version.as_str()))
        .add_property(("reproduce", report.run.reproduce.as_str()))
        .add_property(("exit_code", report.exit_code.to_string().as_str()));
    run.add_test_case(ended(report));
    suites.push(run);
    document.add_test_suites(suites);
    document.to_string().expect("XML written to memory")
}

fn judged(judgement: &Judgement) -> TestCase {
    let kind = match (judgement.verdict, judgement.claimed) {
        (Verdict::Pass, _) => None,
        (Verdict::Fail, true) => Some(TestCaseStatus::non_success(NonSuccessKind::Failure)),
        (Verdict::Unknown, true) => Some(TestCaseStatus::non_success(NonSuccessKind::Error)),
        (_, false) => Some(TestCaseStatus::skipped()),
    };
    let mut status = kind.unwrap_or_else(TestCaseStatus::success);
    if judgement.verdict != Verdict::Pass {
        let prefix = match (judgement.verdict, judgement.claimed) {
            (Verdict::Fail, false) => "observed, not claimed: ",
            (Verdict::Unknown, false) => "unknown, not claimed: ",
            _ => "",
        };
        status.set_message(format!("{prefix}{}", plain(&judgement.summary)));
        status.set_type(judgement.guarantee.name());
        let findings: Vec<String> = judgement.findings.iter().map(finding).collect();
        if !findings.is_empty() {
            status.set_description(findings.join("\n"));
        }
    }
    let mut case = TestCase::new(outcome::subject(judgement), status);
    case.set_classname(format!("replab.{}", judgement.check));
    case.set_system_out(plain(&judgement.summary));
    case
}

fn finding(finding: &crate::check::Finding) -> String {
    let events: Vec<String> =
        finding.events.iter().map(|event| format!("{}#{}", event.workload, event.index)).collect();
    let events = if events.is_empty() { String::new() } else { format!(" [{}]", events.join(" ")) };
    format!("{}{events}", plain(&finding.message))
}

fn limited(threshold: &Threshold, lab: &LabFigures) -> TestCase {
    let mut status = match threshold.verdict {
        Verdict::Pass => TestCaseStatus::success(),
        Verdict::Fail => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Verdict::Unknown => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    if threshold.verdict != Verdict::Pass {
        status.set_message(words::measured(threshold, lab)).set_type("threshold");
    }
    let mut case = TestCase::new(plain(&threshold.text), status);
    case.set_classname("replab.thresholds");
    case
}

/// The run itself: it has to end, and a claim has to have been judged, for the other cases to mean anything.
fn ended(report: &Report) -> TestCase {
    let mut status = TestCaseStatus::success();
    if let Some(reason) = &report.cut {
        status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_message(plain(&format!("the run did not come to its end: {reason}"))).set_type("cut");
    } else if !report.judgements.iter().any(|judgement| judgement.claimed) {
        status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_message("no claimed guarantee was judged").set_type("nothing-judged");
    } else if report.exit_code == 12 {
        status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_message(outcome::exit_meaning(report.exit_code)).set_type("lab");
    }
    let mut case = TestCase::new("the run came to its end", status);
    case.set_classname("replab.run");
    case
}
