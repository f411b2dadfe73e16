//! The sequences of states that a server rarely shows, over the SDK's own layer of mocks; time is the tests'.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_rds::Client;
use aws_sdk_rds::config::http::HttpResponse;
use aws_sdk_rds::config::retry::RetryConfig;
use aws_sdk_rds::operation::describe_db_clusters::DescribeDbClustersOutput;
use aws_sdk_rds::operation::describe_db_instances::DescribeDbInstancesOutput;
use aws_sdk_rds::operation::failover_db_cluster::FailoverDbClusterOutput;
use aws_sdk_rds::operation::list_tags_for_resource::ListTagsForResourceOutput;
use aws_sdk_rds::operation::reboot_db_instance::RebootDbInstanceOutput;
use aws_sdk_rds::types::{DbCluster, DbClusterMember, DbInstance, Endpoint, Tag};
use aws_smithy_mocks::{MockResponse, RuleMode, mock, mock_client};

use super::api::Api;
use super::{Patience, Problem, discovery, failover, reboot};
use crate::topology::TopologyError;

/// A cluster at one moment: its state, its writer, and its instances with their states, each of the tier that its place
/// says, the first of the highest.
#[derive(Clone, Debug)]
struct Look {
    status: &'static str,
    writer: &'static str,
    instances: Vec<(&'static str, &'static str)>,
}

const THREE: [&str; 3] = ["lab-1", "lab-2", "lab-3"];

fn look(status: &'static str, writer: &'static str) -> Look {
    Look { status, writer, instances: THREE.map(|instance| (instance, "available")).to_vec() }
}

/// What the API answers: one look after the other, the last for ever; and what it was told.
#[derive(Debug, Default)]
struct Script {
    looks: VecDeque<Look>,
    engine: Option<&'static str>,
    now: Option<Look>,
    failovers: Vec<String>,
    reboots: u32,
    /// So many calls are throttled first.
    throttled: u32,
    /// What comes after each failover that was asked for, the last for ever.
    after: VecDeque<Vec<Look>>,
}

impl Script {
    fn next(&mut self) -> Look {
        let next = match self.looks.len() {
            1 => self.looks.front().cloned(),
            _ => self.looks.pop_front(),
        };
        let next = next.unwrap();
        self.now = Some(next.clone());
        next
    }

    fn describe(&mut self) -> DescribeDbClustersOutput {
        let (engine, now) = (self.engine.unwrap_or("aurora-postgresql"), self.next());
        let count = now.instances.len() as i32;
        let members = (0..count).zip(&now.instances).map(|(place, (instance, _))| {
            DbClusterMember::builder()
                .db_instance_identifier(*instance)
                .is_cluster_writer(*instance == now.writer)
                .promotion_tier(count - place)
                .build()
        });
        let cluster = DbCluster::builder()
            .db_cluster_identifier("lab")
            .db_cluster_arn("arn:aws:rds:us-east-1:123456789012:cluster:lab")
            .engine(engine)
            .engine_version("16.4")
            .status(now.status)
            .port(5432)
            .endpoint("lab.cluster-x.us-east-1.rds.amazonaws.com")
            .reader_endpoint("lab.cluster-ro-x.us-east-1.rds.amazonaws.com")
            .set_db_cluster_members(Some(members.collect()));
        DescribeDbClustersOutput::builder().db_clusters(cluster.build()).build()
    }

    fn instances(&self) -> DescribeDbInstancesOutput {
        let now = self.now.clone().unwrap();
        let instance = |(instance, status): (&str, &str)| {
            let endpoint = Endpoint::builder().address(format!("{instance}.x")).port(5432).build();
            DbInstance::builder()
                .db_instance_identifier(instance)
                .db_instance_status(status)
                .endpoint(endpoint)
                .build()
        };
        let instances = now.instances.into_iter().map(instance).collect();
        DescribeDbInstancesOutput::builder().set_db_instances(Some(instances)).build()
    }
}

/// The answer of an endpoint that is throttled, in the API's own form.
fn throttling() -> HttpResponse {
    let body = "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message>\
                </Error><RequestId>1</RequestId></ErrorResponse>";
    HttpResponse::new(400.try_into().unwrap(), body.into())
}

/// What moto answers to a call that it does not know.
fn html() -> HttpResponse {
    HttpResponse::new(500.try_into().unwrap(), "<!doctype html><title>500</title>".into())
}

fn api(script: &Arc<Mutex<Script>>) -> Api {
    let with = || Arc::clone(script);
    let clusters = mock!(Client::describe_db_clusters).then_compute_response({
        let script = with();
        move |_| {
            let mut script = script.lock().unwrap();
            if script.throttled > 0 {
                script.throttled -= 1;
                return MockResponse::Http(throttling());
            }
            MockResponse::Output(script.describe())
        }
    });
    let instances = mock!(Client::describe_db_instances).then_compute_output({
        let script = with();
        move |_| script.lock().unwrap().instances()
    });
    let endpoints = mock!(Client::describe_db_cluster_endpoints).then_http_response(html);
    let tags = mock!(Client::list_tags_for_resource).then_output(|| {
        let tag = Tag::builder().key("replab:faults").value("allowed").build();
        ListTagsForResourceOutput::builder().tag_list(tag).build()
    });
    let failover = mock!(Client::failover_db_cluster).then_compute_output({
        let script = with();
        move |call| {
            let mut script = script.lock().unwrap();
            script.failovers.push(call.target_db_instance_identifier().unwrap().to_owned());
            if let Some(after) = script.after.pop_front() {
                script.looks = after.into();
            }
            FailoverDbClusterOutput::builder().build()
        }
    });
    let reboot = mock!(Client::reboot_db_instance).then_compute_output({
        let script = with();
        move |_| {
            let mut script = script.lock().unwrap();
            script.reboots += 1;
            if let Some(after) = script.after.pop_front() {
                script.looks = after.into();
            }
            RebootDbInstanceOutput::builder().build()
        }
    });
    let rules = [&clusters, &instances, &endpoints, &tags, &failover, &reboot];
    Api::of(mock_client!(aws_sdk_rds, RuleMode::MatchAny, rules, |config| {
        config.retry_config(RetryConfig::standard().with_max_attempts(5))
    }))
}

fn script(looks: Vec<Look>) -> Arc<Mutex<Script>> {
    Arc::new(Mutex::new(Script { looks: looks.into(), ..Script::default() }))
}

fn patience() -> Patience {
    Patience::default()
}

async fn promote(script: &Arc<Mutex<Script>>, target: &str) -> Result<failover::Promoted, Problem> {
    failover::promote(&api(script), "lab", target, &patience()).await
}

#[tokio::test(start_paused = true)]
async fn a_cluster_is_described_even_where_the_api_does_not_know_every_call() {
    let script = script(vec![look("available", "lab-1")]);
    let found = discovery::look(&api(&script), "lab").await.unwrap();
    found.check().unwrap();
    found.check_faults(false).unwrap();
    assert_eq!(found.custom_endpoints, None, "moto answers HTML");
    let named: Vec<String> =
        found.named().iter().map(|(node, member)| format!("{node} {}", member.instance)).collect();
    // The lowest tier is promoted first.
    assert_eq!(named, ["primary lab-1", "replica-1 lab-3", "replica-2 lab-2"]);
    assert_eq!(found.writer().unwrap().address, Some(("lab-1.x".to_owned(), 5432)));
    let refusal = super::Survey { tags: Default::default(), ..found }.check_faults(false).unwrap_err();
    assert!(refusal.help().unwrap().contains("--allow-faults"), "{refusal}");
}

#[tokio::test(start_paused = true)]
async fn what_a_run_cannot_use_is_refused() {
    let refused = async |change: fn(&mut Script)| {
        let script = script(vec![look("available", "lab-1")]);
        change(&mut script.lock().unwrap());
        discovery::look(&api(&script), "lab").await.unwrap().check().unwrap_err().to_string()
    };
    insta::assert_snapshot!(refused(|script| script.engine = Some("aurora-mysql")).await, @"the cluster `lab` runs aurora-mysql, and not Aurora PostgreSQL");
    insta::assert_snapshot!(refused(|script| script.looks = vec![look("stopped", "lab-1")].into()).await, @"the cluster `lab` is `stopped`, and has to be `available`");
    insta::assert_snapshot!(refused(|script| script.looks = vec![look("available", "nobody")].into()).await, @"the cluster `lab` has no writer");
    insta::assert_snapshot!(refused(|script| script.looks[0].instances[1].1 = "backing-up").await, @"the instance `lab-2` is `backing-up`, and has to be `available`");
}

#[tokio::test(start_paused = true)]
async fn a_failover_is_over_when_the_members_role_has_changed() {
    let script = script(vec![look("available", "lab-1")]);
    script.lock().unwrap().after = VecDeque::from([vec![
        look("available", "lab-1"),
        look("failing-over", "lab-1"),
        look("failing-over", "lab-1"),
        look("failing-over", "lab-2"),
    ]]);
    let promoted = promote(&script, "lab-2").await.unwrap();
    assert_eq!(promoted, failover::Promoted { calls: 1, detours: Vec::new() });
    assert_eq!(script.lock().unwrap().failovers, ["lab-2"]);
}

#[tokio::test(start_paused = true)]
async fn a_failover_that_was_accepted_and_dropped_is_asked_for_again() {
    let script = script(vec![look("available", "lab-1")]);
    let dropped = vec![look("available", "lab-1")];
    script.lock().unwrap().after = VecDeque::from([
        dropped.clone(),
        dropped.clone(),
        vec![look("failing-over", "lab-1"), look("available", "lab-2")],
    ]);
    let promoted = promote(&script, "lab-2").await.unwrap();
    assert_eq!(promoted.calls, 3);

    script.lock().unwrap().looks = dropped.into();
    let begun = tokio::time::Instant::now();
    let error = promote(&script, "lab-2").await.unwrap_err();
    insta::assert_snapshot!(error, @"FailoverDBCluster of `lab-2` was accepted 3 times and not carried out: the cluster is `available`, and lab-1 is the writer still");
    assert!(begun.elapsed() >= 3 * patience().notice && begun.elapsed() < patience().change);
    assert_eq!(TopologyError::from(error).category(), crate::topology::Category::Lab);
}

#[tokio::test(start_paused = true)]
async fn another_member_than_the_one_that_was_named_may_be_promoted_first() {
    let script = script(vec![look("available", "lab-1")]);
    script.lock().unwrap().after = VecDeque::from([
        vec![look("failing-over", "lab-1"), look("available", "lab-3")],
        vec![look("failing-over", "lab-3"), look("available", "lab-2")],
    ]);
    let promoted = promote(&script, "lab-2").await.unwrap();
    assert_eq!(promoted, failover::Promoted { calls: 2, detours: vec!["lab-3".to_owned()] });
}

#[tokio::test(start_paused = true)]
async fn calls_that_are_throttled_are_made_again_and_not_for_ever() {
    let script = script(vec![look("available", "lab-1")]);
    script.lock().unwrap().throttled = 4;
    discovery::glance(&api(&script), "lab").await.unwrap();
    script.lock().unwrap().throttled = 100;
    let error = discovery::glance(&api(&script), "lab").await.unwrap_err();
    insta::assert_snapshot!(error, @"DescribeDBClusters: AWS goes on to refuse it, as there are too many calls (Rate exceeded)");
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_never_becomes_available_is_told_by_name() {
    let script = script(vec![look("available", "lab-2")]);
    script.lock().unwrap().looks[0].instances[0].1 = "rebooting";
    let error = failover::settle(&api(&script), "lab", &patience()).await.unwrap_err();
    let Problem::NeverAvailable { instance, status, waited } = &error else { panic!("{error}") };
    assert_eq!((instance.as_str(), status.as_str()), ("lab-1", "rebooting"));
    assert!(*waited >= patience().available && *waited < patience().available + Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn a_reboot_is_seen_by_the_state_or_by_the_server() {
    let script = script(vec![look("available", "lab-1")]);
    let mut rebooting = look("available", "lab-1");
    rebooting.instances[2].1 = "rebooting";
    script.lock().unwrap().after = VecDeque::from([vec![rebooting, look("available", "lab-1")]]);
    let by_state = reboot::reboot(&api(&script), "lab", "lab-3", &patience(), async || false).await;
    assert_eq!(by_state, Ok(reboot::Rebooted { calls: 1 }));

    // Over before anybody looks.
    let mut asked = 0;
    let anew = async || {
        asked += 1;
        asked > 2
    };
    let by_server = reboot::reboot(&api(&script), "lab", "lab-3", &patience(), anew).await;
    assert_eq!(by_server, Ok(reboot::Rebooted { calls: 1 }));

    script.lock().unwrap().reboots = 0;
    let never = reboot::reboot(&api(&script), "lab", "lab-3", &patience(), async || false).await;
    insta::assert_snapshot!(never.unwrap_err(), @"RebootDBInstance of `lab-3` was accepted 3 times and not carried out: it stays available, and its server is the same");
    assert_eq!(script.lock().unwrap().reboots, 3);
}

#[tokio::test]
async fn tokens_and_credentials_are_printed_nowhere() {
    use aws_config::{Region, SdkConfig};
    use aws_credential_types::Credentials;
    use aws_credential_types::provider::SharedCredentialsProvider;
    use crate::pg::Mint as _;

    let keys = Credentials::new("AKIDEXAMPLE", "hunter2", None, None, "tests");
    let sdk = SdkConfig::builder()
        .region(Region::new("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(keys))
        .build();
    let account = super::account::Account { sdk, region: "eu-central-1".to_owned() };
    let tokens = super::token::Tokens::new(&account);
    let token = tokens.mint("lab-1.x", 5432, "replab").await.unwrap();
    let text = token.expose();
    assert!(text.starts_with("lab-1.x:5432/?Action=connect&DBUser=replab&"), "{text}");
    assert!(text.contains("%2Feu-central-1%2Frds-db%2F"), "the region is the cluster's: {text}");
    let other = tokens.mint("lab-2.x", 5432, "replab").await.unwrap();
    assert_ne!(text, other.expose(), "one for each host");
    let printed = format!("{tokens:?} {token:?} {account:?}");
    assert!(!printed.contains("hunter2") && !printed.contains("X-Amz-Signature"), "{printed}");
}
