//! The forum's tables, with names that differ in more than their case.

use crate::pg::{PgError, Session};

const SCHEMA: &str = include_str!("../../../schemas/forum.sql");

/// A column of the schema whose values differ in more than their case.
const NAME: &str = "citext UNIQUE";
/// The same with what every database has.
const LOWERED: &str = "
CREATE UNIQUE INDEX ON account (lower(username));
CREATE UNIQUE INDEX ON account (lower(phone_number));
CREATE UNIQUE INDEX ON account (lower(email));
";

/// Answers the type, where it may be used: its schema need not be on the session's path.
const TYPE: &str = "SELECT quote_ident(nspname) || '.citext' FROM pg_extension JOIN pg_namespace ON \
    pg_namespace.oid = extnamespace WHERE extname = 'citext' AND has_schema_privilege(extnamespace, 'USAGE')";

const ACCOUNTS: &str = "INSERT INTO account (id, username, phone_number, email, hashed_password, created_on) \
    SELECT 'account-' || n, 'user-' || n, '+49 30 ' || n, 'user-' || n || '@example.org', 'none', now() \
    FROM generate_series(1, $1::int) AS n";
const THREAD: &str = "INSERT INTO thread (id, title, body, created_by, created_on) \
    VALUES ('thread-1', 'A thread', 'The one that everybody writes to.', 'account-1', now())";

/// How it is seen to that names differ in more than their case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Naming {
    /// By the type `citext`, named with its schema.
    Citext(String),
    /// By unique indexes over `lower()`.
    Lowered,
}

impl Naming {
    /// What this database can do. The extension is made where it may be made; a refusal is no error.
    async fn find(session: &Session, may_extend: bool) -> Result<Naming, PgError> {
        if let Some(found) = installed(session).await? {
            return Ok(Naming::Citext(found));
        }
        if !may_extend {
            return Ok(Naming::Lowered);
        }
        match session.batch("CREATE EXTENSION IF NOT EXISTS citext").await {
            // Not installed, not allowed.
            Ok(()) | Err(PgError::Sql { .. }) => {}
            Err(error) => return Err(error),
        }
        Ok(installed(session).await?.map_or(Naming::Lowered, Naming::Citext))
    }

    /// Makes the tables anew.
    fn sql(&self) -> String {
        match self {
            Naming::Citext(name) => SCHEMA.replace(NAME, &format!("{name} UNIQUE")),
            Naming::Lowered => SCHEMA.replace(NAME, "text") + LOWERED,
        }
    }

    /// In one sentence, for the report.
    fn remark(&self) -> &'static str {
        match self {
            Naming::Citext(_) => {
                "The forum's names, numbers and addresses are citext, as the original's: the extension could be used here."
            }
            Naming::Lowered => {
                "The forum's names, numbers and addresses are text with unique indexes over lower(): the extension citext, \
                 which the original uses, is not installed here or may not be created."
            }
        }
    }
}

async fn installed(session: &Session) -> Result<Option<String>, PgError> {
    let rows = session.simple_query_rows(TYPE).await?;
    Ok(rows.into_iter().next().and_then(|row| row.into_iter().next()?))
}

/// Makes the tables anew, with `accounts` accounts and one thread; with `may_extend` the extension citext as well, which
/// nobody else's server is given. Answers how names are told apart, for the report.
pub async fn set_up(session: &Session, accounts: i32, may_extend: bool) -> Result<&'static str, PgError> {
    let naming = Naming::find(session, may_extend).await?;
    session.batch(&naming.sql()).await?;
    let insert = session.prepare(ACCOUNTS).await?;
    session.execute(&insert, &[&accounts]).await?;
    session.batch(THREAD).await?;
    Ok(naming.remark())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_three_columns_differs_in_more_than_its_case() {
        assert_eq!(SCHEMA.lines().filter(|line| line.ends_with(" citext UNIQUE,")).count(), 3);
        let code =
            |sql: String| sql.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n");
        let citext = code(Naming::Citext("\"My schema\".citext".to_owned()).sql());
        assert_eq!(citext.matches("\"My schema\".citext UNIQUE").count(), 3);
        assert!(!citext.contains("lower("));
        let lowered = code(Naming::Lowered.sql());
        assert_eq!((lowered.matches("citext").count(), lowered.matches("(lower(").count()), (0, 3));
        for column in ["username", "phone_number", "email"] {
            assert!(
                lowered.contains(&format!("    {column} text,"))
                    && lowered.contains(&format!("lower({column})"))
            );
        }
    }
}
