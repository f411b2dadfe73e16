//! What can be wrong with a cluster of AWS's, and what to type next.

use std::time::Duration;

use super::Asked;
use crate::topology::Category;

/// Why a cluster cannot be used, or did not do what it was told to. No text holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Neither a flag nor AWS's own settings name one; there is no default.
    #[error("no AWS region is set")]
    NoRegion,
    /// Nobody has any.
    #[error("no AWS credentials: {0}")]
    NoCredentials(String),
    /// They were good once.
    #[error("{call}: the AWS credentials have expired ({why})")]
    Expired {
        /// Which call.
        call: &'static str,
        /// In AWS's words.
        why: String,
    },
    /// Nobody answers.
    #[error("{call}: the AWS API cannot be reached: {why}")]
    Unreachable {
        /// Which call.
        call: &'static str,
        /// The last attempt's error.
        why: String,
    },
    /// Too many calls, even after several attempts.
    #[error("{call}: AWS goes on to refuse it, as there are too many calls ({why})")]
    Throttled {
        /// Which call.
        call: &'static str,
        /// In AWS's words.
        why: String,
    },
    /// Whatever else AWS says.
    #[error("{call}: {why} ({code})")]
    Refused {
        /// Which call.
        call: &'static str,
        /// AWS's error code, or the HTTP status.
        code: String,
        /// In AWS's words.
        why: String,
    },
    /// An endpoint that does not know the call at all.
    #[error("{call}: this endpoint does not know the call")]
    Unsupported {
        /// Which call.
        call: &'static str,
    },
    /// No such cluster.
    #[error("there is no cluster `{cluster}` in {region}")]
    NoCluster {
        /// Its identifier.
        cluster: String,
        /// Where it was looked for.
        region: String,
    },
    /// Another engine.
    #[error("the cluster `{cluster}` runs {engine}, and not Aurora PostgreSQL")]
    OtherEngine {
        /// Its identifier.
        cluster: String,
        /// What it runs.
        engine: String,
    },
    /// It is stopped, or something is being done to it.
    #[error("the cluster `{cluster}` is `{status}`, and has to be `available`")]
    ClusterNotAvailable {
        /// Its identifier.
        cluster: String,
        /// AWS's word.
        status: String,
    },
    /// One of its instances is not there.
    #[error("the instance `{instance}` is `{status}`, and has to be `available`")]
    MemberNotAvailable {
        /// Its identifier.
        instance: String,
        /// AWS's word.
        status: String,
    },
    /// Nobody writes.
    #[error("the cluster `{0}` has no writer")]
    NoWriter(String),
    /// An instance without an address.
    #[error("the instance `{0}` has no address yet")]
    NoAddress(String),
    /// Another cluster than the plan was made for.
    #[error("the cluster `{cluster}` has {found} readers, and the plan has {wanted} replicas")]
    OtherReaders {
        /// Its identifier.
        cluster: String,
        /// How many there are.
        found: usize,
        /// How many there should be.
        wanted: usize,
    },
    /// Nobody to fail over to.
    #[error("the cluster `{0}` has no reader that is available, so there is nobody to fail over to")]
    NoReader(String),
    /// It does not say that it may be broken.
    #[error("the cluster `{cluster}` does not carry the tag replab:faults=allowed")]
    NotAllowed {
        /// Its identifier.
        cluster: String,
        /// Its resource name.
        arn: String,
    },
    /// Accepted, as far as anybody knows, and never done.
    #[error("{call} of `{instance}` was {asked} and not carried out: {why}")]
    NotPerformed {
        /// Which call.
        call: &'static str,
        /// To whom.
        instance: String,
        /// How often.
        asked: Asked,
        /// What is there instead.
        why: String,
    },
    /// Begun, and not over.
    #[error("the instance `{instance}` is still `{status}` {} s later", .waited.as_secs())]
    NeverAvailable {
        /// Its identifier.
        instance: String,
        /// AWS's word.
        status: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// Without TLS, what is sent can be read on the way.
    #[error("`{0}` is not a loopback address, and without TLS no other is used")]
    PlainText(String),
    /// A session through an endpoint of the cluster's.
    #[error("the instance `{instance}` cannot be reached at {url}: {why}")]
    Server {
        /// Its identifier.
        instance: String,
        /// Its URL, without the password.
        url: String,
        /// The last attempt's error.
        why: String,
    },
    /// The password that RDS keeps.
    #[error("the master user's secret: {0}")]
    Secret(String),
    /// Tokens need it.
    #[error("the cluster `{0}` does not have IAM authentication enabled")]
    NoIam(String),
    /// Modes of consistency need it.
    #[error("the cluster `{cluster}` does not have local write forwarding enabled: it is {status}")]
    NoForwarding {
        /// Its identifier.
        cluster: String,
        /// `LocalWriteForwardingStatus`.
        status: String,
    },
}

impl Problem {
    /// Who has to act.
    pub(in crate::topology) fn category(&self) -> Category {
        match self {
            Problem::NotPerformed { .. } | Problem::NeverAvailable { .. } => Category::Lab,
            _ => Category::Environment,
        }
    }

    #[cfg(feature = "aurora")]
    /// AWS's error code, where the call was refused.
    pub(super) fn code(&self) -> Option<&str> {
        match self {
            Problem::Refused { code, .. } => Some(code),
            _ => None,
        }
    }

    /// What to type next.
    pub(in crate::topology) fn help(&self) -> Option<String> {
        let help = match self {
            Problem::NoRegion => "name it: --region us-east-1, AWS_REGION, or `region` in ~/.aws/config",
            Problem::NoCredentials(_) => {
                "name a profile (--profile NAME), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY\n\
                 aws sts get-caller-identity shows whom AWS takes you for"
            }
            Problem::Expired { .. } => "get new ones (with SSO: aws sso login), and try again",
            Problem::Unreachable { .. } => {
                "--region or --endpoint-url may be wrong; aws rds describe-db-clusters makes the same call"
            }
            Problem::Throttled { .. } => "wait a minute: others in this account use the same API",
            Problem::Refused { code, .. } if code.starts_with("AccessDenied") => {
                "infra/policy-run.json is the policy that a run needs"
            }
            Problem::Refused { .. } => "aws sts get-caller-identity shows whom AWS takes you for",
            Problem::NoCluster { .. } => {
                "aws rds describe-db-clusters --query 'DBClusters[].DBClusterIdentifier' lists what is there"
            }
            Problem::OtherEngine { .. } => {
                "replab run --writer URL --reader URL takes any PostgreSQL, by its addresses"
            }
            Problem::ClusterNotAvailable { status, .. } if status == "stopped" => {
                "aws rds start-db-cluster --db-cluster-identifier CLUSTER starts it"
            }
            Problem::ClusterNotAvailable { .. } | Problem::MemberNotAvailable { .. } => {
                "wait until it is: aws rds wait db-cluster-available --db-cluster-identifier CLUSTER"
            }
            Problem::NoWriter(_) | Problem::NoAddress(_) => {
                "wait until the cluster has been made, or has ended its failover, and try again"
            }
            Problem::OtherReaders { found, .. } => {
                return Some(format!("plan for them: --replicas {found}, or leave it out"));
            }
            Problem::NoReader(_) => {
                "aws rds create-db-instance --db-cluster-identifier CLUSTER … adds a reader to it"
            }
            Problem::NotAllowed { arn, .. } => {
                return Some(format!(
                    "aws rds add-tags-to-resource --resource-name {arn} --tags Key=replab:faults,Value=allowed\n\
                     or, for this run only: --allow-faults"
                ));
            }
            Problem::NotPerformed { .. } | Problem::NeverAvailable { .. } => {
                "aws rds describe-events --source-type db-instance shows what AWS says of it"
            }
            Problem::PlainText(_) => {
                "leave out --sslmode disable, and name the authorities: --ca-bundle FILE"
            }
            Problem::Server { why, .. } if why.contains("PAM authentication failed") => {
                "its token was refused: the user needs GRANT rds_iam, and whose keys sign it rds-db:connect for that user \
                 (infra/policy-run.json)"
            }
            Problem::Server { .. } => {
                "the cluster's security group has to let this machine in, and --ca-bundle has to name RDS's authorities \
                 (global-bundle.pem)\n--db-user, --database and PGPASSWORD, or --auth, say who connects"
            }
            Problem::Secret(_) => "--auth password takes the password from PGPASSWORD; --auth iam needs none",
            Problem::NoIam(_) => {
                "aws rds modify-db-cluster --enable-iam-database-authentication enables it, or use --auth password"
            }
            Problem::NoForwarding { .. } => {
                "aws rds modify-db-cluster --enable-local-write-forwarding enables it, or leave out --consistency-mode"
            }
            Problem::Unsupported { .. } => return None,
        };
        Some(help.to_owned())
    }
}
