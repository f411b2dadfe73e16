//! The same calls over the wire, to moto's server: another implementation of the API's protocol than the SDK's.

use std::fs::File;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_rds::config::retry::RetryConfig;
use aws_smithy_http_client::Builder;
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::topology::aurora::account::Account;
use crate::topology::aurora::api::Api;
use crate::topology::aurora::{Patience, Problem, discovery, failover};
use crate::topology::process::{Process, Program, last_lines};

/// What fetching it may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(540);

/// A server of moto's; `None`, and a line that says why, where there is none.
async fn server(folder: &Path) -> Option<(Process, u16)> {
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let (log, root) = (folder.join("moto.log"), Path::new(env!("CARGO_MANIFEST_DIR")));
    let args = ["infra/moto.sh", "-H", "127.0.0.1", "-p", &port.to_string()];
    let program = Program::new("/bin/sh", root, None).args(args);
    let moto = program.supervise(File::create(&log).unwrap()).unwrap();
    let end = tokio::time::Instant::now() + PATIENCE;
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        if let Some(how) = moto.ended() {
            let said = std::fs::read_to_string(&log).unwrap();
            assert!(said.contains("skipped: "), "moto's server ended ({how}): {}", last_lines(&said, 20));
            say(&said);
            return None;
        }
        assert!(tokio::time::Instant::now() < end, "moto's server does not listen");
        sleep(Duration::from_millis(50)).await;
    }
    Some((moto, port))
}

/// A skipped test says so.
fn say(text: &str) {
    drop(writeln!(std::io::stdout(), "{text}"));
}

#[tokio::test]
async fn a_cluster_is_found_and_failed_over_on_the_wire() {
    let folder = tempfile::tempdir().unwrap();
    let Some((moto, port)) = server(folder.path()).await else { return };
    // Ended on every path.
    let _group = moto.into_group();
    let http = Builder::new().build_http();
    let keys = Credentials::new("AKIDEXAMPLE", "secret", None, None, "tests");
    let sdk = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(keys))
        .retry_config(RetryConfig::standard())
        .http_client(http)
        .endpoint_url(format!("http://127.0.0.1:{port}"))
        .build();
    let client = aws_sdk_rds::Client::new(&sdk);
    let made = client.create_db_cluster().db_cluster_identifier("lab").engine("aurora-postgresql");
    made.master_username("postgres").master_user_password("hunter2hunter2").send().await.unwrap();
    for (instance, tier) in [("lab-1", 1), ("lab-2", 2), ("lab-3", 1)] {
        let made = client.create_db_instance().db_instance_identifier(instance).db_cluster_identifier("lab");
        let made = made.engine("aurora-postgresql").db_instance_class("db.r6g.large").promotion_tier(tier);
        made.send().await.unwrap();
    }

    let api = Api::new(&Account { sdk, region: "us-east-1".to_owned(), endpoint_url: None });
    // It is `creating` for whoever asks first.
    discovery::glance(&api, "lab").await.unwrap();
    let found = discovery::look(&api, "lab").await.unwrap();
    found.check(None).unwrap();
    assert_eq!(found.custom_endpoints, None, "moto does not know the call");
    let named: Vec<&str> = found.named().iter().map(|(_, member)| member.instance.as_str()).collect();
    assert_eq!(named, ["lab-1", "lab-3", "lab-2"]);
    assert!(found.check_faults(false).is_err() && found.check_faults(true).is_ok());

    let patience = Patience::default();
    let promoted = failover::promote(&api, "lab", "lab-2", &patience).await.unwrap();
    assert_eq!((promoted.asked.calls, promoted.detours.len()), (1, 0));
    let settled = failover::settle(&api, "lab", &patience).await.unwrap();
    assert_eq!(settled.writer().unwrap().instance, "lab-2");
    let error = failover::promote(&api, "lab", "lab-9", &patience).await.unwrap_err();
    assert!(matches!(error, Problem::Refused { .. }), "{error}");
    let error = discovery::look(&api, "other").await.unwrap_err();
    insta::assert_snapshot!(error, @"there is no cluster `other` in us-east-1");
}
