//! A cluster of AWS's: which settings it needs, and which make no sense without it.

use std::path::PathBuf;

use crate::topology::aurora::{Access, Auth, Consistency, Tls};

use super::plan::{Switch, TopologyKind};
use super::settings::{AuroraSettings, DEFAULTS, TopologySettings};
use super::validate::Check;
use super::words::words;

/// As many readers as a cluster can have; a plan counts on so many before anybody has looked.
pub(super) const MOST_READERS: usize = 15;

/// The longest identifier of RDS's.
const LONGEST_NAME: usize = 63;

/// A cluster of AWS's. It holds no secret.
#[derive(Clone, Debug, PartialEq)]
pub struct AuroraPlan {
    /// Which, and how it is reached.
    pub access: Access,
    /// Whether the run's schema stays.
    pub keep: Switch,
}

words!(Auth, "a way to log in", { "password" => Password, "secret" => Secret, "iam" => Iam });
words!(Consistency, "a mode of consistency", { "eventual" => Eventual, "session" => Session, "global" => Global });
words!(Tls, "a mode of TLS", { "verify-full" => VerifyFull, "verify-ca" => VerifyCa, "disable" => Disable });

impl AuroraPlan {
    /// As it is written in a configuration file.
    pub(super) fn settings(&self) -> AuroraSettings {
        let access = self.access.clone();
        AuroraSettings {
            cluster: Some(access.cluster),
            region: access.region,
            profile: access.profile,
            endpoint_url: access.endpoint_url,
            database: access.database,
            user: access.user,
            auth: access.auth.to_string(),
            sslmode: access.tls.to_string(),
            ca_bundle: access.ca_bundle.map(|path| path.to_string_lossy().into_owned()),
            consistency_mode: access.consistency.map(|mode| mode.to_string()),
        }
    }
}

impl Check<'_> {
    /// The cluster of kind `aurora`, `None` for the other kinds, which have no use for it.
    pub(super) fn aurora(
        &mut self,
        kind: TopologyKind,
        topology: &TopologySettings,
        settings: &AuroraSettings,
    ) -> Option<Option<AuroraPlan>> {
        if kind != TopologyKind::Aurora {
            let set = [
                ("aurora.cluster", settings.cluster.is_some()),
                ("aurora.region", settings.region.is_some()),
                ("aurora.profile", settings.profile.is_some()),
                ("aurora.endpoint_url", settings.endpoint_url.is_some()),
                ("aurora.database", settings.database != DEFAULTS.aurora.database),
                ("aurora.user", settings.user != DEFAULTS.aurora.user),
                ("aurora.auth", settings.auth != DEFAULTS.aurora.auth),
                ("aurora.sslmode", settings.sslmode != DEFAULTS.aurora.sslmode),
                ("aurora.ca_bundle", settings.ca_bundle.is_some()),
                ("aurora.consistency_mode", settings.consistency_mode.is_some()),
            ];
            return match set.iter().find(|(_, is_set)| *is_set) {
                Some((path, _)) => self
                    .problem(path, format!("it is for topology.kind = \"aurora\", and the kind is {kind}")),
                None => Some(None),
            };
        }
        if cfg!(not(feature = "aurora")) {
            let why =
                "this replab was built without the feature `aurora`, and knows nothing of AWS".to_owned();
            return self.problem("topology.kind", why);
        }
        let keep: Switch = self.word("topology.keep", &topology.keep)?;
        let Some(cluster) = &settings.cluster else {
            let why = "aurora needs aurora.cluster (--cluster IDENTIFIER)".to_owned();
            return self.problem("topology.kind", why);
        };
        let cluster = self.plain("aurora.cluster", cluster, "-")?;
        let region = settings.region.as_ref().map(|text| self.plain("aurora.region", text, "-"));
        let user = self.plain("aurora.user", &settings.user, "_-.@")?;
        let database = self.plain("aurora.database", &settings.database, "_-.")?;
        let auth: Auth = self.word("aurora.auth", &settings.auth)?;
        let tls: Tls = self.word("aurora.sslmode", &settings.sslmode)?;
        let url = settings.endpoint_url.clone();
        if url.as_ref().is_some_and(|url| !url.starts_with("https://") && !url.starts_with("http://")) {
            return self.problem("aurora.endpoint_url", "it begins with https:// or http://".to_owned());
        }
        // It counts from this folder, whatever folder a later run works in.
        let absolute = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
        let ca_bundle = settings.ca_bundle.as_ref().map(|path| self.path("aurora.ca_bundle", path));
        let ca_bundle = super::validate::all(ca_bundle)?.map(absolute);
        match (tls, auth, &ca_bundle) {
            (Tls::Disable, Auth::Iam, _) => {
                let why =
                    "a token of IAM's is only taken over TLS, and would be readable without it".to_owned();
                return self.problem("aurora.sslmode", why);
            }
            (Tls::Disable, _, Some(_)) => {
                return self
                    .problem("aurora.ca_bundle", "without TLS there is nobody to vouch for".to_owned());
            }
            (Tls::VerifyCa, _, None) => {
                let why = "without the name, only authorities that are named vouch for anybody: it needs \
                           aurora.ca_bundle (--ca-bundle FILE)";
                return self.problem("aurora.sslmode", why.to_owned());
            }
            _ => {}
        }
        let mode = settings.consistency_mode.as_ref();
        let mode = mode.map(|mode| self.word::<Consistency>("aurora.consistency_mode", mode));
        let access = Access {
            cluster,
            region: super::validate::all(region)?,
            profile: settings.profile.clone(),
            endpoint_url: url,
            database,
            user,
            auth,
            tls,
            ca_bundle,
            consistency: super::validate::all(mode)?,
        };
        Some(Some(AuroraPlan { access, keep }))
    }

    /// A name of letters, digits, and `more`: nothing that a URL or a request would have to escape.
    fn plain(&mut self, path: &str, text: &str, more: &str) -> Option<String> {
        let fits = |c: char| c.is_ascii_alphanumeric() || more.contains(c);
        if text.is_empty() || text.len() > LONGEST_NAME || !text.chars().all(fits) {
            return self
                .problem(path, format!("`{text}` is not a name of letters, digits and any of {more}"));
        }
        Some(text.to_owned())
    }
}

#[cfg(feature = "aurora")]
#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use crate::check::Guarantee;
    use crate::config::{Overrides, Plan, TopologyKind, load, stored};

    fn flags() -> Overrides {
        Overrides {
            cluster: text("part-4"),
            region: text("us-east-1"),
            seed: Some(1),
            ..Overrides::default()
        }
    }

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    fn plan(flags: &Overrides) -> Result<Plan, String> {
        let loaded = load(flags, Some(Path::new("/dev/null")), []).map_err(|error| error.to_string())?;
        Ok(loaded.plan)
    }

    fn refused(change: impl FnOnce(&mut Overrides)) -> String {
        let mut flags = flags();
        change(&mut flags);
        plan(&flags).unwrap_err()
    }

    #[test]
    fn a_cluster_makes_a_plan_that_repeats_itself() {
        let found = plan(&Overrides { replicas: Some(2), ..flags() }).unwrap();
        assert_eq!((found.topology.kind, found.topology.replicas), (TopologyKind::Aurora, 2));
        assert!(found.faults.is_empty());
        let toml = found.to_toml();
        assert!(toml.contains("[aurora]\ncluster = \"part-4\"\nregion = \"us-east-1\"\n"), "{toml}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.toml");
        std::fs::write(&path, &toml).unwrap();
        assert_eq!(stored(&path).unwrap().to_toml(), toml);
        assert_eq!(toml::from_str::<Plan>(&toml).unwrap(), found);
    }

    #[test]
    fn a_bundle_is_found_from_whatever_folder_the_run_is_repeated_in() {
        let found = plan(&Overrides { ca_bundle: Some(PathBuf::from("rds.pem")), ..flags() }).unwrap();
        let bundle = std::env::current_dir().unwrap().join("rds.pem");
        assert_eq!(found.topology.aurora.as_ref().unwrap().access.ca_bundle.as_ref(), Some(&bundle));
        assert!(
            found.to_toml().contains(&format!("ca_bundle = \"{}\"", bundle.display())),
            "{}",
            found.to_toml()
        );
        assert!(refused(|flags| flags.ca_bundle = Some(PathBuf::new())).contains("it must not be empty"));
    }

    #[test]
    fn any_reader_may_be_named_before_anybody_has_looked() {
        let fault = |schedule: &str| plan(&Overrides { schedule: text(schedule), ..flags() });
        assert!(fault("restart(replica-15)@1s,promote(best)@2s").is_ok());
        assert!(fault("promote(replica-2)@1s,promote(primary)@2s,switchover(best)@3s").is_ok());
        insta::assert_snapshot!(fault("kill(primary)@1s").unwrap_err(), @"--fault: kill(primary)@1s: a cluster of this kind cannot do that; it can crash, restart, promote, switchover, inject-replica-failure, inject-disk-failure, inject-disk-congestion");
        insta::assert_snapshot!(fault("inject-replica-failure(primary,for=1s)@1s").unwrap_err(), @"--fault: inject-replica-failure(primary,percent=100,for=1s)@1s: primary is the primary by then; that can only be done to a replica");
        let local =
            Overrides { schedule: text("inject-disk-failure(primary,for=1s)@1s"), ..Overrides::default() };
        insta::assert_snapshot!(plan(&local).unwrap_err(), @"--fault: inject-disk-failure(primary,percent=100,for=1s,index=0)@1s: a cluster of this kind cannot do that; it can crash, kill, stop, start, restart, pause, resume, freeze, thaw, pause-replay, resume-replay, terminate, cancel-sync-wait, promote, switchover, rejoin, isolate, reconnect, slow, speed-up, reset, fill-disk, free-disk");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        insta::assert_snapshot!(refused(|flags| { flags.cluster = None; flags.topology = text("aurora") }), @"--topology: aurora needs aurora.cluster (--cluster IDENTIFIER)");
        insta::assert_snapshot!(refused(|flags| flags.cluster = text("a&b")), @"--cluster: `a&b` is not a name of letters, digits and any of -");
        insta::assert_snapshot!(refused(|flags| flags.auth = text("kerberos")), @"--auth: `kerberos` is not a way to log in; known are password, secret, iam");
        insta::assert_snapshot!(refused(|flags| flags.sslmode = text("require")), @"--sslmode: `require` is not a mode of TLS; known are verify-full, verify-ca, disable");
        insta::assert_snapshot!(refused(|flags| flags.sslmode = text("verify-ca")), @"--sslmode: without the name, only authorities that are named vouch for anybody: it needs aurora.ca_bundle (--ca-bundle FILE)");
        insta::assert_snapshot!(refused(|flags| { flags.sslmode = text("disable"); flags.auth = text("iam") }), @"--sslmode: a token of IAM's is only taken over TLS, and would be readable without it");
        insta::assert_snapshot!(refused(|flags| { flags.sslmode = text("disable"); flags.ca_bundle = Some(PathBuf::from("x")) }), @"--ca-bundle: without TLS there is nobody to vouch for");
        insta::assert_snapshot!(refused(|flags| flags.endpoint_url = text("localhost:1")), @"--endpoint-url: it begins with https:// or http://");
        insta::assert_snapshot!(refused(|flags| flags.topology = text("local")), @r#"--cluster: it is for topology.kind = "aurora", and the kind is local"#);
        insta::assert_snapshot!(refused(|flags| flags.synchronous_standbys = text("ANY 1")), @"--sync-standbys: it is for clusters that replab makes, and is not changed on others");
        insta::assert_snapshot!(refused(|flags| flags.writer = text("postgres://u@h/d")), @r#"--writer: it is for topology.kind = "urls", and the kind is aurora"#);
    }

    #[test]
    fn an_acknowledged_commit_survives_a_failover() {
        let claims = |schedule: &str, level: &str| {
            let (schedule, synchronous_commit) = (text(schedule), text(level));
            let flags = Overrides { schedule, synchronous_commit, replicas: Some(2), ..flags() };
            plan(&flags).unwrap().claims()
        };
        let durable =
            |schedule: &str, level: &str| claims(schedule, level).everywhere.contains(&Guarantee::Durability);
        for schedule in
            ["promote(best)@1s", "restart(writer)@1s", "crash(writer)@1s,switchover(replica-2)@2s"]
        {
            assert!(durable(schedule, "on"), "{schedule}");
            assert!(!durable(schedule, "off"), "{schedule}");
        }
        assert!(durable("restart(replica-1)@1s", "off"));
        for simulated in ["inject-disk-failure", "inject-disk-congestion"] {
            let on = |node: &str| format!("{simulated}({node},for=1s)@1s");
            assert!(durable(&on("writer"), "on") && !durable(&on("writer"), "off"), "{simulated}");
            assert!(durable(&on("replica-1"), "off"), "{simulated}");
        }
        let moved = claims("promote(best)@1s", "on");
        assert!(moved.everywhere.contains(&Guarantee::Convergence));
        assert!(moved.on_primary.contains(&Guarantee::ReadYourWrites), "readers are stale by their caches");
    }

    #[test]
    fn readers_that_are_waited_for_are_claimed_to_be_fresh() {
        let everywhere = |mode: &str, schedule: &str, level: &str| {
            let (consistency_mode, schedule) = (text(mode), text(schedule));
            let synchronous_commit = text(level);
            let flags =
                Overrides { consistency_mode, schedule, synchronous_commit, replicas: Some(2), ..flags() };
            plan(&flags).unwrap().claims().everywhere.contains(&Guarantee::ReadYourWrites)
        };
        assert!(everywhere("global", "restart(replica-1)@1s", "on"));
        assert!(!everywhere("global", "promote(best)@1s", "on"), "nobody says as of when");
        assert!(!everywhere("global", "restart(writer)@1s", "off"), "it may be lost");
        assert!(!everywhere("global", "restart(replica-1)@1s", "off"), "it may not count as committed yet");
        assert!(!everywhere("session", "restart(replica-1)@1s", "on"), "its readers write nothing");
        assert!(!everywhere("eventual", "restart(replica-1)@1s", "on"));
        insta::assert_snapshot!(refused(|flags| flags.consistency_mode = text("strong")), @"--consistency-mode: `strong` is not a mode of consistency; known are eventual, session, global");
        let found = plan(&Overrides { consistency_mode: text("global"), ..flags() }).unwrap();
        assert!(found.to_toml().contains("consistency_mode = \"global\""), "{}", found.to_toml());
    }
}
