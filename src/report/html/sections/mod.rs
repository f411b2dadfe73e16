//! The sections, in the order of the questions that a reader asks.

mod checks;
mod claims;
mod cloud;
mod durability;
mod errors;
mod glossary;
mod lab;
mod lag;
mod load;
mod recipe;
mod restarts;
mod settings;
mod transactions;

pub(super) use claims::{claims, tiles};

use super::charts::Frame;
use super::parts::Section;
use crate::report::Report;

/// All sections after the verdict.
pub(super) fn all(report: &Report, frame: &Frame) -> Vec<Section> {
    let mut all = vec![checks::section(report)];
    all.extend(transactions::sections(report));
    all.extend([
        lag::section(report, frame),
        load::throughput(report, frame),
        load::latency(report, frame),
        durability::section(report),
        restarts::section(report),
        restarts::availability(report, frame),
        errors::section(report),
    ]);
    all.extend(cloud::sections(report));
    all.extend([
        lab::section(report),
        lab::not_checked(report),
        recipe::section(report),
        settings::section(report),
        recipe::environment(report),
        glossary::section(),
    ]);
    all
}
