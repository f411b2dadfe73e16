//! `sslmode` and `sslrootcert`: which of their combinations say something, and what.

use std::path::Path;

use super::ConninfoError;
use crate::pg::{Roots, Tls, Verify};

/// What a connection string says about TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Encryption {
    /// Nothing.
    #[default]
    Unsaid,
    /// `disable`, `allow` or `prefer`.
    Off,
    /// The others.
    On(Tls),
}

impl Encryption {
    /// Reads both values; `is_written` says that `roots` stands in the connection string and not in the environment.
    pub(super) fn parse(
        mode: Option<&str>,
        roots: Option<&str>,
        is_written: bool,
    ) -> Result<Encryption, ConninfoError> {
        let roots = roots.map(roots_of);
        match (mode, roots) {
            // As with libpq of PostgreSQL 16: whoever asks for these roots asks for all that they are good for.
            (None, Some(roots @ Roots::System)) => Ok(on(Verify::ChainAndName, roots)),
            (None | Some("disable" | "allow" | "prefer"), Some(_)) if is_written => {
                Err(ConninfoError::UnusedRoots)
            }
            (None, _) => Ok(Encryption::Unsaid),
            (Some("disable" | "allow" | "prefer"), _) => Ok(Encryption::Off),
            (Some("require" | "verify-ca"), Some(Roots::System)) => Err(ConninfoError::SystemRoots),
            (Some("require" | "verify-ca"), Some(roots)) => Ok(on(Verify::Chain, roots)),
            (Some("require"), None) => Err(ConninfoError::Unverified("require")),
            (Some("verify-ca"), None) => Err(ConninfoError::Unverified("verify-ca")),
            (Some("verify-full"), roots) => Ok(on(Verify::ChainAndName, roots.unwrap_or(Roots::System))),
            (Some(_), _) => Err(ConninfoError::Value {
                key: "sslmode",
                expected: "`disable`, `allow`, `prefer`, `require`, `verify-ca` or `verify-full`",
            }),
        }
    }

    /// The parameters that say it again: the modes that mean the same here become one.
    pub(super) fn parameters(&self) -> Vec<(&'static str, String)> {
        match self {
            Encryption::Unsaid => Vec::new(),
            Encryption::Off => vec![("sslmode", "disable".to_owned())],
            Encryption::On(tls) => {
                vec![("sslmode", tls.verify().to_string()), ("sslrootcert", tls.roots().to_string())]
            }
        }
    }
}

fn on(verify: Verify, roots: Roots) -> Encryption {
    Encryption::On(Tls::new(verify, roots))
}

/// A file counts from this folder, whatever folder a child or a later run works in.
fn roots_of(text: &str) -> Roots {
    match text {
        "system" => Roots::System,
        path => Roots::File(std::path::absolute(path).unwrap_or_else(|_| Path::new(path).to_path_buf())),
    }
}
