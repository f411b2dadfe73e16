//! The master user's password, where RDS keeps it in Secrets Manager.

use std::collections::BTreeMap;

use aws_sdk_secretsmanager::error::{ProvideErrorMetadata as _, SdkError};

use super::Problem;
use super::account::{Account, chain};
use crate::pg::Secret;

/// User and password of the secret `arn`.
///
/// # Errors
/// [`Problem::Secret`], without a word of what the secret holds.
pub(super) async fn fetch(account: &Account, arn: &str) -> Result<(String, Secret), Problem> {
    let client = aws_sdk_secretsmanager::Client::new(&account.sdk);
    let answer = client.get_secret_value().secret_id(arn).send().await.map_err(|error| {
        let why = match &error {
            SdkError::ServiceError(said) => {
                let (code, message) = (said.err().code(), said.err().message());
                format!("{} ({})", message.unwrap_or("refused"), code.unwrap_or("no code"))
            }
            other => chain(other),
        };
        Problem::Secret(format!("GetSecretValue: {why}"))
    })?;
    let text = answer.secret_string().unwrap_or_default();
    let fields: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(text).map_err(|_| Problem::Secret("it is not JSON".to_owned()))?;
    let field = |name: &str| {
        let value = fields.get(name).and_then(serde_json::Value::as_str);
        value.ok_or_else(|| Problem::Secret(format!("it has no `{name}`")))
    };
    Ok((field("username")?.to_owned(), Secret::new(field("password")?)))
}
