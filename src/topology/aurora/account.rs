//! Who asks AWS, and where: region and credentials by AWS's own rules, flags before them.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::ProvideCredentials as _;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

use super::{Access, Problem};

/// A call that is throttled, or meets an error of the server's, is made again so often in all.
const ATTEMPTS: u32 = 5;
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
const ATTEMPT_LIMIT: Duration = Duration::from_secs(20);

/// What AWS's SDK needs to make calls, and has found.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) sdk: SdkConfig,
    pub(super) region: String,
    /// Of the RDS API and of nothing else; `None`: where AWS's own settings say.
    pub(super) endpoint_url: Option<String>,
}

impl Account {
    /// Finds region and credentials: flags, then the environment, the configuration files with their profiles (SSO and
    /// roles included), and the machine's own role. Whether AWS takes the credentials shows with the first call.
    ///
    /// # Errors
    /// [`Problem::NoRegion`]; [`Problem::NoCredentials`].
    pub(super) async fn find(access: &Access) -> Result<Account, Problem> {
        let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_LIMIT)
            .operation_attempt_timeout(ATTEMPT_LIMIT)
            .build();
        // A behaviour of the SDK's by its number: what changes with a later one is looked at before.
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .http_client(http)
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .timeout_config(timeouts);
        if let Some(region) = &access.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(profile) = &access.profile {
            loader = loader.profile_name(profile);
        }
        let sdk = loader.load().await;
        let region = sdk.region().ok_or(Problem::NoRegion)?.to_string();
        let provider = sdk.credentials_provider();
        let provider = provider.ok_or_else(|| Problem::NoCredentials("no provider of any".to_owned()))?;
        let found = provider.provide_credentials().await;
        found.map_err(|error| Problem::NoCredentials(chain(&error)))?;
        Ok(Account { sdk, region, endpoint_url: access.endpoint_url.clone() })
    }
}

/// An error with its causes, in one line. Never the SDK's own dump, which shows headers.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
