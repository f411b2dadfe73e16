//! The sequences of states that a server rarely shows, on a wire of the tests' own below the SDK; time is theirs, too.
//!
//! Not by the SDK's mocks: with them comes a feature of `serde_json` that changes the order of every document, in tests only.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_sdk_rds::config::http::{HttpRequest, HttpResponse};
use aws_sdk_rds::config::retry::RetryConfig;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;

mod moto;

use super::api::Api;
use super::{Asked, Consistency, Patience, Problem, discovery, failover, reboot};
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
    /// So many calls of each kind are throttled first.
    throttled: BTreeMap<&'static str, u32>,
    /// So many failovers and reboots are refused after these, as something else is being done.
    busy: u32,
    /// What [`Script::busy`] becomes with the first that is accepted, and what is to be seen from the next refusal on.
    busy_then: u32,
    meanwhile: Vec<Look>,
    /// So many of the answers to failovers and reboots that are accepted then are lost on the way.
    lost: u32,
    /// A custom endpoint, where the API knows of such.
    custom: Option<&'static str>,
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

    /// The answer to a call: the result's XML; else HTTP's status and the body, or nothing at all.
    fn answer(&mut self, action: &str, target: Option<&str>) -> Result<String, Option<(u16, String)>> {
        if let Some(left) = self.throttled.get_mut(action).filter(|left| **left > 0) {
            *left -= 1;
            return Err(Some(refusal("Throttling", "Rate exceeded")));
        }
        let changes = matches!(action, "FailoverDBCluster" | "RebootDBInstance");
        if changes && self.busy > 0 {
            self.busy -= 1;
            if !self.meanwhile.is_empty() {
                self.looks = std::mem::take(&mut self.meanwhile).into();
            }
            return Err(Some(refusal("InvalidDBClusterStateFault", "it is failing over")));
        }
        let result = self.result(action, target).map_err(Some)?;
        if changes && self.lost > 0 {
            self.lost -= 1;
            return Err(None);
        }
        Ok(result)
    }

    fn result(&mut self, action: &str, target: Option<&str>) -> Result<String, (u16, String)> {
        match action {
            "DescribeDBClusters" => Ok(self.describe()),
            "DescribeDBInstances" => Ok(self.instances()),
            "DescribeDBClusterEndpoints" => match self.custom {
                Some(name) => Ok(format!(
                    "<DBClusterEndpoints><DBClusterEndpointList><DBClusterEndpointIdentifier>{name}                     </DBClusterEndpointIdentifier><Endpoint>{name}.x</Endpoint><CustomEndpointType>READER                     </CustomEndpointType></DBClusterEndpointList></DBClusterEndpoints>"
                )),
                // As moto does with a call that it does not know.
                None => Err((500, "<!doctype html><title>500</title>".to_owned())),
            },
            "ListTagsForResource" => {
                Ok("<TagList><Tag><Key>replab:faults</Key><Value>allowed</Value></Tag></TagList>".to_owned())
            }
            "FailoverDBCluster" => {
                self.failovers.push(target.unwrap().to_owned());
                Ok(self.begin())
            }
            "RebootDBInstance" => {
                self.reboots += 1;
                Ok(self.begin())
            }
            other => panic!("{other}"),
        }
    }

    fn begin(&mut self) -> String {
        if let Some(after) = self.after.pop_front() {
            self.looks = after.into();
        }
        self.busy += std::mem::take(&mut self.busy_then);
        String::new()
    }

    fn describe(&mut self) -> String {
        let (engine, now) = (self.engine.unwrap_or("aurora-postgresql"), self.next());
        let count = now.instances.len();
        let member = |(place, (instance, _)): (usize, &(&str, &str))| {
            format!(
                "<DBClusterMember><DBInstanceIdentifier>{instance}</DBInstanceIdentifier><IsClusterWriter>{}\
                 </IsClusterWriter><PromotionTier>{}</PromotionTier></DBClusterMember>",
                *instance == now.writer,
                count - place
            )
        };
        let members: String = now.instances.iter().enumerate().map(member).collect();
        format!(
            "<DBClusters><DBCluster><DBClusterIdentifier>lab</DBClusterIdentifier><DBClusterArn>arn:aws:rds:us-east-1:1:\
             cluster:lab</DBClusterArn><Engine>{engine}</Engine><EngineVersion>16.4</EngineVersion><Status>{}</Status>\
             <Port>5432</Port><Endpoint>lab.cluster-x</Endpoint><ReaderEndpoint>lab.cluster-ro-x</ReaderEndpoint>\
             <DBClusterMembers>{members}</DBClusterMembers></DBCluster></DBClusters>",
            now.status
        )
    }

    fn instances(&self) -> String {
        let instance = |(instance, status): (&str, &str)| {
            format!(
                "<DBInstance><DBInstanceIdentifier>{instance}</DBInstanceIdentifier><DBInstanceStatus>{status}\
                 </DBInstanceStatus><Endpoint><Address>{instance}.x</Address><Port>5432</Port></Endpoint></DBInstance>"
            )
        };
        let instances: String = self.now.clone().unwrap().instances.into_iter().map(instance).collect();
        format!("<DBInstances>{instances}</DBInstances>")
    }
}

fn refusal(code: &str, message: &str) -> (u16, String) {
    let error = format!("<Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>");
    (400, format!("<ErrorResponse><Error>{error}</Error><RequestId>1</RequestId></ErrorResponse>"))
}

/// The wire: below everything that the SDK does, retries included.
#[derive(Clone, Debug)]
struct Wire(Arc<Mutex<Script>>);

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = String::from_utf8(request.body().bytes().unwrap().to_vec()).unwrap();
        let field = |name: &str| body.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let action = field("Action").unwrap();
        let answer = self.0.lock().unwrap().answer(action, field("TargetDBInstanceIdentifier"));
        let (status, body) = match answer {
            Ok(result) => {
                let result = format!("<{action}Result>{result}</{action}Result>");
                (200, format!("<{action}Response>{result}</{action}Response>"))
            }
            Err(Some(refused)) => refused,
            Err(None) => {
                let broken = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
                return HttpConnectorFuture::ready(Err(ConnectorError::io(broken.into())));
            }
        };
        let response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
        HttpConnectorFuture::ready(Ok(response))
    }
}

fn api(script: &Arc<Mutex<Script>>) -> Api {
    let wire = Wire(Arc::clone(script));
    let config = aws_sdk_rds::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("AKIDEXAMPLE", "secret", None, None, "tests"))
        .retry_config(RetryConfig::standard().with_max_attempts(5))
        .http_client(http_client_fn(move |_, _| SharedHttpConnector::new(wire.clone())));
    Api::of(aws_sdk_rds::Client::from_conf(config.build()))
}

fn script(looks: Vec<Look>) -> Arc<Mutex<Script>> {
    Arc::new(Mutex::new(Script { looks: looks.into(), ..Script::default() }))
}

fn patience() -> Patience {
    Patience::default()
}

/// So many, all of them answered.
fn calls(calls: u32) -> Asked {
    Asked { calls, lost: 0 }
}

async fn promote(script: &Arc<Mutex<Script>>, target: &str) -> Result<failover::Promoted, Problem> {
    failover::promote(&api(script), "lab", target, &patience()).await
}

#[tokio::test(start_paused = true)]
async fn a_cluster_is_described_even_where_the_api_does_not_know_every_call() {
    let script = script(vec![look("available", "lab-1")]);
    let found = discovery::look(&api(&script), "lab").await.unwrap();
    found.check(None).unwrap();
    insta::assert_snapshot!(found.check(Some(Consistency::Global)).unwrap_err(), @"the cluster `lab` does not have local write forwarding enabled: it is not known");
    let enabled = super::Survey { write_forwarding: Some("enabled".to_owned()), ..found.clone() };
    enabled.check(Some(Consistency::Global)).unwrap();
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
        discovery::look(&api(&script), "lab").await.unwrap().check(None).unwrap_err().to_string()
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
    assert_eq!(promoted, failover::Promoted { asked: calls(1), detours: Vec::new() });
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
    assert_eq!(promoted.asked, calls(3));

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
    assert_eq!(promoted, failover::Promoted { asked: calls(2), detours: vec!["lab-3".to_owned()] });
}

#[tokio::test(start_paused = true)]
async fn calls_that_are_throttled_are_made_again_and_not_for_ever() {
    let script = script(vec![look("available", "lab-1")]);
    script.lock().unwrap().throttled = BTreeMap::from([("DescribeDBClusters", 4)]);
    discovery::glance(&api(&script), "lab").await.unwrap();
    script.lock().unwrap().throttled = BTreeMap::from([("DescribeDBClusters", 100)]);
    let error = discovery::glance(&api(&script), "lab").await.unwrap_err();
    insta::assert_snapshot!(error, @"DescribeDBClusters: AWS goes on to refuse it, as there are too many calls (Rate exceeded)");
}

#[tokio::test(start_paused = true)]
async fn custom_endpoints_are_asked_for_again_where_the_call_is_known() {
    let script = script(vec![look("available", "lab-1")]);
    let found = async || discovery::look(&api(&script), "lab").await.map(|found| found.custom_endpoints);
    let throttle = |times| script.lock().unwrap().throttled.insert("DescribeDBClusterEndpoints", times);
    throttle(3);
    assert_eq!(found().await, Ok(None), "no such call behind it");
    script.lock().unwrap().custom = Some("reports");
    throttle(3);
    let endpoints = found().await.unwrap().unwrap();
    assert_eq!(endpoints.iter().map(|one| &*one.host).collect::<Vec<_>>(), ["reports.x"]);
    throttle(100);
    insta::assert_snapshot!(found().await.unwrap_err(), @"DescribeDBClusterEndpoints: AWS goes on to refuse it, as there are too many calls (Rate exceeded)");
}

#[tokio::test(start_paused = true)]
async fn what_changes_something_waits_until_the_api_is_idle() {
    let script = script(vec![look("available", "lab-1")]);
    let both = BTreeMap::from([("FailoverDBCluster", 2), ("RebootDBInstance", 2)]);
    {
        let mut script = script.lock().unwrap();
        script.after = VecDeque::from([vec![look("failing-over", "lab-1"), look("available", "lab-2")]]);
        (script.busy, script.throttled) = (3, both.clone());
    }
    assert_eq!(promote(&script, "lab-2").await.unwrap().asked, calls(1));
    assert_eq!(script.lock().unwrap().failovers, ["lab-2"]);
    (script.lock().unwrap().busy, script.lock().unwrap().throttled) = (3, both);
    let rebooted = reboot::reboot(&api(&script), "lab", "lab-3", &patience(), async || true).await;
    assert_eq!(rebooted, Ok(calls(1)));

    // Somebody else's failover was to the same instance.
    let mut failing_over = VecDeque::from(vec![look("failing-over", "lab-2"); 2]);
    failing_over.push_back(look("available", "lab-3"));
    (script.lock().unwrap().looks, script.lock().unwrap().busy) = (failing_over, 2);
    assert_eq!(promote(&script, "lab-3").await.unwrap().asked, calls(0));

    let begun = tokio::time::Instant::now();
    script.lock().unwrap().busy = u32::MAX;
    let error = promote(&script, "lab-1").await.unwrap_err();
    insta::assert_snapshot!(error, @"FailoverDBCluster: it is failing over (InvalidDBClusterStateFault)");
    assert!(begun.elapsed() >= patience().available);
    script.lock().unwrap().busy = 0;
    script.lock().unwrap().throttled = BTreeMap::from([("FailoverDBCluster", u32::MAX)]);
    assert!(matches!(promote(&script, "lab-1").await, Err(Problem::Throttled { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_second_call_that_is_refused_is_none() {
    let script = script(vec![look("available", "lab-1")]);
    {
        let mut script = script.lock().unwrap();
        script.busy_then = 1;
        script.meanwhile = vec![look("failing-over", "lab-1"), look("available", "lab-2")];
    }
    assert_eq!(promote(&script, "lab-2").await.unwrap().asked, calls(1));
    assert_eq!(script.lock().unwrap().failovers, ["lab-2"]);

    // Nothing comes of it either.
    script.lock().unwrap().busy_then = u32::MAX;
    let begun = tokio::time::Instant::now();
    let error = promote(&script, "lab-1").await.unwrap_err();
    insta::assert_snapshot!(error, @"FailoverDBCluster of `lab-1` was accepted once and not carried out: the cluster is `available`, and lab-2 is the writer still");
    assert!(begun.elapsed() >= patience().available);
    assert_eq!(script.lock().unwrap().failovers, ["lab-2", "lab-1"]);

    // A reboot that is refused the second time is being carried out; its server shows when.
    (script.lock().unwrap().busy, script.lock().unwrap().busy_then) = (0, 1);
    let rebooted = reboot::reboot(&api(&script), "lab", "lab-3", &patience(), async || false).await;
    assert_eq!((rebooted, script.lock().unwrap().reboots), (Ok(calls(1)), 1));
}

#[tokio::test(start_paused = true)]
async fn a_reboot_that_comes_late_is_not_asked_for_again() {
    let script = script(vec![look("available", "lab-1")]);
    let begun = tokio::time::Instant::now();
    // Between the last look and the next call.
    let late = async || begun.elapsed() >= patience().notice;
    let rebooted = reboot::reboot(&api(&script), "lab", "lab-3", &patience(), late).await;
    assert_eq!((rebooted, script.lock().unwrap().reboots), (Ok(calls(1)), 1));
    assert!(begun.elapsed() < 2 * patience().notice);
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_answer_is_lost_is_not_made_again_before_anybody_has_looked() {
    let script = script(vec![look("available", "lab-1")]);
    script.lock().unwrap().after =
        VecDeque::from([vec![look("failing-over", "lab-1"), look("available", "lab-2")]]);
    script.lock().unwrap().lost = 1;
    assert_eq!(promote(&script, "lab-2").await.unwrap().asked, Asked { calls: 1, lost: 1 });
    assert_eq!(script.lock().unwrap().failovers, ["lab-2"], "it was carried out");

    let mut rebooting = look("available", "lab-2");
    rebooting.instances[2].1 = "rebooting";
    script.lock().unwrap().after = VecDeque::from([vec![rebooting, look("available", "lab-2")]]);
    script.lock().unwrap().lost = 1;
    let rebooted = reboot::reboot(&api(&script), "lab", "lab-3", &patience(), async || false).await;
    assert_eq!(rebooted, Ok(Asked { calls: 1, lost: 1 }));
    assert_eq!(script.lock().unwrap().reboots, 1);

    // Lost, and not carried out.
    script.lock().unwrap().lost = 2;
    let error = promote(&script, "lab-1").await.unwrap_err();
    insta::assert_snapshot!(error, @"FailoverDBCluster of `lab-1` was made 3 times (2 of them without an answer) and not carried out: the cluster is `available`, and lab-2 is the writer still");
    assert_eq!(script.lock().unwrap().failovers, ["lab-2", "lab-1", "lab-1", "lab-1"]);
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
    assert_eq!(by_state, Ok(calls(1)));

    // Over before anybody looks.
    let mut asked = 0;
    let anew = async || {
        asked += 1;
        asked > 2
    };
    let by_server = reboot::reboot(&api(&script), "lab", "lab-3", &patience(), anew).await;
    assert_eq!(by_server, Ok(calls(1)));

    script.lock().unwrap().reboots = 0;
    let never = reboot::reboot(&api(&script), "lab", "lab-3", &patience(), async || false).await;
    insta::assert_snapshot!(never.unwrap_err(), @"RebootDBInstance of `lab-3` was accepted 3 times and not carried out: it stays available, and its server is the same");
    assert_eq!(script.lock().unwrap().reboots, 3);
}

#[tokio::test]
async fn tokens_and_credentials_are_printed_nowhere() {
    use crate::pg::Mint as _;

    let keys = Credentials::new("AKIDEXAMPLE", "hunter2", None, None, "tests");
    let sdk = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-central-1"))
        .credentials_provider(keys)
        .load()
        .await;
    let region = "eu-central-1".to_owned();
    let account = super::account::Account { sdk, region, endpoint_url: None };
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
