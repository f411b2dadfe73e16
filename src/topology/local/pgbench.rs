//! PostgreSQL's own load generator, as the peer that replab is measured against.

use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

use super::Binaries;
use crate::history::Nanos;
use crate::pg::Conninfo;
use crate::topology::TopologyError;
use crate::topology::process::Program;

/// The program.
#[derive(Clone, Debug)]
pub struct Pgbench {
    path: PathBuf,
}

/// How much it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// So many transactions of each client.
    Each(u32),
    /// What there is time for: whole seconds, at least one.
    For(Duration),
}

/// Beyond its time, before it is given up.
const GRACE: Duration = Duration::from_secs(60);
/// A number of transactions takes as long as it takes.
const LONGEST: Duration = Duration::from_secs(3_600);

/// What one run of it says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ran {
    /// Transactions per second, connecting not counted.
    pub tps: f64,
    /// Transactions in all.
    pub transactions: u64,
    /// CPU it took, connecting counted.
    pub cpu: Nanos,
}

impl Pgbench {
    /// Finds it beside the server's programs, or in `PATH`.
    pub fn find(binaries: &Binaries) -> Option<Pgbench> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(binaries.directory.clone()).chain(std::env::split_paths(&path));
        folders.map(|folder| folder.join("pgbench")).find(|file| file.is_file()).map(|path| Pgbench { path })
    }

    /// Runs `script` with prepared statements, `quantity` of it.
    ///
    /// # Errors
    /// [`TopologyError::Tool`] when it fails, when a transaction failed, and when its words are not understood.
    pub async fn run(
        &self,
        conninfo: &Conninfo,
        script: &Path,
        clients: u32,
        quantity: Quantity,
    ) -> Result<Ran, TopologyError> {
        let (amount, limit) = match quantity {
            Quantity::For(time) => {
                let seconds = time.as_secs().max(1);
                (format!("--time={seconds}"), Duration::from_secs(seconds) + GRACE)
            }
            Quantity::Each(each) => (format!("--transactions={each}"), LONGEST),
        };
        let before = children_cpu();
        let said = Program::new(&self.path, Path::new("/"), None)
            .envs(conninfo.env())
            .args(["--no-vacuum", "--protocol=prepared", &format!("--client={clients}")])
            .args([amount])
            .args([Path::new("--file"), script])
            .run(limit)
            .await?;
        // The only child that is reaped meanwhile; servers are reaped when they end.
        let cpu = children_cpu().since(before);
        parse(&said, cpu).ok_or_else(|| TopologyError::Tool {
            program: "pgbench".to_owned(),
            why: "says something else than expected".to_owned(),
            output: said,
        })
    }
}

fn children_cpu() -> Nanos {
    let nanos = |time: TimeVal| {
        u64::try_from(time.tv_sec()).unwrap_or(0) * 1_000_000_000
            + u64::try_from(time.tv_usec()).unwrap_or(0) * 1_000
    };
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN);
    Nanos(usage.map_or(0, |usage| nanos(usage.user_time()) + nanos(usage.system_time())))
}

/// `number of transactions actually processed: 1234` and `tps = 617.2 (without initial connection time)`.
fn parse(said: &str, cpu: Nanos) -> Option<Ran> {
    let after = |head: &str| said.lines().find_map(|line| line.strip_prefix(head));
    let transactions = after("number of transactions actually processed: ")?;
    let transactions = transactions.split(['/', ' ']).next()?.parse().ok()?;
    let failed = after("number of failed transactions: ").and_then(|rest| rest.split(' ').next());
    let tps = said.lines().find(|line| line.ends_with("(without initial connection time)"))?;
    let tps = tps.strip_prefix("tps = ")?.split(' ').next()?.parse().ok()?;
    failed.is_none_or(|failed| failed == "0").then_some(Ran { tps, transactions, cpu })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "number of transactions actually processed: 1234\nnumber of failed transactions: 0 (0.000%)\n\
                        latency average = 1.6 ms\ntps = 617.25 (without initial connection time)\n";

    #[test]
    fn reads_what_pgbench_says() {
        let ran = Ran { tps: 617.25, transactions: 1234, cpu: Nanos(5) };
        assert_eq!(parse(SAID, Nanos(5)), Some(ran));
    }

    #[test]
    fn a_failed_transaction_is_no_measurement() {
        assert_eq!(parse(&SAID.replace("transactions: 0 (", "transactions: 3 ("), Nanos(5)), None);
        assert_eq!(parse("tps = ?", Nanos(5)), None);
    }
}
