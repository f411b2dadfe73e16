//! What must not grow, however many faults there are.

use super::{Growth, LabFigures};

/// Connections come and go, so the number of open files is never quite the same.
const FILES: u64 = 16;
/// What an allocator keeps for later.
const MEMORY: u64 = 32 << 20;
/// `max_wal_size` of PostgreSQL's defaults, `wal_keep_size` of the lab's, and a segment or two: without a slot that nobody
/// uses any more, no server keeps more of its log (manual, "WAL Configuration").
const LOG_OF_A_NODE: u64 = 1_400 << 20;

/// One sentence for everything that grew during a load on `nodes` nodes, and for what was not looked at.
pub fn leaks(lab: &LabFigures, nodes: usize) -> Vec<String> {
    let grew = |what: &str, Growth { early, late }: Growth, bound: u64| match (early, late) {
        (0, _) | (_, 0) => Some(format!("{what} were not looked at often enough")),
        _ if late > bound => Some(format!("{what} grew from {early} to {late}")),
        _ => None,
    };
    let files = grew("open files", lab.open_files, lab.open_files.early + FILES);
    let memory = grew("bytes of memory", lab.rss, lab.rss.early + lab.rss.early / 4 + MEMORY);
    let logs = grew("bytes of the nodes' logs", lab.log_bytes, LOG_OF_A_NODE * nodes as u64);
    [files, memory, logs].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::figures::Percentiles;

    fn lab(rss: (u64, u64), files: (u64, u64), logs: (u64, u64)) -> LabFigures {
        let growth = |(early, late)| Growth { early, late };
        LabFigures {
            loop_delay: Percentiles::default(),
            cpu: 0.0,
            cores: 2,
            peak_rss: rss.1,
            rss: growth(rss),
            open_files: growth(files),
            log_bytes: growth(logs),
            longest_sampler_gap: crate::history::Nanos(0),
            taints: Vec::new(),
        }
    }

    #[test]
    fn what_grows_is_named_and_what_was_not_seen_too() {
        let (rss, files, logs) = ((100 << 20, 150 << 20), (40, 50), (1 << 20, 3 << 30));
        assert_eq!(leaks(&lab(rss, files, logs), 3), [""; 0]);
        assert_eq!(leaks(&lab(rss, (40, 57), logs), 3), ["open files grew from 40 to 57"]);
        assert_eq!(leaks(&lab((100 << 20, 158 << 20), files, logs), 3).len(), 1);
        assert_eq!(
            leaks(&lab(rss, files, logs), 2),
            ["bytes of the nodes' logs grew from 1048576 to 3221225472"]
        );
        assert_eq!(
            leaks(&lab(rss, files, (0, 0)), 3),
            ["bytes of the nodes' logs were not looked at often enough"]
        );
    }
}
