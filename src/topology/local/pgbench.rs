//! pgbench, the peer that the driver is measured against.

use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

use super::binaries::Binaries;
use crate::history::Nanos;
use crate::pg::Conninfo;
use crate::topology::TopologyError;
use crate::topology::process::Program;

/// How much longer than its time pgbench may take to come to its end.
const GRACE: Duration = Duration::from_secs(60);

/// pgbench against one cluster.
#[derive(Clone, Debug)]
pub struct Pgbench {
    program: PathBuf,
    passfile: PathBuf,
}

/// What one run of pgbench says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PgbenchRun {
    /// Transactions that were committed.
    pub transactions: u64,
    /// Transactions per second, without the time to connect.
    pub tps: f64,
    /// Its user and system time, connecting included.
    pub cpu: Nanos,
}

impl Pgbench {
    /// The pgbench beside the server's programs, with the password in `passfile`.
    pub fn new(binaries: &Binaries, passfile: PathBuf) -> Pgbench {
        Pgbench { program: binaries.program("pgbench"), passfile }
    }

    /// Runs `script` with prepared statements, one thread, for `time`.
    pub async fn run(
        &self,
        conninfo: &Conninfo,
        script: &Path,
        clients: u32,
        time: Duration,
    ) -> Result<PgbenchRun, TopologyError> {
        let target = format!("{conninfo}?passfile={}", self.passfile.display());
        let before = children_cpu();
        let output = Program::new(&self.program, Path::new("/"), None)
            .args(["--no-vacuum", "--protocol=prepared", "--jobs=1"])
            .args([format!("--client={clients}"), format!("--time={}", time.as_secs().max(1))])
            .args([format!("--file={}", script.display()), target])
            .run(time + GRACE)
            .await?;
        let cpu = children_cpu().since(before);
        let unreadable = |what: &str| TopologyError::Tool {
            program: "pgbench".to_owned(),
            why: format!("no {what} in what it printed"),
            output: output.clone(),
        };
        let transactions = number(&output, "number of transactions actually processed: ");
        let tps = number(&output, "tps = ");
        Ok(PgbenchRun {
            transactions: transactions.ok_or_else(|| unreadable("number of transactions"))? as u64,
            tps: tps.ok_or_else(|| unreadable("tps"))?,
            cpu,
        })
    }
}

/// The number that follows `label` at the start of a line.
fn number(output: &str, label: &str) -> Option<f64> {
    let rest = output.lines().find_map(|line| line.strip_prefix(label))?;
    rest.split(|c: char| !c.is_ascii_digit() && c != '.').next()?.parse().ok()
}

/// User and system time of the children that have ended.
fn children_cpu() -> Nanos {
    let of = |time: TimeVal| Nanos(time.tv_sec().unsigned_abs() * 1_000_000_000 + time.tv_usec().unsigned_abs() * 1_000);
    getrusage(UsageWho::RUSAGE_CHILDREN).map_or(Nanos(0), |usage| of(usage.user_time()) + of(usage.system_time()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_pgbench_prints() {
        let output = "number of transactions actually processed: 7142\nlatency average = 1.4 ms\n\
                      tps = 7139.912345 (without initial connection time)\n";
        assert_eq!(number(output, "number of transactions actually processed: "), Some(7142.0));
        assert_eq!(number(output, "tps = "), Some(7139.912345));
        assert_eq!(number(output, "latency stddev = "), None);
    }
}
