//! Tokens of IAM's: a password for one host, good for a connection that is made within minutes.

use std::fmt;

use aws_config::{Region, SdkConfig};
use aws_sdk_rds::auth_token::{AuthTokenGenerator, Config};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::account::{Account, chain};
use crate::pg::{Mint, Secret};

/// Signs tokens with the account's credentials.
pub(super) struct Tokens {
    sdk: SdkConfig,
    /// Named with every token: without it the SDK would sign for us-east-1, and the server refuse that for no reason that
    /// it tells.
    region: String,
}

impl Tokens {
    pub(super) fn new(account: &Account) -> Tokens {
        Tokens { sdk: account.sdk.clone(), region: account.region.clone() }
    }

    async fn sign(&self, host: &str, port: u16, user: &str) -> Result<Secret, String> {
        let config = Config::builder()
            .hostname(host)
            .port(u64::from(port))
            .username(user)
            .region(Region::new(self.region.clone()))
            .build()
            .map_err(|error| chain(&*error))?;
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
