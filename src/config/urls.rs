//! Servers that somebody else runs: which settings they need, and which make no sense for them.

use crate::fault::Schedule;
use crate::history::Action;
use crate::pg::Conninfo;

use super::plan::{Switch, TopologyKind, TopologyPlan, UrlsPlan};
use super::settings::TopologySettings;
use super::validate::Check;

impl Check<'_> {
    /// The servers of kind `urls`, `None` for the other kinds, which have no use for them.
    pub(super) fn urls(
        &mut self,
        kind: TopologyKind,
        settings: &TopologySettings,
    ) -> Option<Option<UrlsPlan>> {
        let TopologySettings { writer, readers, restart_command, failover_command, .. } = settings;
        let keep: Switch = self.word("topology.keep", &settings.keep)?;
        if kind != TopologyKind::Urls {
            let set = [
                ("topology.writer", writer.is_some()),
                ("topology.readers", !readers.is_empty()),
                ("topology.restart_command", restart_command.is_some()),
                ("topology.failover_command", failover_command.is_some()),
                ("topology.keep", keep == Switch::On && kind != TopologyKind::Aurora),
            ];
            return match set.iter().find(|(_, is_set)| *is_set) {
                Some((path, _)) => {
                    self.problem(path, format!("it is for topology.kind = \"urls\", and the kind is {kind}"))
                }
                None => Some(None),
            };
        }
        let Some(writer) = writer else {
            return self.problem("topology.kind", "urls needs topology.writer (--writer URL)".to_owned());
        };
        let writer = self.url("topology.writer", writer);
        let mut urls: Vec<Conninfo> = Vec::new();
        let readers: Vec<Option<Conninfo>> =
            readers.iter().map(|reader| self.url("topology.readers", reader)).collect();
        let readers: Vec<Conninfo> = readers.into_iter().collect::<Option<_>>()?;
        let writer = writer?;
        for url in std::iter::once(&writer).chain(&readers) {
            if urls.iter().any(|other| (other.host(), other.port()) == (url.host(), url.port())) {
                return self.problem("topology.readers", format!("{url} is named twice"));
            }
            if urls.iter().any(|other| other.dbname() != url.dbname()) {
                let why = format!("{url}: all nodes of a run use the same database");
                return self.problem("topology.readers", why);
            }
            urls.push(url.clone());
        }
        let command = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        let (restart_command, failover_command) = (command(restart_command), command(failover_command));
        Some(Some(UrlsPlan { writer, readers, restart_command, failover_command, keep }))
    }

    /// A URL. What is wrong with it is said without its text, which may hold a password.
    fn url(&mut self, path: &str, text: &str) -> Option<Conninfo> {
        // The lab's sessions have names and deadlines of their own.
        let own = ["PGAPPNAME", "PGCONNECT_TIMEOUT"];
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let env = |name: &str| variable(name).filter(|_| !own.contains(&name));
        let url = self.take(path, Conninfo::parse_with(text, env))?;
        if url.application_name().is_some() {
            return self.problem(path, "application_name is replab's own to set".to_owned());
        }
        Some(url)
    }

    /// The number of replicas, which is that of the URLs.
    pub(super) fn as_many_as_readers(&mut self, urls: &UrlsPlan, topology: &TopologyPlan) -> Option<usize> {
        let readers = urls.readers.len();
        // The default is nobody's wish.
        if self.is_set("topology.replicas") && topology.replicas != readers {
            let why = format!("the run has {readers} readers, and {} replicas", topology.replicas);
            return self.problem("topology.replicas", why);
        }
        Some(readers)
    }

    /// Nothing is set that only a cluster of replab's own can be given.
    pub(super) fn own_cluster_only(&mut self, topology: &TopologyPlan) -> Option<()> {
        let own = [
            ("topology.port", topology.port.is_some()),
            ("topology.synchronous_standbys", topology.synchronous_standbys.is_some()),
            ("topology.cascade", !topology.cascade.is_empty()),
            ("topology.hot_standby_feedback", topology.hot_standby_feedback == Switch::On),
            ("topology.recovery_min_apply_delay", topology.recovery_min_apply_delay.0 > 0),
        ];
        match own.iter().find(|(_, is_set)| *is_set) {
            Some((path, _)) => self.problem(
                path,
                "it is for clusters that replab makes, and is not changed on others".to_owned(),
            ),
            None => Some(()),
        }
    }

    /// Whether the faults may be injected into somebody else's cluster, and by which commands.
    pub(super) fn commands(&mut self, schedule: &Schedule, topology: &TopologyPlan) -> Option<()> {
        if topology.kind != TopologyKind::Urls || schedule.is_empty() {
            return Some(());
        }
        if !self.allow_faults {
            let why =
                "nothing is broken in a cluster that replab did not make, unless --allow-faults says so";
            return self.problem("faults.schedule", why.to_owned());
        }
        let impossible = schedule.steps().iter().find(|step| !topology.can(step.action));
        if let Some(step) = impossible {
            let why = match step.action {
                Action::Restart => "that needs topology.restart_command",
                Action::Promote => "that needs topology.failover_command",
                _ => {
                    "by URLs a node can be restarted (restart) and made the primary (promote), and nothing else"
                }
            };
            return self.problem("faults.schedule", format!("{step}: {why}"));
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::check::Guarantee;
    use crate::config::{Overrides, Plan, TopologyKind, load, stored};

    const WRITER: &str = "postgres://u:hunter2@db1/d";

    fn flags() -> Overrides {
        let readers = vec!["host=db2 user=u dbname=d password=hunter2".to_owned()];
        Overrides { writer: Some(WRITER.to_owned()), readers, seed: Some(1), ..Overrides::default() }
    }

    fn plan(flags: &Overrides) -> Result<Plan, String> {
        let loaded = load(flags, Some(Path::new("/dev/null")), []).map_err(|error| error.to_string())?;
        assert!(!format!("{:?}", loaded.settings).contains("hunter2"));
        Ok(loaded.plan)
    }

    fn refused(change: impl FnOnce(&mut Overrides)) -> String {
        let mut flags = flags();
        change(&mut flags);
        let error = plan(&flags).unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
        error
    }

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn urls_make_a_plan_that_holds_no_password() {
        let plan = plan(&flags()).unwrap();
        assert_eq!((plan.topology.kind, plan.topology.replicas), (TopologyKind::Urls, 1));
        assert!(plan.faults.is_empty() && plan.topology.urls.as_ref().unwrap().has_password());
        assert!(!format!("{plan:?}").contains("hunter2"));
        let toml = plan.to_toml();
        assert!(
            toml.contains("writer = \"postgres://u@db1:5432/d\"\nreaders = [\"postgres://u@db2:5432/d\"]"),
            "{toml}"
        );
        assert!(!toml.contains("hunter2"));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.toml");
        std::fs::write(&path, &toml).unwrap();
        assert_eq!(stored(&path).unwrap().to_toml(), toml);
    }

    #[test]
    fn what_makes_no_sense_is_refused_without_the_password() {
        insta::assert_snapshot!(refused(|flags| flags.writer = text("postgres://u:hunter2@db1/d?sslmode=require")), @"--writer: sslmode=require needs sslrootcert=FILE, the PEM certificates of who signs the server's: replab speaks TLS only with a server that it can verify (sslmode=verify-full alone takes this machine's roots)");
        insta::assert_snapshot!(refused(|flags| flags.writer = text("hunter2")), @"--writer: expected postgres://user@host:port/dbname or key=value pairs");
        insta::assert_snapshot!(refused(|flags| flags.writer = text("postgres://u:hunter2@db1/d?application_name=x")), @"--writer: application_name is replab's own to set");
        insta::assert_snapshot!(refused(|flags| flags.readers = vec![WRITER.to_owned()]), @"--reader: postgres://u@db1:5432/d is named twice");
        insta::assert_snapshot!(refused(|flags| flags.readers = vec!["postgres://u@db2/other".to_owned()]), @"--reader: postgres://u@db2:5432/other: all nodes of a run use the same database");
        insta::assert_snapshot!(refused(|flags| flags.replicas = Some(2)), @"--replicas: the run has 1 readers, and 2 replicas");
        insta::assert_snapshot!(refused(|flags| flags.synchronous_standbys = text("ANY 1")), @"--sync-standbys: it is for clusters that replab makes, and is not changed on others");
        insta::assert_snapshot!(refused(|flags| flags.topology = text("local")), @r#"--writer: it is for topology.kind = "urls", and the kind is local"#);
        insta::assert_snapshot!(refused(|flags| { flags.writer = None; flags.topology = text("urls") }), @"--topology: urls needs topology.writer (--writer URL)");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("replab.toml");
        std::fs::write(&path, "[topology]\nkind = \"urls\"\nwriter = \"postgres://u:hunter2@a,b/d\"\nwriterr = \"postgres://u:hunter2@b/d\"\n").unwrap();
        let error = load(&Overrides::default(), Some(&path), []).unwrap_err().to_string();
        assert!(error.contains("several hosts") && error.contains("no key `writerr`"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn faults_need_leave_and_a_command() {
        let fault = |flags: &mut Overrides, schedule: &str, allow: bool| {
            flags.schedule = text(schedule);
            flags.allow_faults = allow;
        };
        insta::assert_snapshot!(refused(|flags| fault(flags, "restart(primary)@1s", false)), @"--fault: nothing is broken in a cluster that replab did not make, unless --allow-faults says so");
        insta::assert_snapshot!(refused(|flags| fault(flags, "restart(primary)@1s", true)), @"--fault: restart(primary)@1s: that needs topology.restart_command");
        insta::assert_snapshot!(refused(|flags| fault(flags, "promote(best)@1s", true)), @"--fault: promote(best)@1s: that needs topology.failover_command");
        insta::assert_snapshot!(refused(|flags| fault(flags, "kill(primary)@1s", true)), @"--fault: kill(primary)@1s: by URLs a node can be restarted (restart) and made the primary (promote), and nothing else");
    }

    #[test]
    fn only_what_is_certain_is_claimed() {
        let claims = |schedule: &str, level: &str| {
            let file = "[topology]\nrestart_command = \"r\"\nfailover_command = \"f\"\n";
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("replab.toml");
            std::fs::write(&path, file).unwrap();
            let (schedule, synchronous_commit) = (text(schedule), text(level));
            let flags = Overrides { schedule, synchronous_commit, allow_faults: true, ..flags() };
            load(&flags, Some(&path), []).unwrap().plan.claims()
        };
        let durable =
            |schedule: &str, level: &str| claims(schedule, level).everywhere.contains(&Guarantee::Durability);
        assert!(durable("none", "off") && durable("restart(primary)@1s", "local"));
        assert!(!durable("restart(primary)@1s", "off") && !durable("promote(best)@1s", "remote_apply"));
        let read_own = Guarantee::ReadYourWrites;
        assert!(claims("none", "remote_apply").on_primary.contains(&read_own));
        assert!(!claims("promote(best)@1s", "on").everywhere.contains(&Guarantee::Convergence));
        assert!(claims("none", "on").everywhere.contains(&Guarantee::Convergence));
    }
}
