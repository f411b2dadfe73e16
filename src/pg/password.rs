//! What a client proves itself with: nothing, a fixed password, or one that is made for each connection.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::Secret;

/// Makes passwords that are good for one connection, such as the tokens of IAM database authentication.
pub trait Mint: fmt::Debug + Send + Sync {
    /// The password of `user` for a server as it is named in the connection string, `host` and `port`.
    ///
    /// # Errors
    /// Why there is none, in one line, without anything secret.
    fn mint<'a>(&'a self, host: &'a str, port: u16, user: &'a str) -> BoxFuture<'a, Result<Secret, String>>;
}

/// Where a session's password comes from.
#[derive(Clone, Default)]
pub enum Password {
    /// There is none.
    #[default]
    None,
    /// The same for every connection.
    Fixed(Secret),
    /// Asked for anew by every attempt to connect.
    Minted(Arc<dyn Mint>),
}

impl fmt::Debug for Password {
    /// Nothing of what a mint says of itself, which may hold more than it should.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Password::None => "None",
            Password::Fixed(_) => "Fixed(…)",
            Password::Minted(_) => "Minted(…)",
        })
    }
}

impl PartialEq for Password {
    /// Two minted passwords are the same where one mint makes both: what it makes is not looked at.
    fn eq(&self, other: &Password) -> bool {
        match (self, other) {
            (Password::None, Password::None) => true,
            (Password::Fixed(one), Password::Fixed(other)) => one == other,
            (Password::Minted(one), Password::Minted(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}

impl Eq for Password {}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[derive(Debug)]
    struct Loud(&'static str);

    impl Mint for Loud {
        fn mint<'a>(&'a self, _: &'a str, _: u16, _: &'a str) -> BoxFuture<'a, Result<Secret, String>> {
            std::future::ready(Ok(Secret::new(self.0))).boxed()
        }
    }

    #[test]
    fn a_mint_is_known_by_itself_and_prints_nothing() {
        let mint: Arc<dyn Mint> = Arc::new(Loud("hunter2"));
        let minted = Password::Minted(Arc::clone(&mint));
        assert_eq!(minted, Password::Minted(mint));
        assert_ne!(minted, Password::Minted(Arc::new(Loud("hunter2"))));
        assert_ne!(minted, Password::Fixed(Secret::new("hunter2")));
        assert_ne!(Password::Fixed(Secret::new("hunter2")), Password::Fixed(Secret::new("other")));
        assert_ne!(Password::None, minted);
        let printed = format!("{minted:?} {:?}", Password::Fixed(Secret::new("hunter2")));
        assert_eq!(printed, "Minted(…) Fixed(…)");
    }
}
