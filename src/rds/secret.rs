//! The master user's password, as Secrets Manager keeps it where RDS manages it (Aurora user guide, "Password management with
//! Amazon Aurora and AWS Secrets Manager"; Secrets Manager API reference, "GetSecretValue").

use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::MASTER;
use super::fleet::{ACCOUNT, Fleet};
use super::identifier;
use super::refusal::Refusal;
use crate::pg::Secret;

/// The label of the version that is good now; there is no other one.
const CURRENT: &str = "AWSCURRENT";

/// The password, and what tells it from others.
#[derive(Clone, Debug)]
pub(super) struct MasterSecret {
    /// What its names are made from.
    pub(super) id: String,
    /// Its one version.
    pub(super) version: String,
    /// What it is said to be encrypted with.
    pub(super) key: String,
    pub(super) password: Secret,
}

/// What can be asked for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Asked {
    secret_id: String,
    version_id: Option<String>,
    version_stage: Option<String>,
}

impl MasterSecret {
    pub(super) fn new(password: Secret) -> Result<MasterSecret, Refusal> {
        let (id, version, key) = (identifier::unique()?, identifier::unique()?, identifier::unique()?);
        Ok(MasterSecret { id, version, key, password })
    }
}

impl Fleet {
    fn secret_name(&self) -> String {
        format!("rds!cluster-{}", self.secret.id)
    }

    /// The resource name of the secret without the six letters that Secrets Manager ends it with.
    fn short_secret_arn(&self) -> String {
        format!("arn:aws:secretsmanager:{}:{ACCOUNT}:secret:{}", self.region, self.secret_name())
    }

    /// The resource name of the secret.
    pub(super) fn secret_arn(&self) -> String {
        let letters = self.secret.id.get(..6).unwrap_or_default();
        format!("{}-{letters}", self.short_secret_arn())
    }

    /// The resource name of its key.
    pub(super) fn secret_key_arn(&self) -> String {
        format!("arn:aws:kms:{}:{ACCOUNT}:key/{}", self.region, self.secret.key)
    }

    /// `GetSecretValue`.
    pub(super) fn secret_value(&self, request: &[u8]) -> Result<Value, Refusal> {
        let asked: Asked = serde_json::from_slice(request).map_err(|error| {
            Refusal::new(400, "InvalidRequestException", format!("The request is not valid: {error}"))
        })?;
        let nothing = |of: &str| {
            let message = format!("Secrets Manager can't find the specified secret{of}.");
            Refusal::new(400, "ResourceNotFoundException", message)
        };
        let names = [self.secret_name(), self.short_secret_arn(), self.secret_arn()];
        if !names.contains(&asked.secret_id) {
            return Err(nothing(""));
        }
        if asked.version_id.is_some_and(|version| version != self.secret.version) {
            return Err(nothing(" value for that VersionId"));
        }
        if asked.version_stage.is_some_and(|stage| stage != CURRENT) {
            return Err(nothing(" value for that staging label"));
        }
        let value = json!({ "username": MASTER, "password": self.secret.password.expose() });
        Ok(json!({
            "ARN": self.secret_arn(),
            "Name": self.secret_name(),
            "VersionId": self.secret.version,
            "VersionStages": [CURRENT],
            "CreatedDate": self.created.timestamp(),
            "SecretString": value.to_string(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::fleet::tests::fleet;
    use super::*;

    fn refused(request: &str) -> &'static str {
        fleet(&[]).secret_value(request.as_bytes()).unwrap_err().code
    }

    #[test]
    fn it_is_known_by_its_names() {
        let fleet = fleet(&[]);
        let arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:\
                   rds!cluster-11112222-3333-4444-5555-666677778888-111122";
        assert_eq!(fleet.secret_arn(), arn);
        for name in [arn, &arn[..arn.len() - 7], "rds!cluster-11112222-3333-4444-5555-666677778888"] {
            let request = json!({ "SecretId": name, "VersionStage": CURRENT });
            let answer = fleet.secret_value(request.to_string().as_bytes()).unwrap();
            assert_eq!((&answer["ARN"], &answer["VersionId"]), (&arn.into(), &"1111".into()));
            let value: Value = serde_json::from_str(answer["SecretString"].as_str().unwrap()).unwrap();
            assert_eq!(value, json!({ "username": "postgres", "password": "hunter2" }));
        }
        assert!(!format!("{:?}", fleet.secret).contains("hunter2"));
    }

    #[test]
    fn nothing_else_is_there() {
        let name = "rds!cluster-11112222-3333-4444-5555-666677778888";
        for other in [
            json!({ "SecretId": "rds!cluster-1" }),
            json!({ "SecretId": "" }),
            json!({ "SecretId": name, "VersionId": "1112" }),
            json!({ "SecretId": name, "VersionStage": "AWSPREVIOUS" }),
        ] {
            assert_eq!(refused(&other.to_string()), "ResourceNotFoundException", "{other}");
        }
        for wrong in ["", "{}", "[1]", "{\"SecretId\": 1}"] {
            assert_eq!(refused(wrong), "InvalidRequestException", "{wrong}");
        }
    }
}
