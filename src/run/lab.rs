//! How the lab itself is doing: late timers, CPU, memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

use crate::history::{Clock, LabSample, Nanos};

/// How often the load's event loop is asked to wake up.
const TICK: Duration = Duration::from_millis(10);

/// The longest delay of a timer since it was last asked for.
#[derive(Debug)]
pub(super) struct LoopDelay {
    clock: Clock,
    worst: AtomicU64,
}

impl LoopDelay {
    pub(super) fn new(clock: Clock) -> Arc<LoopDelay> {
        Arc::new(LoopDelay { clock, worst: AtomicU64::new(0) })
    }

    /// Runs on the loop that is watched, until it is aborted.
    pub(super) async fn watch(self: Arc<LoopDelay>) {
        loop {
            let due = self.clock.now() + TICK.into();
            tokio::time::sleep(TICK).await;
            // Tokio's timer rounds up to its millisecond.
            let late = self.clock.now().since(due + Nanos::from_millis(1));
            self.worst.fetch_max(late.0, Ordering::Relaxed);
        }
    }

    fn take(&self) -> Nanos {
        Nanos(self.worst.swap(0, Ordering::Relaxed))
    }
}

/// Takes samples of this process.
#[derive(Debug)]
pub(super) struct LabSampler {
    clock: Clock,
    delay: Arc<LoopDelay>,
    time: Nanos,
    cpu: Nanos,
}

impl LabSampler {
    pub(super) fn new(clock: Clock, delay: Arc<LoopDelay>) -> LabSampler {
        LabSampler { clock, delay, time: clock.now(), cpu: cpu_time() }
    }

    /// The time since the sample before, summed up.
    pub(super) fn sample(&mut self, log_bytes: Option<u64>) -> LabSample {
        let (time, cpu) = (self.clock.now(), cpu_time());
        let elapsed = time.since(self.time).0.max(1);
        let used = cpu.since(self.cpu);
        (self.time, self.cpu) = (time, cpu);
        LabSample {
            time,
            loop_delay: self.delay.take(),
            cpu: used.0 as f64 / elapsed as f64,
            rss: resident_bytes(),
            open_files: std::fs::read_dir("/proc/self/fd").map_or(0, |open| open.count() as u64),
            log_bytes,
        }
    }
}

/// User and system time of this process.
pub fn cpu_time() -> Nanos {
    let of = |time: TimeVal| {
        Nanos(time.tv_sec().unsigned_abs() * 1_000_000_000 + time.tv_usec().unsigned_abs() * 1_000)
    };
    getrusage(UsageWho::RUSAGE_SELF).map_or(Nanos(0), |usage| of(usage.user_time()) + of(usage.system_time()))
}

/// Resident memory; zero where `/proc` does not tell.
fn resident_bytes() -> u64 {
    let pages = |text: String| text.split_whitespace().nth(1)?.parse::<u64>().ok();
    let pages = std::fs::read_to_string("/proc/self/statm").ok().and_then(pages).unwrap_or(0);
    let size = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten().unwrap_or(4096);
    pages * size.unsigned_abs()
}
