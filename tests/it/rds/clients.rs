//! AWS's own clients, unchanged: the command line, boto3, and the driver that follows failovers, from the Python package
//! index.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::Value;

use super::serving::{KEY_ID, SECRET, Serving};
use crate::lab::until;
use crate::support;

/// What is installed, in a folder of its own that stays for the next time.
const PACKAGES: [&str; 4] = ["awscli", "boto3", "aws-advanced-python-wrapper", "psycopg[binary]"];

/// The folder with `aws` and a `python` that has the other packages; `None`, and a line that says why, where they cannot be
/// installed. With `REPLAB_REQUIRE_AWS=1` that is a failure.
fn require_aws() -> Option<PathBuf> {
    static INSTALLED: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    match INSTALLED.get_or_init(install).clone() {
        Ok(bin) => Some(bin),
        Err(why) if std::env::var("REPLAB_REQUIRE_AWS").is_ok_and(|value| value == "1") => {
            panic!("REPLAB_REQUIRE_AWS=1, and {why}")
        }
        Err(why) => {
            println!("skipped: {why}");
            None
        }
    }
}

fn install() -> Result<PathBuf, String> {
    let home = support::state_dir().join("aws");
    let bin = home.join("bin");
    // Written last, so that what was interrupted is done again.
    let done = home.join("installed");
    if fs::read_to_string(&done).is_ok_and(|packages| packages == PACKAGES.join(" ")) {
        return Ok(bin);
    }
    let run = |program: &str, args: &[&str]| {
        let output =
            Command::new(program).args(args).output().map_err(|error| format!("{program}: {error}"))?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(()) } else { Err(format!("{program} {}: {said}", args.join(" "))) }
    };
    run("python3", &["-m", "venv", "--clear", &home.to_string_lossy()])?;
    let mut args = vec!["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    args.extend(PACKAGES);
    run(&bin.join("python").to_string_lossy(), &args)?;
    // Names that only one program sees.
    let preloaded = Command::new("true").env("LD_PRELOAD", "libnss_wrapper.so").output();
    let preloaded = preloaded.map_err(|error| format!("true: {error}"))?;
    if !preloaded.stderr.is_empty() {
        return Err("there is no libnss_wrapper.so (Debian's libnss-wrapper)".to_owned());
    }
    fs::write(&done, PACKAGES.join(" ")).map_err(|error| error.to_string())?;
    Ok(bin)
}

/// One of the programs, with nothing of this machine's own settings.
fn program(serving: &Serving, path: PathBuf) -> Command {
    let mut command = Command::new(path);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("AWS_") {
            command.env_remove(name);
        }
    }
    command.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    command.env("AWS_ACCESS_KEY_ID", KEY_ID).env("AWS_SECRET_ACCESS_KEY", SECRET);
    command.env("AWS_REGION", "us-east-1").env("AWS_DEFAULT_REGION", "us-east-1");
    for name in ["AWS_ENDPOINT_URL_RDS", "AWS_ENDPOINT_URL_SECRETS_MANAGER"] {
        command.env(name, serving.facts["env"][name].as_str().unwrap());
    }
    command.env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_PAGER", "");
    command
}

#[track_caller]
fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn the_command_line_lists_fails_over_reboots_and_reads_events() {
    let Some(bin) = require_aws() else { return };
    let Some(serving) = Serving::start(&[]) else { return };
    let run = |args: &[&str]| {
        let url = serving.facts["endpoint_url"].as_str().unwrap();
        let mut command = program(&serving, bin.join("aws"));
        command.args(["--output", "json", "--endpoint-url", url, "rds"]).args(args).output().unwrap()
    };
    let aws = |args: &[&str]| -> Value {
        let text = said(&run(args));
        if text.trim().is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() }
    };
    let cluster = &aws(&["describe-db-clusters"])["DBClusters"][0];
    assert_eq!(cluster["DBClusterIdentifier"], "part-4");
    assert_eq!((&cluster["Engine"], &cluster["Status"]), (&"aurora-postgresql".into(), &"available".into()));
    assert_eq!(cluster["Endpoint"], serving.facts["writer"]);
    assert_eq!(cluster["Port"], serving.facts["port"]);
    let writer_of = |cluster: &Value| {
        let members = cluster["DBClusterMembers"].as_array().unwrap().clone();
        let writer = members.into_iter().find(|member| member["IsClusterWriter"] == true).unwrap();
        writer["DBInstanceIdentifier"].as_str().unwrap().to_owned()
    };
    assert_eq!(writer_of(cluster), "part-4-instance-1");
    let filter = ["describe-db-instances", "--filters", "Name=db-cluster-id,Values=part-4"];
    let instances = &aws(&filter)["DBInstances"];
    assert_eq!(instances.as_array().unwrap().len(), 3);
    assert!(instances[0]["Endpoint"]["Address"].is_string(), "{instances}");

    let identifier = ["--db-cluster-identifier", "part-4"];
    let answer = aws(&[
        "failover-db-cluster",
        identifier[0],
        identifier[1],
        "--target-db-instance-identifier",
        "part-4-instance-2",
    ]);
    assert_eq!(answer["DBCluster"]["Status"], "failing-over");
    until("the writer is another one", || {
        let cluster = &aws(&["describe-db-clusters", identifier[0], identifier[1]])["DBClusters"][0];
        cluster["Status"] == "available" && writer_of(cluster) == "part-4-instance-2"
    });
    let reboot = ["reboot-db-instance", "--db-instance-identifier", "part-4-instance-3"];
    assert_eq!(aws(&reboot)["DBInstance"]["DBInstanceStatus"], "rebooting");
    until("it is back", || serving.instance_status("part-4-instance-3") == "available");
    said(&run(&["wait", "db-instance-available", "--db-instance-identifier", "part-4-instance-3"]));
    let events = &aws(&["describe-events", "--duration", "60"])["Events"];
    let messages: Vec<&str> =
        events.as_array().unwrap().iter().filter_map(|event| event["Message"].as_str()).collect();
    for message in ["Completed failover to DB instance: part-4-instance-2", "DB instance restarted"] {
        assert!(messages.contains(&message), "{messages:?}");
    }
    let arn = cluster["DBClusterArn"].as_str().unwrap().to_owned();
    aws(&["add-tags-to-resource", "--resource-name", &arn, "--tags", "Key=a,Value=b"]);
    let tags = aws(&["list-tags-for-resource", "--resource-name", &arn]);
    assert_eq!(tags["TagList"].as_array().unwrap().len(), 2);
    let unknown = run(&["describe-db-clusters", identifier[0], "part-5"]);
    let why = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(why.contains("(DBClusterNotFoundFault)"), "{why}");
    serving.end();
}

/// Writes down what it sees, one JSON document.
const BOTO3: &str = r#"
import boto3, json, time
rds = boto3.client("rds")
seen = {"statuses": [], "faults": {}}
seen["endpoints"] = [e["EndpointType"] for e in rds.describe_db_cluster_endpoints()["DBClusterEndpoints"]]
try:
    rds.describe_db_instances(DBInstanceIdentifier="nobody")
except rds.exceptions.DBInstanceNotFoundFault as fault:
    seen["faults"]["instance"] = fault.response["Error"]["Code"]
try:
    rds.start_db_cluster(DBClusterIdentifier="part-4")
except rds.exceptions.InvalidDBClusterStateFault as fault:
    seen["faults"]["state"] = fault.response["Error"]["Code"]
rds.failover_db_cluster(DBClusterIdentifier="part-4")
for _ in range(3000):
    cluster = rds.describe_db_clusters(DBClusterIdentifier="part-4")["DBClusters"][0]
    if seen["statuses"][-1:] != [cluster["Status"]]:
        seen["statuses"].append(cluster["Status"])
    if cluster["Status"] == "available":
        break
    time.sleep(0.02)
seen["writer"] = [m["DBInstanceIdentifier"] for m in cluster["DBClusterMembers"] if m["IsClusterWriter"]]
pages = rds.get_paginator("describe_events").paginate(SourceType="db-cluster", PaginationConfig={"PageSize": 20})
seen["events"] = [event["Message"] for page in pages for event in page["Events"]]
seen["created"] = cluster["ClusterCreateTime"].isoformat()
print(json.dumps(seen))
"#;

#[test]
fn boto3_sees_the_states_in_between_and_the_faults_by_their_names() {
    let Some(bin) = require_aws() else { return };
    let Some(serving) = Serving::start(&["--readers", "1", "--slow-states", "500"]) else { return };
    let text = said(&program(&serving, bin.join("python")).args(["-c", BOTO3]).output().unwrap());
    let seen: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(seen["statuses"], serde_json::json!(["failing-over", "available"]));
    assert_eq!(seen["writer"], serde_json::json!(["part-4-instance-2"]));
    assert_eq!(seen["endpoints"], serde_json::json!(["WRITER", "READER"]));
    assert_eq!(seen["faults"]["instance"], "DBInstanceNotFound");
    assert_eq!(seen["faults"]["state"], "InvalidDBClusterStateFault");
    let events = seen["events"].as_array().unwrap();
    assert!(events.contains(&"Completed failover to DB instance: part-4-instance-2".into()), "{events:?}");
    assert!(seen["created"].as_str().unwrap().ends_with("+00:00"));
    serving.end();
}

/// AWS's driver wrapper finds the topology by `aurora_replica_status()`, and the instances by a pattern of their names. It
/// prints what it was connected to, before and after a failover that it was not told of.
const WRAPPER: &str = r#"
import boto3, json, os, psycopg
from aws_advanced_python_wrapper import AwsWrapperConnection
from aws_advanced_python_wrapper.errors import FailoverSuccessError
conninfo = "host=part-4.cluster.lab.test port={PGPORT} dbname=postgres user=postgres password={PGPASSWORD} " \
    "sslmode=verify-full sslrootcert={PGSSLROOTCERT}".format(**os.environ)
connection = AwsWrapperConnection.connect(
    psycopg.Connection.connect, conninfo, wrapper_dialect="aurora-pg", plugins="failover",
    cluster_instance_host_pattern="?.lab.test", cluster_id="part-4", failover_timeout_sec=60, autocommit=True)
ask = "SELECT aurora_db_instance_identifier(), pg_is_in_recovery()"
cursor = connection.cursor()
cursor.execute(ask)
seen = [cursor.fetchone()]
boto3.client("rds").failover_db_cluster(DBClusterIdentifier="part-4")
while True:
    try:
        cursor.execute(ask)
        cursor.fetchone()
    except FailoverSuccessError:
        break
cursor = connection.cursor()
cursor.execute(ask)
seen.append(cursor.fetchone())
connection.close()
print(json.dumps(seen), flush=True)
# The wrapper's monitors may go on for ever, and an ordinary exit would wait for them.
os._exit(0)
"#;

#[test]
fn a_driver_of_aws_follows_a_failover() {
    let Some(bin) = require_aws() else { return };
    let Some(serving) = Serving::start(&["--domain", "lab.test"]) else { return };
    let mut command = program(&serving, bin.join("python"));
    command.args(["-c", WRAPPER]).env("LD_PRELOAD", "libnss_wrapper.so");
    command.env("NSS_WRAPPER_HOSTS", serving.facts["hosts"].as_str().unwrap());
    for name in ["PGPORT", "PGPASSWORD", "PGSSLROOTCERT"] {
        command.env(name, serving.facts["env"][name].as_str().unwrap());
    }
    let seen: Value = serde_json::from_str(said(&command.output().unwrap()).trim()).unwrap();
    assert_eq!(seen, serde_json::json!([["part-4-instance-1", false], ["part-4-instance-2", false]]));
    serving.end();
}

/// Signs in with tokens, at each endpoint, and has a statement cancelled.
const TOKENS: &str = r#"
import boto3, json, os, psycopg, threading, time
rds = boto3.client("rds")
port = int(os.environ["PGPORT"])
def connect(host, user="replab"):
    token = rds.generate_db_auth_token(DBHostname=host, Port=port, DBUsername=user)
    return psycopg.connect(host=host, port=port, user=user, password=token, dbname="postgres",
                           sslmode="verify-full", sslrootcert=os.environ["PGSSLROOTCERT"], autocommit=True)
seen = {"who": []}
for host in os.environ["HOSTS"].split():
    with connect(host) as connection:
        ask = "SELECT aurora_db_instance_identifier(), current_user::text, pg_is_in_recovery()"
        seen["who"].append(connection.execute(ask).fetchone())
connection = connect(os.environ["PGHOST"])
watcher = connect(os.environ["PGHOST"])
def cancel():
    ask = "SELECT wait_event FROM pg_stat_activity WHERE pid = %s"
    while watcher.execute(ask, [connection.info.backend_pid]).fetchone()[0] != "PgSleep":
        time.sleep(0.01)
    connection.cancel()
thread = threading.Thread(target=cancel)
thread.start()
try:
    connection.execute("SELECT pg_sleep(600)")
except psycopg.errors.QueryCanceled:
    seen["cancelled"] = True
thread.join()
try:
    connect(os.environ["PGHOST"], "postgres")
except psycopg.OperationalError as error:
    seen["master"] = str(error)
print(json.dumps(seen))
"#;

#[test]
fn boto3_signs_tokens_that_open_the_endpoints() {
    let Some(bin) = require_aws() else { return };
    let Some(serving) = Serving::start(&["--readers", "1"]) else { return };
    serving.ask("writer", "CREATE USER replab; GRANT rds_iam TO replab").unwrap();
    let mut command = program(&serving, bin.join("python"));
    for name in ["PGHOST", "PGPORT", "PGSSLROOTCERT"] {
        command.env(name, serving.facts["env"][name].as_str().unwrap());
    }
    // The reader shows the user a moment later.
    until("it is there", || {
        serving.value("reader", "SELECT count(*) FROM pg_auth_members WHERE member = to_regrole('replab')")
            == "1"
    });
    let endpoints = ["writer", "reader", "part-4-instance-1", "part-4-instance-2"];
    command.args(["-c", TOKENS]).env("HOSTS", endpoints.map(|name| serving.address(name)).join(" "));
    let seen: Value = serde_json::from_str(said(&command.output().unwrap()).trim()).unwrap();
    let (first, second) = ("part-4-instance-1", "part-4-instance-2");
    assert_eq!(
        seen["who"],
        serde_json::json!([
            [first, "replab", false],
            [second, "replab", true],
            [first, "replab", false],
            [second, "replab", true]
        ])
    );
    assert_eq!(seen["cancelled"], true);
    // A good token, of one who is no member: to the server it is a password, and the wrong one.
    let master = seen["master"].as_str().unwrap();
    assert!(master.contains("password authentication failed for user \"postgres\""), "{master}");
    serving.end();
}

#[test]
fn the_command_line_reads_the_master_users_secret() {
    let Some(bin) = require_aws() else { return };
    let Some(serving) = Serving::start(&["--readers", "0"]) else { return };
    // The first version of it does not heed the variables.
    let url = serving.facts["endpoint_url"].as_str().unwrap();
    let aws = |args: &[&str], envs: &[(&str, &str)]| {
        let mut command = program(&serving, bin.join("aws"));
        command
            .args(["--output", "json", "--endpoint-url", url])
            .args(args)
            .envs(envs.iter().copied())
            .output()
            .unwrap()
    };
    let described: Value = serde_json::from_str(&said(&aws(&["rds", "describe-db-clusters"], &[]))).unwrap();
    let cluster = &described["DBClusters"][0];
    assert_eq!(cluster["IAMDatabaseAuthenticationEnabled"], true);
    let secret = &cluster["MasterUserSecret"];
    assert_eq!(secret["SecretStatus"], "active");
    assert!(secret["KmsKeyId"].as_str().unwrap().starts_with("arn:aws:kms:us-east-1:"), "{secret}");
    let arn = secret["SecretArn"].as_str().unwrap();
    let get = ["secretsmanager", "get-secret-value", "--secret-id"];
    let found: Value = serde_json::from_str(&said(&aws(&[&get[..], &[arn]].concat(), &[]))).unwrap();
    assert_eq!((&found["ARN"], &found["VersionStages"][0]), (&arn.into(), &"AWSCURRENT".into()));
    let value: Value = serde_json::from_str(found["SecretString"].as_str().unwrap()).unwrap();
    let password = &serving.facts["env"]["PGPASSWORD"];
    assert_eq!((&value["username"], &value["password"]), (&"postgres".into(), password));

    let refused = |args: &[&str], envs: &[(&str, &str)], code: &str| {
        let done = aws(args, envs);
        let why = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(!done.status.success() && why.contains(&format!("({code})")), "{code}: {why}");
    };
    let get = |more: &[&'static str]| [&get[..], &[arn], more].concat();
    refused(&["secretsmanager", "list-secrets"], &[], "UnknownOperationException");
    refused(&get(&["--version-stage", "AWSPREVIOUS"]), &[], "ResourceNotFoundException");
    refused(&get(&["--no-sign-request"]), &[], "MissingAuthenticationTokenException");
    refused(&get(&[]), &[("AWS_ACCESS_KEY_ID", "AKIDOTHER")], "UnrecognizedClientException");
    refused(&get(&[]), &[("AWS_SECRET_ACCESS_KEY", "x")], "InvalidSignatureException");
    let other = ["secretsmanager", "get-secret-value", "--secret-id", "rds!cluster-1"];
    refused(&other, &[], "ResourceNotFoundException");
    serving.end();
}
