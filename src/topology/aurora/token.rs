//! Tokens of IAM's: a password for one host, good for a connection that is made within minutes.

use std::fmt;
use std::time::{Duration, SystemTime};

use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{
    ProvideCredentials, Result as Provided, SharedCredentialsProvider, future,
};
use aws_sdk_rds::auth_token::{AuthTokenGenerator, Config};
use chrono::Utc;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::Mutex;

use super::account::{Account, chain};
use crate::pg::{Mint, Secret};

/// Credentials are asked for anew so long before they expire; a token is taken within moments of its signing.
const MARGIN: Duration = Duration::from_secs(60);

/// Signs tokens with the account's credentials.
pub(super) struct Tokens {
    sdk: SdkConfig,
    /// `None` where the account has none, which the SDK then says.
    credentials: Option<SharedCredentialsProvider>,
    /// Named with every token: without it the SDK would sign for us-east-1, and the server refuse that for no reason that
    /// it tells.
    region: String,
}

impl Tokens {
    pub(super) fn new(account: &Account) -> Tokens {
        let credentials =
            account.sdk.credentials_provider().map(Kept::new).map(SharedCredentialsProvider::new);
        Tokens { sdk: account.sdk.clone(), credentials, region: account.region.clone() }
    }

    async fn sign(&self, host: &str, port: u16, user: &str) -> Result<Secret, String> {
        let mut config = Config::builder()
            .hostname(host)
            .port(u64::from(port))
            .username(user)
            .region(Region::new(self.region.clone()));
        if let Some(credentials) = &self.credentials {
            config = config.credentials(credentials.clone());
        }
        let config = config.build().map_err(|error| chain(&*error))?;
        let token = AuthTokenGenerator::new(config).auth_token(&self.sdk).await;
        // Its own text is the secret.
        let token = token.map_err(|error| format!("sign a token of IAM's: {}", chain(&*error)))?;
        Ok(Secret::new(token.as_str()))
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tokens({})", self.region)
    }
}

impl Mint for Tokens {
    fn mint<'a>(&'a self, host: &'a str, port: u16, user: &'a str) -> BoxFuture<'a, Result<Secret, String>> {
        self.sign(host, port, user).boxed()
    }
}

/// Credentials that are kept until shortly before they expire: asked for anew with each connection, they would cost a
/// call of STS, of SSO or of the machine's own service each time.
#[derive(Debug)]
struct Kept {
    provider: SharedCredentialsProvider,
    last: Mutex<Option<Credentials>>,
}

impl Kept {
    fn new(provider: SharedCredentialsProvider) -> Kept {
        Kept { provider, last: Mutex::default() }
    }

    /// Whoever comes while they are asked for waits for the same answer. Where there is none, those that are kept are used up
    /// to their end.
    async fn get(&self) -> Provided {
        let mut last = self.last.lock().await;
        let now = SystemTime::from(Utc::now());
        let good_until = |until: SystemTime| {
            let is_good = move |kept: &&Credentials| kept.expiry().is_none_or(|expiry| expiry > until);
            last.as_ref().filter(is_good).cloned()
        };
        if let Some(kept) = good_until(now + MARGIN) {
            return Ok(kept);
        }
        match self.provider.provide_credentials().await {
            Ok(found) => Ok(last.insert(found).clone()),
            Err(error) => good_until(SystemTime::from(Utc::now())).ok_or(error),
        }
    }
}

impl ProvideCredentials for Kept {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.get())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use aws_config::BehaviorVersion;
    use aws_credential_types::provider::error::CredentialsError;

    use super::*;

    /// Counts how often it is asked.
    #[derive(Debug)]
    struct Counting {
        asked: Arc<AtomicU32>,
        /// How long what it gives is good for; `None`: for ever.
        good: Option<Duration>,
        /// How often it answers before it has none any more.
        answers: u32,
    }

    impl ProvideCredentials for Counting {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            if self.asked.fetch_add(1, Ordering::Relaxed) >= self.answers {
                let out = CredentialsError::provider_error("out of order");
                return future::ProvideCredentials::ready(Err(out));
            }
            let expiry = self.good.map(|good| SystemTime::from(Utc::now()) + good);
            future::ProvideCredentials::ready(Ok(Credentials::new("AKID", "hunter2", None, expiry, "tests")))
        }
    }

    /// Tokens, and how often the provider behind them was asked.
    async fn tokens(good: Option<Duration>, answers: u32) -> (Tokens, Arc<AtomicU32>) {
        let asked = Arc::new(AtomicU32::new(0));
        let provider = Counting { asked: Arc::clone(&asked), good, answers };
        let provider = SharedCredentialsProvider::new(provider);
        let loader = aws_config::defaults(BehaviorVersion::v2026_01_12());
        let sdk = loader.region(Region::new("us-east-1")).credentials_provider(provider).load().await;
        let account = Account { sdk, region: "us-east-1".to_owned(), endpoint_url: None };
        (Tokens::new(&account), asked)
    }

    #[tokio::test]
    async fn credentials_are_used_up_where_there_are_no_others() {
        let (near, asked) = tokens(Some(MARGIN / 2), 1).await;
        for _ in 0..3 {
            near.mint("lab-1.x", 5432, "replab").await.unwrap();
        }
        assert_eq!(asked.load(Ordering::Relaxed), 3, "others are asked for each time");
        let (over, _) = tokens(Some(Duration::ZERO), 1).await;
        over.mint("lab-1.x", 5432, "replab").await.unwrap();
        let error = over.mint("lab-1.x", 5432, "replab").await.unwrap_err();
        assert!(error.contains("out of order"), "{error}");
    }

    #[tokio::test]
    async fn credentials_are_asked_for_once_until_shortly_before_they_expire() {
        for (good, times) in [
            (None, 1),
            (Some(Duration::from_secs(3_600)), 1),
            (Some(MARGIN / 2), 3),
            (Some(Duration::ZERO), 3),
        ] {
            let (tokens, asked) = tokens(good, u32::MAX).await;
            for port in [5432, 5433, 5434] {
                tokens.mint("lab-1.x", port, "replab").await.unwrap();
            }
            assert_eq!(asked.load(Ordering::Relaxed), times, "{good:?}");
            assert!(!format!("{tokens:?}").contains("hunter2"));
        }
    }
}
