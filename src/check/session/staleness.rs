//! How far behind the stale reads of one endpoint were.

use crate::check::draft::Draft;
use crate::check::text::quantile;
use crate::history::Nanos;

/// Versions and times of stale reads.
#[derive(Debug, Default)]
pub(super) struct Staleness {
    versions: Vec<u64>,
    nanos: Vec<u64>,
}

impl Staleness {
    pub(super) fn add(&mut self, versions: i64, age: Nanos) {
        self.versions.push(versions.max(0) as u64);
        self.nanos.push(age.0);
    }

    /// Adds the figures, and says them in a few words; `None` when nothing was stale.
    pub(super) fn report(mut self, draft: &mut Draft) -> Option<String> {
        self.versions.sort_unstable();
        self.nanos.sort_unstable();
        let of = |sorted: &[u64]| Some([0.5, 0.99, 1.0].map(|share| quantile(sorted, share).unwrap_or(0)));
        let [v50, v99, vmax] = of(&self.versions).filter(|_| !self.versions.is_empty())?;
        let [t50, t99, tmax] = of(&self.nanos)?;
        for (name, value) in [("p50", v50), ("p99", v99), ("max", vmax)] {
            draft.count(&format!("versions behind, {name}"), value);
        }
        for (name, value) in [("p50", t50), ("p99", t99), ("max", tmax)] {
            draft.count(&format!("microseconds behind, {name}"), value / 1_000);
        }
        Some(format!(
            "behind by {} at the median, {} at p99 and {} at most, by up to {vmax} version{}",
            Nanos(t50),
            Nanos(t99),
            Nanos(tmax),
            if vmax == 1 { "" } else { "s" }
        ))
    }
}
