//! `replab doctor`: what is missing on this machine, and how to get it.

mod disk;
mod machine;

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::args::Place;
use super::console::Console;
use super::setting::SettingArgs;
use super::{Exit, Failure, plan};
use crate::topology::TopologyError;
use crate::topology::local::{Binaries, StateDir};

/// `replab doctor`.
#[derive(Args, Debug)]
#[command(after_help = "Ends with 0 when a run is possible here, and with 11 when it is not.")]
pub(super) struct DoctorArgs {
    /// The folder of PostgreSQL's programs [default: the newest that is found]
    #[arg(long, value_name = "DIR")]
    pg_bin: Option<PathBuf>,
}

/// How a finding counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Ok,
    /// Missing, and not needed for a run.
    Optional,
    Warning,
    Problem,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Finding {
    what: &'static str,
    level: Level,
    /// What was found.
    detail: String,
    /// What to do about it.
    help: Option<String>,
}

impl Finding {
    fn new(what: &'static str, level: Level, detail: impl Into<String>) -> Finding {
        Finding { what, level, detail: detail.into(), help: None }
    }

    fn help(self, help: impl Into<String>) -> Finding {
        Finding { help: Some(help.into()), ..self }
    }
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Diagnosis {
    ready: bool,
    findings: Vec<Finding>,
}

/// Looks at everything that a run needs, and prints it.
pub(super) async fn doctor(args: &DoctorArgs, place: &Place, console: &Console) -> Result<Exit, Failure> {
    let plan = plan::settings(&SettingArgs::default().overrides(&[], place), place)?.plan;
    let pg_bin = args.pg_bin.as_deref().or(plan.topology.pg_bin.as_deref());
    let mut findings =
        vec![postgres(Binaries::discover(pg_bin).await), machine::account(), machine::loopback()];
    match StateDir::open(None) {
        Ok(state) => {
            findings.push(disk::writable("state directory", state.path()));
            findings.push(disk::fsync(state.path()));
            findings.push(disk::space("disk of the state directory", state.path()));
        }
        Err(error) => findings.push(unusable_state(&error)),
    }
    findings.push(disk::writable("runs directory", &plan.runs));
    findings.push(disk::space("disk of the runs directory", &plan.runs));
    findings.push(machine::descriptors());
    findings.extend(machine::optional());
    let ready = findings.iter().all(|finding| finding.level != Level::Problem);
    let diagnosis = Diagnosis { ready, findings };
    if console.is_json() {
        console.json(&diagnosis);
    } else {
        console.result(&text(&diagnosis));
    }
    Ok(if ready { Exit::Valid } else { Exit::Environment })
}

fn postgres(found: Result<Binaries, TopologyError>) -> Finding {
    const WHAT: &str = "PostgreSQL";
    match found {
        Ok(binaries) => {
            let missing: Vec<&str> = ["psql", "pgbench"]
                .into_iter()
                .filter(|program| !binaries.program(program).is_file())
                .collect();
            let detail = format!("{} in {}", binaries.version, binaries.directory.display());
            if missing.is_empty() {
                return Finding::new(WHAT, Level::Ok, detail);
            }
            Finding::new(WHAT, Level::Warning, format!("{detail}, without {}", missing.join(" and "))).help(
                "`replab psql` needs psql, and `replab bench driver` needs pgbench; a run needs neither",
            )
        }
        Err(error) => Finding::new(WHAT, Level::Problem, error.to_string()).help(
            "on Debian or Ubuntu: apt-get install postgresql (`make run` does it for you)\n\
             elsewhere: install the server, and name its folder with --pg-bin or REPLAB_PG_BIN",
        ),
    }
}

fn unusable_state(error: &TopologyError) -> Finding {
    Finding::new("state directory", Level::Problem, error.to_string())
        .help("name a directory that can be written with REPLAB_STATE_DIR")
}

fn text(diagnosis: &Diagnosis) -> String {
    let width = diagnosis.findings.iter().map(|finding| finding.what.chars().count()).max().unwrap_or(0);
    let indent = format!("\n{}", " ".repeat(width + 4));
    let mut text = String::new();
    for Finding { what, level, detail, help } in &diagnosis.findings {
        let mark = match level {
            Level::Ok => '✓',
            Level::Optional => '-',
            Level::Warning => '!',
            Level::Problem => '✗',
        };
        text += &format!("{mark} {what:width$}  {}\n", detail.replace('\n', &indent));
        if let Some(help) = help {
            text += &format!("{}help: {}\n", &indent[1..], help.replace('\n', &format!("{indent}      ")));
        }
    }
    let count = |level, noun| match diagnosis.findings.iter().filter(|finding| finding.level == level).count()
    {
        1 => format!("1 {noun}"),
        count => format!("{count} {noun}s"),
    };
    let verdict = if diagnosis.ready { "a run is possible here" } else { "a run is not possible here" };
    text + &format!("{}, {}: {verdict}\n", count(Level::Problem, "problem"), count(Level::Warning, "warning"))
}

/// The nearest directory above `path`, or `path` itself, that exists.
fn existing(path: &Path) -> PathBuf {
    let found = path.ancestors().find(|path| path.is_dir());
    match found {
        Some(path) if !path.as_os_str().is_empty() => path.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_missing_and_what_to_do() {
        let missing =
            TopologyError::NoBinaries { looked: vec!["  /opt/pg (--pg-bin): has no initdb".to_owned()] };
        let findings = vec![
            postgres(Err(missing)),
            Finding::new("loopback", Level::Ok, "127.0.0.1 can be listened on"),
            Finding::new("fsync", Level::Warning, "0.001 ms").help("slow\nor not there"),
        ];
        insta::assert_snapshot!(text(&Diagnosis { ready: false, findings }), @"
        ✗ PostgreSQL  no PostgreSQL server binaries (14 or newer, with initdb, postgres and pg_basebackup)
                        /opt/pg (--pg-bin): has no initdb
                      help: on Debian or Ubuntu: apt-get install postgresql (`make run` does it for you)
                            elsewhere: install the server, and name its folder with --pg-bin or REPLAB_PG_BIN
        ✓ loopback    127.0.0.1 can be listened on
        ! fsync       0.001 ms
                      help: slow
                            or not there
        1 problem, 1 warning: a run is not possible here
        ");
    }

    #[test]
    fn finds_the_directory_that_will_hold_a_new_one() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(existing(&folder.path().join("a/b/c")), folder.path());
        assert_eq!(existing(folder.path()), folder.path());
        assert_eq!(existing(Path::new("no-such-directory/at-all")), Path::new("."));
    }
}
