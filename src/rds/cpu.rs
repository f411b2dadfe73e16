//! How busy the machine is.

use std::fs;

/// What its processors have done so far, in ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ticks {
    idle: u64,
    all: u64,
}

impl Ticks {
    /// As the system counts them (proc(5), "/proc/stat"); `None` where there is no such file.
    pub(super) fn now() -> Option<Ticks> {
        Ticks::parse(&fs::read_to_string("/proc/stat").ok()?)
    }

    fn parse(text: &str) -> Option<Ticks> {
        let numbers = text.lines().next()?.strip_prefix("cpu")?.split_whitespace();
        // The guests' time is in the users' already.
        let numbers: Vec<u64> = numbers.take(8).map_while(|number| number.parse().ok()).collect();
        Some(Ticks { idle: numbers.get(3)? + numbers.get(4)?, all: numbers.iter().sum() })
    }

    /// What part of the time since `earlier` they were busy, in per cent.
    pub(super) fn busy_since(self, earlier: Ticks) -> Option<f64> {
        let all = self.all.checked_sub(earlier.all).filter(|all| *all > 0)?;
        let idle = self.idle.saturating_sub(earlier.idle).min(all);
        Some(100.0 * (all - idle) as f64 / all as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_and_waiting_is_not_busy() {
        let ticks = |text| Ticks::parse(text).unwrap();
        let before = ticks("cpu  100 0 0 100 0 0 0 0 50 50\ncpu0 1 2 3\n");
        let after = ticks("cpu  130 0 0 160 10 0 0 0 80 50\n");
        assert_eq!(after.busy_since(before), Some(30.0));
        assert_eq!(before.busy_since(before), None);
        assert_eq!(Ticks::parse("intr 1 2"), None);
    }
}
