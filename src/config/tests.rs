//! The layers together, and every kind of bad input with what is said about it.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::check::{Claims, Guarantee};
use crate::history::{Nanos, NodeName};

/// A loaded file under a name that does not depend on the machine.
fn with(file: &str, variables: &[(&str, &str)], flags: &Overrides) -> Result<Loaded, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("replab.toml");
    fs::write(&path, file).unwrap();
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    load(flags, Some(&path), variables)
        .map_err(|error| error.to_string().replace(&path.display().to_string(), "replab.toml"))
}

fn refused(file: &str) -> String {
    with(file, &[], &Overrides::default()).unwrap_err()
}

fn refused_variables(variables: &[(&str, &str)]) -> String {
    with("", variables, &Overrides::default()).unwrap_err()
}

fn refused_flags(flags: Overrides) -> String {
    let error = load(&flags, Some(Path::new("/dev/null")), []).unwrap_err();
    assert!(error.is_usage(), "{error}");
    error.to_string()
}

fn accepted(flags: Overrides) -> Plan {
    load(&flags, Some(Path::new("/dev/null")), []).unwrap().plan
}

#[test]
fn without_anything_it_is_the_documented_default() {
    let plan = accepted(Overrides { seed: Some(1), ..Overrides::default() });
    insta::assert_snapshot!(plan.to_toml(), @r#"
        [topology]
        kind = "local"
        replicas = 1
        image = "postgres:17"
        synchronous_commit = "on"
        cascade = []
        hot_standby_feedback = "off"
        recovery_min_apply_delay = "0s"
        readers = []
        keep = "off"

        [aurora]
        database = "postgres"
        user = "postgres"
        auth = "password"
        sslmode = "verify-full"

        [load]
        workloads = ["orders", "counter"]
        duration = "20s"
        seed = 1
        statement_deadline = "10s"
        connect_deadline = "5s"

        [orders]
        clients = 8
        products = 30

        [counter]
        clients = 8
        keys = 4

        [counters]
        clients = 8

        [transactions]
        clients = 8
        keys = 8
        writes_per_key = 100
        length = 4
        isolation = "serializable"

        [bank]
        clients = 8
        accounts = 8
        balance = 100
        isolation = "serializable"

        [set]
        clients = 8

        [readers]
        per_node = 2
        interval = "2ms"
        stock_interval = "100ms"

        [faults]
        schedule = "crash(primary)@5.844s,restart(replica-1)@10.328s,stop(primary,immediate)@15.154s,start(primary)@16.754s"

        [checks]
        require = []
        thresholds = []

        [output]
        runs = "runs"
        "#);
}

#[test]
fn what_config_init_prints_is_the_default() {
    let flags = Overrides { seed: Some(1), ..Overrides::default() };
    assert_eq!(with(DEFAULT_FILE, &[], &flags).unwrap().plan, accepted(flags));
}

#[test]
fn a_higher_layer_wins_and_is_named() {
    let file = "[load]\nduration = \"30s\"\nseed = 7\n[counter]\nclients = 3\n[orders]\nclients = 0x10\n";
    let variables = [
        ("REPLAB_COUNTER__CLIENTS", " 4"),
        ("REPLAB_LOAD__WORKLOADS", "counter, orders"),
        ("REPLAB_REQUIRE_PG", "1"),
        ("PATH", "/bin"),
    ];
    let flags = Overrides { products: Some(5), ..Overrides::default() };
    let loaded = with(file, &variables, &flags).unwrap();
    let plan = &loaded.plan;
    assert_eq!(plan.load.duration, Nanos::from_millis(30_000));
    let orders = OrdersPlan { clients: 16, products: 5, stock: None };
    let counter = CounterPlan { clients: 4, keys: 4 };
    assert_eq!(plan.workloads, [WorkloadPlan::Orders(orders), WorkloadPlan::Counter(counter)]);
    let shown = |key: &str| {
        let setting = loaded.settings.iter().find(|setting| setting.key == key).unwrap();
        let origin = match &setting.origin {
            Origin::File { line, .. } => format!("line {line}"),
            other => other.to_string(),
        };
        format!("{} from {origin}", setting.value)
    };
    assert_eq!(shown("load.duration"), "\"30s\" from line 2");
    assert_eq!(shown("load.seed"), "7 from line 3");
    assert_eq!(shown("orders.clients"), "16 from line 7");
    assert_eq!(shown("counter.clients"), "4 from REPLAB_COUNTER__CLIENTS");
    assert_eq!(shown("load.workloads"), "[\"counter\",\"orders\"] from REPLAB_LOAD__WORKLOADS");
    assert_eq!(shown("orders.products"), "5 from --products");
    assert_eq!(shown("counter.keys"), "4 from default");
    assert_eq!(shown("topology.pg_bin"), "null from default");
    assert_eq!(shown("faults.schedule"), format!("\"{}\" from default", plan.faults));
}

#[test]
fn lists_are_replaced_by_a_layer_and_extended_by_flags() {
    let file = "[load]\nworkloads = [\"counter\"]\n[checks]\nrequire = [\"durability\"]\nthresholds = [\"lag.p99<1s\"]\n";
    let flags = Overrides {
        require: vec!["snapshot-order".to_owned()],
        thresholds: vec!["lag.p50<1s".to_owned()],
        ..Overrides::default()
    };
    let plan = with(file, &[], &flags).unwrap().plan;
    assert!(plan.orders().is_none() && plan.runs("counter"));
    assert_eq!(plan.checks.require, [Guarantee::Durability, Guarantee::SnapshotOrder].into());
    assert_eq!(plan.checks.thresholds, ["lag.p99<1s", "lag.p50<1s"]);
    let plan = with(file, &[("REPLAB_CHECKS__REQUIRE", "")], &Overrides::default()).unwrap().plan;
    assert!(plan.checks.require.is_empty());
}

#[test]
fn a_seed_is_drawn_where_none_is_given() {
    let loaded = load(&Overrides::default(), Some(Path::new("/dev/null")), []).unwrap();
    let origin =
        |loaded: &Loaded| loaded.settings.iter().find(|s| s.key == "load.seed").unwrap().origin.clone();
    assert_eq!(origin(&loaded), Origin::Random);
    let seeds = (0..8).map(|_| accepted(Overrides::default()).load.seed);
    assert!(seeds.collect::<std::collections::BTreeSet<_>>().len() > 1);
}

#[test]
fn a_flag_for_all_workloads_need_not_suit_those_that_do_not_run() {
    let keys = |name: &str| Overrides {
        workloads: vec![name.to_owned()],
        keys: Some(1),
        isolation: Some("repeatable-read".to_owned()),
        ..Overrides::default()
    };
    let WorkloadPlan::Counter(counter) = &accepted(keys("counter")).workloads[0] else { panic!() };
    assert_eq!(counter.keys, 1);
    assert_eq!(refused_flags(keys("bank")), "--keys: it must be between 2 and 100000, but is 1");
    let plan = accepted(Overrides { keys: Some(3), ..keys("bank") });
    let WorkloadPlan::Bank(bank) = &plan.workloads[0] else { panic!() };
    assert_eq!((bank.accounts, bank.isolation.name(), bank.clients), (3, "repeatable-read", 8));
    assert_eq!(toml::from_str::<Plan>(&plan.to_toml()).unwrap(), plan);
    let set =
        accepted(Overrides { workloads: vec!["set".to_owned()], clients: Some(3), ..Overrides::default() });
    assert_eq!(set.workloads, [WorkloadPlan::Set(SetPlan { clients: 3 })]);
    assert_eq!(toml::from_str::<Plan>(&set.to_toml()).unwrap(), set);
}

#[test]
fn a_stored_plan_is_the_plan() {
    let flags = Overrides {
        workloads: vec!["counter".to_owned()],
        replicas: Some(3),
        pg_bin: Some(PathBuf::from("/opt/pg \"16\"/bin")),
        image: Some("registry.example:5000/postgres:14@sha256:0123".to_owned()),
        port: Some(5500),
        seed: Some(i64::MAX),
        duration: Some("1.5m".to_owned()),
        operations: Some(1_000_000),
        require: vec!["durability".to_owned()],
        thresholds: vec!["lag.p99<500ms".to_owned()],
        ..Overrides::default()
    };
    let plan = accepted(flags);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.toml");
    fs::write(&path, plan.to_toml()).unwrap();
    assert_eq!(stored(&path).unwrap(), plan);
    assert_eq!(toml::from_str::<Plan>(&plan.to_toml()).unwrap(), plan);
    // The same file repeats the run.
    assert_eq!(load(&Overrides::default(), Some(&path), []).unwrap().plan, plan);
    let broken = plan.to_toml().replace("replicas = 3", "replicas = 17");
    let message = toml::from_str::<Plan>(&broken).unwrap_err().to_string();
    assert!(message.contains("topology.replicas: it must be between 0 and 16, but is 17"), "{message}");
}

#[test]
fn bad_files_are_refused_with_the_line() {
    insta::assert_snapshot!(refused("[load]\nduraton = \"20s\"\n"), @r#"
        replab.toml:2: there is no key `duraton` in [load] (did you mean `duration`?)
          2 | duraton = "20s"
            | ^^^^^^^
        "#);
    insta::assert_snapshot!(refused("[laod]\nduration = \"20s\"\n"), @"
        replab.toml:1: there is no section `laod` (did you mean `load`?)
          1 | [laod]
            |  ^^^^
        ");
    insta::assert_snapshot!(refused("[orders]\nclients = 8\nreplicas = 2\n"), @"
        replab.toml:3: there is no key `replicas` in [orders]; it belongs to [topology]
          3 | replicas = 2
            | ^^^^^^^^
        ");
    insta::assert_snapshot!(refused("duration = \"20s\"\n"), @r#"
        replab.toml:1: `duration` belongs below a line `[load]`
          1 | duration = "20s"
            | ^^^^^^^^
        "#);
    insta::assert_snapshot!(refused("colour = true\n"), @"
        replab.toml:1: there is no key `colour`
          1 | colour = true
            | ^^^^^^
        ");
    insta::assert_snapshot!(refused("load = \"20s\"\n"), @r#"
        replab.toml:1: `load` is a section; its keys stand below a line `[load]`
          1 | load = "20s"
            | ^^^^
        "#);
    insta::assert_snapshot!(refused("[orders]\nclients = \"8\"\n"), @r#"
        replab.toml:2: `orders.clients` takes a whole number, not a string
          2 | clients = "8"
            |           ^^^
        "#);
    insta::assert_snapshot!(refused("[load]\nworkloads = \"orders\"\n"), @r#"
        replab.toml:2: `load.workloads` takes a list of texts in quotes, not a string
          2 | workloads = "orders"
            |             ^^^^^^^^
        "#);
    insta::assert_snapshot!(refused("[load]\nworkloads = [\"orders\", 2]\n"), @r#"
        replab.toml:2: `load.workloads` takes a list of texts in quotes, not a list of something else
          2 | workloads = ["orders", 2]
            |             ^^^^^^^^^^^^^
        "#);
    insta::assert_snapshot!(refused("[load]\nduration = 20\n"), @"
        replab.toml:2: `load.duration` takes a text in quotes, not an integer
          2 | duration = 20
            |            ^^
        ");
    insta::assert_snapshot!(refused("[load]\nseed = 9223372036854775808\n"), @"
        replab.toml:2: 9223372036854775808 is too large
          2 | seed = 9223372036854775808
            |        ^^^^^^^^^^^^^^^^^^^
        ");
    insta::assert_snapshot!(refused("[load]\nduration = \"20s\n"), @r#"
        replab.toml:2: this is not TOML: invalid basic string, expected `"`
          2 | duration = "20s
            |                ^
        "#);
    insta::assert_snapshot!(refused("[load\nduration = \"20s\"\n[orders]\nclients == 3\n"), @"
        3 settings are wrong
        replab.toml:1: this is not TOML: unclosed table, expected `]`
          1 | [load
            |      ^
        replab.toml:4: this is not TOML: extra `=`, expected nothing
          4 | clients == 3
            |          ^
        replab.toml:4: this is not TOML: unexpected key or value, expected newline, `#`
          4 | clients == 3
            |            ^
        ");
    insta::assert_snapshot!(refused("[load]\nseed = 1\nseed = 2\n"), @"
        replab.toml:3: this is not TOML: duplicate key
          3 | seed = 2
            | ^^^^
        ");
}

#[test]
fn bad_values_in_a_file_are_refused_with_the_line() {
    insta::assert_snapshot!(refused("[load]\nduration = \"0s\"\n"), @r#"
        replab.toml:2: it must be between 1ms and 24h, but is 0s
          2 | duration = "0s"
            |            ^^^^
        "#);
    insta::assert_snapshot!(refused("[load]\nduration = \"20\" # seconds\n"), @r#"
        replab.toml:2: `20` is not a length of time: it needs a number with a unit, such as 250ms, 3s or 2m
          2 | duration = "20" # seconds
            |            ^^^^
        "#);
    insta::assert_snapshot!(refused("[load]\nworkloads = [\"orders\", \"countr\"]\n"), @r#"
        replab.toml:2: `countr` is not a workload (did you mean `counter`?); known are orders, counter, counters, append, register, longfork, bank, set
          2 | workloads = ["orders", "countr"]
            |             ^^^^^^^^^^^^^^^^^^^^
        "#);
    insta::assert_snapshot!(refused("[load]\nworkloads = []\n"), @"
        replab.toml:2: name at least one of orders, counter, counters, append, register, longfork, bank, set
          2 | workloads = []
            |             ^^
        ");
    insta::assert_snapshot!(refused("[topology]\nkind = \"lokal\"\n"), @r#"
        replab.toml:2: `lokal` is not a kind of cluster (did you mean `local`?); known are local, compose, memory, urls, aurora
          2 | kind = "lokal"
            |        ^^^^^^^
        "#);
    insta::assert_snapshot!(refused("[topology]\nsynchronous_commit = \"remote-apply\"\n"), @r#"
        replab.toml:2: `remote-apply` is not a value of synchronous_commit (did you mean `remote_apply`?); known are off, local, remote_write, on, remote_apply
          2 | synchronous_commit = "remote-apply"
            |                      ^^^^^^^^^^^^^^
        "#);
    insta::assert_snapshot!(refused("[topology]\nsynchronous_commit = \"remote_apply\"\nreplicas = 0\n"), @r#"
        replab.toml:2: remote_apply waits for a replica, and there is none
          2 | synchronous_commit = "remote_apply"
            |                      ^^^^^^^^^^^^^^
        "#);
    insta::assert_snapshot!(refused("[topology]\nport = 65535\nreplicas = 2\n"), @"
        replab.toml:2: it must be between 1 and 65533, but is 65535
          2 | port = 65535
            |        ^^^^^
        ");
    insta::assert_snapshot!(refused("[topology]\nimage = \"--privileged\"\n"), @r#"
        replab.toml:2: `--privileged` is not the name of an image
          2 | image = "--privileged"
            |         ^^^^^^^^^^^^^^
        "#);
    insta::assert_snapshot!(refused("[topology]\npg_bin = \"\"\n"), @r#"
        replab.toml:2: it must not be empty
          2 | pg_bin = ""
            |          ^^
        "#);
    insta::assert_snapshot!(refused("[orders]\nclients = 0\nproducts = -1\n[counter]\nkeys = 0\n[topology]\nreplicas = 17\n"), @"
        4 settings are wrong
        replab.toml:7: it must be between 0 and 16, but is 17
          7 | replicas = 17
            |            ^^
        replab.toml:2: it must be between 1 and 1000, but is 0
          2 | clients = 0
            |           ^
        replab.toml:3: it must be between 1 and 100000, but is -1
          3 | products = -1
            |            ^^
        replab.toml:5: it must be between 1 and 100000, but is 0
          5 | keys = 0
            |        ^
        ");
    insta::assert_snapshot!(refused("[load]\nworkloads = [\"bank\"]\n[bank]\naccounts = 1\nbalance = -1\n[set]\nclients = 0\n"), @"
        3 settings are wrong
        replab.toml:4: it must be between 2 and 100000, but is 1
          4 | accounts = 1
            |            ^
        replab.toml:5: it must be between 0 and 1000000000, but is -1
          5 | balance = -1
            |           ^^
        replab.toml:7: it must be between 1 and 1000, but is 0
          7 | clients = 0
            |           ^
        ");
    insta::assert_snapshot!(refused("[checks]\nrequire = [\"durabilty\"]\n"), @r#"
        replab.toml:2: `durabilty` is not a guarantee (did you mean `durability`?); known are durability, exactly-once, atomicity, read-your-writes, monotonic-reads, convergence, isolation, snapshot-order
          2 | require = ["durabilty"]
            |           ^^^^^^^^^^^^^
        "#);
    insta::assert_snapshot!(refused("[faults]\nschedule = \"crash(replica-2)@5s\"\n"), @r#"
        replab.toml:2: crash(replica-2)@5s: there is no node `replica-2` (did you mean `replica-1`?); the nodes are primary, replica-1
          2 | schedule = "crash(replica-2)@5s"
            |            ^^^^^^^^^^^^^^^^^^^^^
        "#);
    insta::assert_snapshot!(refused("[faults]\nschedule = \"crash(primary)@5s\"\n[load]\nduration = \"5s\"\n"), @r#"
        replab.toml:2: crash(primary)@5s: the load ends after 5s, so a fault must come before that
          2 | schedule = "crash(primary)@5s"
            |            ^^^^^^^^^^^^^^^^^^^
        "#);
    insta::assert_snapshot!(refused("[faults]\nschedule = \"explode(primary)@5s\"\n"), @r#"
        replab.toml:2: in `explode(primary)@5s`: `explode` is not a fault; known are cancel-sync-wait, crash, fill-disk, free-disk, freeze, inject-disk-congestion, inject-disk-failure, inject-replica-failure, isolate, kill, pause, pause-replay, promote, reconnect, rejoin, reset, restart, resume, resume-replay, slow, speed-up, start, stop, switchover, terminate, thaw
          2 | schedule = "explode(primary)@5s"
            |            ^^^^^^^^^^^^^^^^^^^^^
        "#);
    insta::assert_snapshot!(refused("[faults]\nschedule = \"\"\n"), @r#"
        replab.toml:2: in ``: it does not say when; a fault is written `crash(primary)@8s`
          2 | schedule = ""
            |            ^^
        "#);
}

#[test]
fn files_that_cannot_be_read_are_refused() {
    let error = |path: &str| load(&Overrides::default(), Some(Path::new(path)), []).unwrap_err();
    insta::assert_snapshot!(error("no-such-folder/replab.toml"), @"no-such-folder/replab.toml: read the configuration file: No such file or directory (os error 2)");
    insta::assert_snapshot!(error("src"), @"src: read the configuration file: Is a directory (os error 21)");
    assert!(!error("src").is_usage());
}

#[test]
fn bad_variables_are_refused_by_name() {
    insta::assert_snapshot!(refused_variables(&[("REPLAB_LAOD__DURATION", "20s")]), @"REPLAB_LAOD__DURATION: there is no such setting (did you mean `REPLAB_LOAD__DURATION`?)");
    insta::assert_snapshot!(refused_variables(&[("REPLAB_LOAD_DURATION", "20s")]), @"REPLAB_LOAD_DURATION: there is no such setting (did you mean `REPLAB_LOAD__DURATION`, with two underscores after the section?)");
    insta::assert_snapshot!(refused_variables(&[("REPLAB_TOPOLOGY_PG_BIN", "x")]), @"REPLAB_TOPOLOGY_PG_BIN: there is no such setting (did you mean `REPLAB_TOPOLOGY__PG_BIN`, with two underscores after the section?)");
    insta::assert_snapshot!(refused_variables(&[("REPLAB_PGBIN", "x")]), @"REPLAB_PGBIN: there is no such setting (did you mean `REPLAB_PG_BIN`?)");
    insta::assert_snapshot!(refused_variables(&[("REPLAB_load__duration", "20s")]), @"REPLAB_load__duration: there is no such setting (did you mean `REPLAB_LOAD__DURATION`, with two underscores after the section?)");
    insta::assert_snapshot!(refused_variables(&[("REPLAB_", "20s")]), @"REPLAB_: there is no such setting (did you mean `REPLAB_PG_BIN`?)");
    insta::assert_snapshot!(refused_variables(&[("REPLAB_ORDERS__CLIENTS", "many")]), @"REPLAB_ORDERS__CLIENTS: `many` is not a whole number");
    insta::assert_snapshot!(refused_variables(&[("REPLAB_ORDERS__CLIENTS", "")]), @"REPLAB_ORDERS__CLIENTS: `` is not a whole number");
    insta::assert_snapshot!(refused_variables(&[("REPLAB_ORDERS__CLIENTS", "0")]), @"REPLAB_ORDERS__CLIENTS: it must be between 1 and 1000, but is 0");
    insta::assert_snapshot!(refused_variables(&[("REPLAB_LOAD__DURATION", "5 minutes")]), @"REPLAB_LOAD__DURATION: `5 minutes` is not a length of time: known units are us, ms, s, m and h");
    insta::assert_snapshot!(refused_variables(&[("REPLAB_LOAD__WORKLOADS", "orders,,counter")]), @"REPLAB_LOAD__WORKLOADS: `` is not a workload; known are orders, counter, counters, append, register, longfork, bank, set");
}

#[test]
fn bad_flags_are_usage_errors() {
    let none = Overrides::default;
    insta::assert_snapshot!(refused_flags(Overrides { clients: Some(0), ..none() }), @"--clients: it must be between 1 and 1000, but is 0");
    insta::assert_snapshot!(refused_flags(Overrides { duration: Some("0s".to_owned()), ..none() }), @"--duration: it must be between 1ms and 24h, but is 0s");
    insta::assert_snapshot!(refused_flags(Overrides { replicas: Some(17), ..none() }), @"--replicas: it must be between 0 and 16, but is 17");
    insta::assert_snapshot!(refused_flags(Overrides { products: Some(0), ..none() }), @"--products: it must be between 1 and 100000, but is 0");
    insta::assert_snapshot!(refused_flags(Overrides { seed: Some(-1), ..none() }), @"--seed: it must be between 0 and 9223372036854775807, but is -1");
    insta::assert_snapshot!(refused_flags(Overrides { workloads: vec!["forum".to_owned()], ..none() }), @"WORKLOAD: `forum` is not a workload; known are orders, counter, counters, append, register, longfork, bank, set");
    insta::assert_snapshot!(refused_flags(Overrides { schedule: Some("crash(replica-3)@5s".to_owned()), ..none() }), @"--fault: crash(replica-3)@5s: there is no node `replica-3` (did you mean `replica-1`?); the nodes are primary, replica-1");
    insta::assert_snapshot!(refused_flags(Overrides { replicas: Some(0), schedule: Some("restart(replica-1)@5s".to_owned()), ..none() }), @"--fault: restart(replica-1)@5s: there is no node `replica-1`; the nodes are primary");
    insta::assert_snapshot!(refused_flags(Overrides { require: vec!["speed".to_owned()], ..none() }), @"--require: `speed` is not a guarantee; known are durability, exactly-once, atomicity, read-your-writes, monotonic-reads, convergence, isolation, snapshot-order");
}

#[test]
fn everything_that_is_wrong_is_said_together() {
    let flags = Overrides { clients: Some(0), ..Overrides::default() };
    let file = "[load]\nduraton = \"20s\"\nduration = \"0s\"\n";
    let variables = [("REPLAB_READERS__INTERVAL", "2"), ("REPLAB_COUNTER__KEY", "2")];
    insta::assert_snapshot!(with(file, &variables, &flags).unwrap_err(), @r#"
        5 settings are wrong
        replab.toml:2: there is no key `duraton` in [load] (did you mean `duration`?)
          2 | duraton = "20s"
            | ^^^^^^^
        REPLAB_COUNTER__KEY: there is no such setting (did you mean `REPLAB_COUNTER__KEYS`?)
        replab.toml:3: it must be between 1ms and 24h, but is 0s
          3 | duration = "0s"
            |            ^^^^
        --clients: it must be between 1 and 1000, but is 0
        REPLAB_READERS__INTERVAL: `2` is not a length of time: it needs a number with a unit, such as 250ms, 3s or 2m
        "#);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("replab.toml");
    fs::write(&path, file).unwrap();
    assert!(!load(&flags, Some(&path), []).unwrap_err().is_usage(), "the file is to blame too");
}

#[test]
fn claims_follow_from_the_settings() {
    use Guarantee::*;
    let claims = |mode: &str, require: &[&str]| {
        accepted(Overrides {
            synchronous_commit: Some(mode.to_owned()),
            require: require.iter().map(|name| (*name).to_owned()).collect(),
            ..Overrides::default()
        })
        .claims()
    };
    let primary = Some(NodeName::primary());
    let durable = Claims {
        everywhere: [Durability, ExactlyOnce, Atomicity, MonotonicReads, Convergence].into(),
        on_primary: [ReadYourWrites].into(),
        primary,
    };
    for mode in ["local", "remote_write", "on", "remote_apply"] {
        assert_eq!(claims(mode, &[]), durable, "{mode}");
    }
    let fast = Claims {
        everywhere: [ExactlyOnce, Atomicity, MonotonicReads, Convergence].into(),
        on_primary: [].into(),
        primary,
    };
    assert_eq!(claims("off", &[]), fast);
    // Only a crash of the primary takes acknowledged commits back.
    for (schedule, expected) in [
        ("none", &durable),
        ("restart(primary)@1s,stop(primary)@2s", &durable),
        ("crash(replica-1)@1s", &durable),
        ("stop(primary,immediate)@1s", &fast),
    ] {
        let flags = Overrides {
            synchronous_commit: Some("off".to_owned()),
            schedule: Some(schedule.to_owned()),
            ..Overrides::default()
        };
        assert_eq!(&accepted(flags).claims(), expected, "{schedule}");
    }
    let required = claims("on", &["read-your-writes", "snapshot-order"]);
    // Nothing of the default load shows isolation.
    let all = Guarantee::ALL.into_iter().filter(|&guarantee| guarantee != Isolation);
    assert_eq!(required.everywhere, all.collect());
    assert_eq!(required.on_primary, [].into());
    assert!(claims("off", &["durability"]).claims(Durability, None));
    let only = |workload: &str| {
        let workloads = vec![workload.to_owned()];
        accepted(Overrides { workloads, ..Overrides::default() }).claims()
    };
    assert_eq!(only("orders").everywhere, [Durability, ExactlyOnce, Atomicity, Convergence].into());
    assert_eq!(only("orders").on_primary, [].into());
    assert_eq!(only("counter").everywhere, [Durability, ExactlyOnce, MonotonicReads, Convergence].into());
    assert_eq!(
        only("counters").everywhere,
        [Durability, ExactlyOnce, MonotonicReads, Convergence, Isolation].into()
    );
    assert_eq!(only("append").everywhere, [Durability, ExactlyOnce, Convergence, Isolation].into());
    assert_eq!(only("register").everywhere, [ExactlyOnce, Convergence, Isolation].into());
    assert_eq!(only("set").everywhere, [Durability, ExactlyOnce, MonotonicReads, Convergence].into());
    // Of a bank, only its total is looked at; at read committed it may drift.
    let bank = |level: &str| {
        let workloads = vec!["bank".to_owned()];
        accepted(Overrides { workloads, isolation: Some(level.to_owned()), ..Overrides::default() }).claims()
    };
    assert_eq!(only("bank").everywhere, [Convergence, Isolation].into());
    assert_eq!(bank("repeatable-read").everywhere, [Convergence, Isolation].into());
    assert_eq!(bank("read-committed").everywhere, [Convergence].into());
    let append = |flags: Overrides| {
        accepted(Overrides { workloads: vec!["append".to_owned()], ..flags }).claims().everywhere
    };
    // What a reader has seen may be lost, and something else be in its place.
    let lossy = Overrides { synchronous_commit: Some("off".to_owned()), ..Overrides::default() };
    assert_eq!(append(lossy), [ExactlyOnce, Convergence].into());
    let moved = Overrides {
        replicas: Some(2),
        synchronous_standbys: Some("ANY 1".to_owned()),
        schedule: Some("promote(best)@1s".to_owned()),
        ..Overrides::default()
    };
    assert_eq!(append(moved), [Durability, ExactlyOnce, Convergence].into());
}

#[test]
fn durability_is_claimed_as_the_documentation_says() {
    let rows = include_str!("../../docs/claims.md")
        .lines()
        .filter(|line| line.ends_with("claimed |") || line.ends_with("may be lost |"));
    let mut judged = 0;
    for row in rows.filter(|row| row.starts_with("| `")) {
        let cells: Vec<String> =
            row.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect();
        let [mode, standbys, schedule, expected] = &cells[..] else { panic!("{row}") };
        let flags = Overrides {
            synchronous_commit: Some(mode.clone()),
            synchronous_standbys: Some(standbys.clone()),
            replicas: Some(2),
            schedule: Some(schedule.clone()),
            ..Overrides::default()
        };
        let claimed = accepted(flags).claims().claims(Guarantee::Durability, None);
        assert_eq!(claimed, expected == "claimed", "{row}");
        judged += 1;
    }
    assert_eq!(judged, 31);
    // Without a choice the remote levels wait for every replica, and the others for none.
    let claims = |mode: &str| {
        let flags = Overrides {
            synchronous_commit: Some(mode.to_owned()),
            replicas: Some(2),
            schedule: Some("promote(replica-1)@1s".to_owned()),
            ..Overrides::default()
        };
        accepted(flags).claims().claims(Guarantee::Durability, None)
    };
    assert!(claims("remote_write") && claims("remote_apply") && !claims("on"));
}

#[test]
fn nobody_can_be_waited_for() {
    let plan = |standbys: Option<&str>, replicas| {
        accepted(Overrides {
            synchronous_commit: Some("remote_apply".to_owned()),
            synchronous_standbys: standbys.map(str::to_owned),
            schedule: Some("none".to_owned()),
            replicas: Some(replicas),
            ..Overrides::default()
        })
    };
    let (all, none) = (plan(None, 2), plan(Some("none"), 2));
    assert!(all.topology.standbys().is_some() && none.topology.standbys().is_none());
    assert!(
        none.topology.local().standbys.is_none() && none.topology.answering(NodeName::primary()).is_empty()
    );
    assert!(none.to_toml().contains("synchronous_standbys = \"none\""), "{}", none.to_toml());
    // A replica shows what it shows when it does.
    let claims = |plan: &Plan| plan.claims().claims(Guarantee::ReadYourWrites, Some(NodeName::replica(1)));
    assert!(claims(&all) && !claims(&none));
    // With nobody to wait for, there need not be anybody.
    assert_eq!(plan(Some("none"), 0).topology.replicas, 0);
}

#[test]
fn a_cluster_that_could_not_work_is_refused() {
    insta::assert_snapshot!(refused("[topology]\nreplicas = 2\nsynchronous_standbys = \"ANY 3\"\n"), @r#"
    replab.toml:3: synchronous standbys `ANY 3`: a commit would wait for 3 of 2
      3 | synchronous_standbys = "ANY 3"
        |                        ^^^^^^^
    "#);
    insta::assert_snapshot!(refused("[topology]\nreplicas = 2\nsynchronous_standbys = \"SOME 1\"\n"), @r#"
    replab.toml:3: `SOME 1` does not say which standbys a commit waits for; write `none`, `ANY 1`, `FIRST 2` or `ANY 1 (replica-1, replica-2)`
      3 | synchronous_standbys = "SOME 1"
        |                        ^^^^^^^^
    "#);
    insta::assert_snapshot!(refused("[topology]\nreplicas = 2\ncascade = [\"replica-1<-replica-2\", \"replica-2<-replica-1\"]\n"), @r#"
    replab.toml:3: `replica-1<-replica-2` is part of a circle, which nothing would ever flow through
      3 | cascade = ["replica-1<-replica-2", "replica-2<-replica-1"]
        |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    "#);
    insta::assert_snapshot!(refused("[topology]\nreplicas = 2\nsynchronous_standbys = \"ANY 2\"\ncascade = [\"replica-2<-replica-1\"]\n"), @r#"
    replab.toml:3: `ANY 2` waits for 2, and 1 receive from the primary
      3 | synchronous_standbys = "ANY 2"
        |                        ^^^^^^^
    "#);
    insta::assert_snapshot!(refused("[topology]\nrecovery_min_apply_delay = \"1m\"\n"), @r#"
    replab.toml:2: it must be between 0s and 30s, but is 1m
      2 | recovery_min_apply_delay = "1m"
        |                            ^^^^
    "#);
    insta::assert_snapshot!(refused("[topology]\nhot_standby_feedback = \"yes\"\n"), @r#"
    replab.toml:2: `yes` is not on or off; known are on, off
      2 | hot_standby_feedback = "yes"
        |                        ^^^^^
    "#);
}

#[test]
fn what_containers_cannot_do_is_refused_before_anything_starts() {
    let compose = "[topology]\nkind = \"compose\"\nreplicas = 2\n";
    let cascade = refused(&format!("{compose}cascade = [\"replica-2<-replica-1\"]\n"));
    assert!(
        cascade.contains("replab.toml:4: in containers every replica receives from the primary"),
        "{cascade}"
    );
    accepted(Overrides {
        topology: Some("compose".to_owned()),
        schedule: Some("freeze(replica-1)@1s,kill(primary)@2s,promote(replica-1)@5s".to_owned()),
        ..Overrides::default()
    });
}
