//! `replab bench up`: how long a cluster takes to be up.

use serde_json::json;

use super::start;
use crate::cli::console::Console;
use crate::cli::{Exit, Failure, failures};
use crate::history::Clock;
use crate::measure::median;

/// How long `replab up` takes, cache warm: the first cluster only fills the cache.
pub(super) async fn up(repeat: u32, console: &Console) -> Result<Exit, Failure> {
    start("bench", None).await?.down().await.map_err(failures::topology)?;
    let clock = Clock::start();
    let mut times = Vec::new();
    for _ in 0..repeat {
        let before = clock.now();
        let cluster = start("bench", None).await?;
        times.push(clock.now().since(before).as_secs_f64());
        cluster.down().await.map_err(failures::topology)?;
    }
    let (fastest, slowest) =
        (times.iter().copied().fold(f64::INFINITY, f64::min), times.iter().copied().fold(0.0, f64::max));
    let median = median(&times);
    if console.is_json() {
        console.json(&json!({ "seconds": times, "median": median }));
    } else {
        console.result(&format!(
            "one primary and one replica, up {repeat} times, cache warm: median {median:.2} s, from {fastest:.2} to {slowest:.2} s\n"
        ));
    }
    Ok(Exit::Valid)
}
