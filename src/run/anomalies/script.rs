//! What a statement does to its transaction, and what it says once its placeholders are filled in.

use crate::anomaly::Transcript;

/// What a statement means for the transaction around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Begin,
    Commit,
    Rollback,
    /// It writes, and says how many rows.
    Write,
    Other,
}

impl Verb {
    /// Of the first statement, but for what is written: that the last one decides.
    pub(super) fn of(sql: &str) -> Verb {
        let end = |c: char| c == ';' || c.is_whitespace();
        let word = |text: &str| text.trim().split(end).next().unwrap_or_default().to_ascii_uppercase();
        match &*word(sql) {
            "BEGIN" | "START" => return Verb::Begin,
            "COMMIT" | "END" => return Verb::Commit,
            "ROLLBACK" | "ABORT" if !sql.to_ascii_uppercase().contains(" TO ") => return Verb::Rollback,
            _ => {}
        }
        match &*word(sql.trim_end_matches([';', ' ']).rsplit(';').next().unwrap_or_default()) {
            "INSERT" | "UPDATE" | "DELETE" | "MERGE" => Verb::Write,
            _ => Verb::Other,
        }
    }

    /// Whether the transaction is over after it.
    pub(super) fn ends(self) -> bool {
        matches!(self, Verb::Commit | Verb::Rollback)
    }
}

/// The statement with what its placeholders stand for; `None` where a step that it names read nothing.
pub(super) fn filled(
    sql: &str,
    transcript: &Transcript,
    pid: impl Fn(&str) -> Option<i32>,
) -> Option<String> {
    let mut text = String::new();
    let mut rest = sql;
    while let Some((before, behind)) = rest.split_once('{') {
        text.push_str(before);
        let known = behind.split_once('}').and_then(|(inside, behind)| {
            let (kind, name) = inside.split_once(':')?;
            matches!(kind, "pid" | "saw").then_some((kind, name, behind))
        });
        rest = match known {
            Some(("pid", session, behind)) => {
                text.push_str(&pid(session)?.to_string());
                behind
            }
            Some((_, label, behind)) => {
                let label = label.split_once('|').map_or(label, |(label, _)| label);
                text.push_str(transcript.first_value(label)?);
                behind
            }
            None => {
                text.push('{');
                behind
            }
        };
    }
    Some(text + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_known_by_their_words() {
        for (sql, verb) in [
            ("begin isolation level serializable", Verb::Begin),
            ("START TRANSACTION", Verb::Begin),
            ("BEGIN; LOCK TABLE t", Verb::Begin),
            ("COMMIT", Verb::Commit),
            ("END", Verb::Commit),
            ("ROLLBACK", Verb::Rollback),
            ("ROLLBACK TO SAVEPOINT s", Verb::Other),
            ("update t set v = 1", Verb::Write),
            ("SET LOCAL x = 1; DELETE FROM t;", Verb::Write),
            ("SELECT 1", Verb::Other),
        ] {
            assert_eq!(Verb::of(sql), verb, "{sql}");
        }
    }

    #[test]
    fn braces_that_are_no_placeholder_stay() {
        let filled = |sql| filled(sql, &Transcript::default(), |name| (name == "alice").then_some(7));
        assert_eq!(filled("SELECT '{}', {pid:alice}").as_deref(), Some("SELECT '{}', 7"));
        assert_eq!(filled("SELECT '{1,2}'::int[]").as_deref(), Some("SELECT '{1,2}'::int[]"));
        assert_eq!(filled("SELECT {saw:nobody|10}"), None);
    }
}
