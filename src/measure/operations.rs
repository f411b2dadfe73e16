//! Counts and latencies by operation and node.

use std::collections::BTreeMap;

use super::OperationFigures;
use super::Window;
use super::distribution::Distribution;
use super::load::{Ending, Sample};
use crate::history::NodeName;

#[derive(Debug, Default)]
pub(super) struct Operations<'a> {
    by_name: BTreeMap<(&'a str, bool, &'static str, NodeName), Tally>,
}

#[derive(Debug)]
struct Tally {
    ok: u64,
    fail: u64,
    refused: u64,
    info: u64,
    latency: Distribution,
}

impl<'a> Operations<'a> {
    pub(super) fn add(&mut self, sample: &Sample<'a>) {
        // Writes before reads.
        let name = (sample.workload, !sample.is_write, sample.operation, sample.node);
        let tally = self.by_name.entry(name).or_insert_with(|| Tally {
            ok: 0,
            fail: 0,
            refused: 0,
            info: 0,
            latency: Distribution::new(),
        });
        if sample.is_unanswered() {
            tally.latency.add_endless(1);
        }
        match sample.ending {
            Ending::Ok => {
                tally.ok += 1;
                tally.latency.add(sample.latency());
            }
            Ending::Fail => tally.fail += 1,
            Ending::Refused => {
                tally.fail += 1;
                tally.refused += 1;
            }
            Ending::Info => tally.info += 1,
        }
    }

    /// By workload (`orders` first), writes before reads, the primary before the replicas.
    pub(super) fn figures(self, load: Window, primary: NodeName) -> Vec<OperationFigures> {
        let seconds = load.end.since(load.start).as_secs_f64();
        let mut figures: Vec<(bool, OperationFigures)> = self
            .by_name
            .into_iter()
            .map(|((workload, is_read, operation, node), tally)| {
                let figures = OperationFigures {
                    workload: workload.to_owned(),
                    operation: operation.to_owned(),
                    node,
                    invoked: tally.ok + tally.fail + tally.info,
                    ok: tally.ok,
                    fail: tally.fail,
                    refused: tally.refused,
                    info: tally.info,
                    ok_per_second: if seconds > 0.0 { tally.ok as f64 / seconds } else { 0.0 },
                    latency: tally.latency.percentiles(),
                };
                (is_read, figures)
            })
            .collect();
        figures.sort_by(|(read_a, a), (read_b, b)| {
            let key = |read, of: &OperationFigures| (of.workload != "orders", read, of.operation.clone());
            let place = |of: &OperationFigures| (of.node != primary, of.node);
            key(*read_a, a).cmp(&key(*read_b, b)).then_with(|| place(a).cmp(&place(b)))
        });
        figures.into_iter().map(|(_, figures)| figures).collect()
    }
}
