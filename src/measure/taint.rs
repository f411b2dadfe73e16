//! When the lab itself was the bottleneck: the rules, and what each of them spoils.
//!
//! * The load's event loop ran late: in one of twenty samples, each of them the worst of ten timers, a timer fired more
//!   than 20 ms late, or once more than 250 ms: latencies, rates, client-observed lag and times to recover include the lab's own delay.
//! * The lab used more than nine tenths of the machine's cores: the same.
//! * Nobody watched the lab during the load: nobody knows, so the same.
//! * The lag sampler left out more than a second while the primary answered: lag in bytes and in time may have had a
//!   peak that nobody saw.
//!
//! Counts (errors, outcomes) are never tainted.

use super::LabFigures;
use crate::history::Nanos;

const LOOP_DELAY_P95: Nanos = Nanos::from_millis(20);
const LOOP_DELAY_MAX: Nanos = Nanos::from_millis(250);
const CPU_SHARE: f64 = 0.9;
const SAMPLER_GAP: Nanos = Nanos::from_millis(1_000);

/// A reason not to trust a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taint {
    /// The event loop was late.
    LoopDelay,
    /// The lab used up the machine.
    Cpu,
    /// There are no samples of the lab.
    Unwatched,
    /// The lag sampler paused.
    SamplerGap,
}

impl Taint {
    /// The taints that `lab` shows.
    pub fn of(lab: &LabFigures) -> Vec<Taint> {
        let late = lab.loop_delay.p95 > LOOP_DELAY_P95 || lab.loop_delay.max > LOOP_DELAY_MAX;
        let busy = lab.cpu > CPU_SHARE * lab.cores as f64;
        let shown = [
            (Taint::LoopDelay, lab.loop_delay.count > 0 && late),
            (Taint::Cpu, lab.loop_delay.count > 0 && busy),
            (Taint::Unwatched, lab.loop_delay.count == 0),
            (Taint::SamplerGap, lab.longest_sampler_gap > SAMPLER_GAP),
        ];
        shown.into_iter().filter(|(_, shown)| *shown).map(|(taint, _)| taint).collect()
    }

    /// The taint in a sentence, with the numbers.
    pub fn sentence(self, lab: &LabFigures) -> String {
        match self {
            Taint::LoopDelay => format!(
                "The load's event loop ran late (p95 {}, at most {}): times and rates include the lab's own delay.",
                lab.loop_delay.p95, lab.loop_delay.max
            ),
            Taint::Cpu => format!(
                "The lab used {:.1} of {} cores: times and rates are those of a machine without room.",
                lab.cpu, lab.cores
            ),
            Taint::Unwatched => {
                "There are no samples of the lab during the load, so nobody knows whether it was the bottleneck."
                    .to_owned()
            }
            Taint::SamplerGap => format!(
                "No lag was sampled for {} while the primary answered: a peak of lag may have gone unseen.",
                lab.longest_sampler_gap
            ),
        }
    }
}
