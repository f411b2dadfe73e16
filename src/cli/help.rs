//! The long texts of the help.

use crate::fault::catalogue;

/// Below the name of the program.
pub(super) const ABOUT: &str = "\
A replication lab for PostgreSQL primaries and replicas.

It starts a primary and its streaming replicas, drives transactions against the primary, reads back from every node, \
breaks nodes, networks and promotions on purpose, and then says with evidence: how far the replicas were behind, what readers \
could rely on, and which acknowledged commits survived.";

/// Below the commands.
pub(super) const AFTER: &str = "\
Exit codes:
    0  valid: no counter-example to a claimed guarantee
    1  invalid: a claimed or required guarantee was violated
    2  usage: the command line makes no sense
    3  unknown: nothing can be said about a claimed guarantee
    4  a threshold was missed
   10  the configuration is wrong
   11  the machine lacks something, or refuses it
   12  the lab itself failed
  130  interrupted
Of a run's results, the worst counts: 12 before 1, 130, 3, 4 and 0.

Settings: built-in defaults < replab.toml < environment (REPLAB_LOAD__DURATION=30s) < flags.
A wrong flag ends with 2, a wrong file or variable with 10. `replab config show` tells where each value comes from.

Other variables:
  REPLAB_PG_BIN           the folder of PostgreSQL's programs, where no setting names one
  REPLAB_STATE_DIR        where running clusters and the cache of data directories are kept
  REPLAB_REQUIRE_PG, REPLAB_REQUIRE_DOCKER, REPLAB_REQUIRE_BROWSER, REPLAB_REQUIRE_AWS
                          make tests fail, rather than skip, where these are missing
  NO_COLOR                no colours";

/// Below the flags of `replab run`.
pub(super) fn run() -> String {
    let faults = catalogue::list();
    let profiles = catalogue::profiles();
    format!(
        "Faults, at a time since the start of the load:\n{faults}\nProfiles, drawn from the seed:\n{profiles}\n{RUN}"
    )
}

const RUN: &str = "\
Nodes are primary, replica-1, replica-2, and so on. The last step always heals: what is down is started, what is held up goes on.

Guarantees: durability, exactly-once, atomicity, read-your-writes, monotonic-reads, convergence, isolation, snapshot-order.

Examples:
  replab run
  replab run counter --duration 1m --clients 32 --seed 7
  replab run --replicas 3 --fault 'kill(replica-2)@5s,start(replica-2)@12s'
  replab run --synchronous-commit off --require durability
  replab run --threshold 'lag.p99<500ms' --json
  replab run orders --example";

/// What `replab` alone prints.
pub(super) const EXAMPLES: &str = "\
replab: a replication lab for PostgreSQL primaries and replicas

  replab run                                      start a cluster, load it, crash it, judge it: half a minute
  replab run orders --example                     three orders, and the tables of every node
  replab run --synchronous-commit off             what an acknowledged commit is worth without waiting for the disk
  replab matrix                                   settings against faults, what each loses: a quarter of an hour
  replab report --format html > report.html       the last run as a page
  replab doctor                                   what this machine lacks

replab --help shows every command, and replab run --help every flag.
";
