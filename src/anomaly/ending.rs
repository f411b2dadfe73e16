//! How a case ended, in one value that can be compared with another.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Answer, Case, Transcript};

/// PostgreSQL's code for what it does not do at all; a serializable transaction on a replica.
const UNSUPPORTED: &str = "0A000";

/// How a case ended. Its `Display` is what files hold: `refused 40001 at bob commits`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Ending {
    /// The anomaly was seen.
    Happens,
    /// The server refused a step, and so prevented the anomaly; with 0A000 it does not do at all what the case needs.
    Refused {
        /// PostgreSQL's code.
        sqlstate: String,
        /// The first step that was refused.
        at: String,
    },
    /// Prevented: a session had to wait for another, and nobody was refused.
    Waits {
        /// The first step that waited.
        at: String,
    },
    /// Prevented: nobody waited and nobody was refused, it was not seen.
    Snapshot,
    /// Nobody says what to look for; no step was refused.
    Ran,
}

impl Ending {
    /// What `transcript` says of `case`.
    ///
    /// What the server does not do at all comes first: then there was nothing to look at. Among steps that were refused
    /// or waited the first one counts, in the order in which they were sent.
    pub fn of(case: &Case, transcript: &Transcript) -> Ending {
        let refused = |only: Option<&str>| {
            transcript.steps.iter().find_map(|played| match &played.answer {
                Answer::Refused { sqlstate, .. } if only.is_none_or(|only| only == sqlstate) => {
                    Some(Ending::Refused { sqlstate: sqlstate.clone(), at: played.label.clone() })
                }
                _ => None,
            })
        };
        // A client that begins anew once is to come through: that is what begin anew is recommended for.
        let again = transcript.steps.iter().find_map(|played| match &played.answer {
            Answer::Refused { sqlstate, .. } if played.attempt > 1 => Some(Ending::Refused {
                sqlstate: sqlstate.clone(),
                at: format!("{}, begun anew", played.label),
            }),
            _ => None,
        });
        if let Some(again) = again {
            return again;
        }
        if let Some(unsupported) = refused(Some(UNSUPPORTED)) {
            return unsupported;
        }
        if !case.happens.is_empty() && case.happens.iter().all(|sight| transcript.shows(sight)) {
            return Ending::Happens;
        }
        if let Some(refused) = refused(None) {
            return refused;
        }
        if case.happens.is_empty() {
            return Ending::Ran;
        }
        let waited = transcript.steps.iter().find(|played| !played.waited_for.is_empty());
        waited.map_or(Ending::Snapshot, |played| Ending::Waits { at: played.label.clone() })
    }

    /// Whether the server does not do at all what the case needs: then nothing was prevented either.
    pub fn is_unsupported(&self) -> bool {
        matches!(self, Ending::Refused { sqlstate, .. } if sqlstate == UNSUPPORTED)
    }

    /// The step that it names.
    pub fn at(&self) -> Option<&str> {
        match self {
            Ending::Refused { at, .. } | Ending::Waits { at } => Some(at),
            Ending::Happens | Ending::Snapshot | Ending::Ran => None,
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ending::Happens => f.write_str("happens"),
            Ending::Refused { sqlstate, at } => write!(f, "refused {sqlstate} at {at}"),
            Ending::Waits { at } => write!(f, "waits at {at}"),
            Ending::Snapshot => f.write_str("snapshot"),
            Ending::Ran => f.write_str("ran"),
        }
    }
}

/// Not an ending.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is none of `happens`, `snapshot`, `waits at STEP` and `refused SQLSTATE at STEP`")]
pub struct UnknownEnding(String);

impl FromStr for Ending {
    type Err = UnknownEnding;

    fn from_str(text: &str) -> Result<Ending, UnknownEnding> {
        let wrong = || UnknownEnding(text.to_owned());
        match text {
            "happens" => return Ok(Ending::Happens),
            "snapshot" => return Ok(Ending::Snapshot),
            _ => {}
        }
        if let Some(at) = text.strip_prefix("waits at ") {
            return Ok(Ending::Waits { at: at.to_owned() });
        }
        let (sqlstate, at) =
            text.strip_prefix("refused ").and_then(|rest| rest.split_once(" at ")).ok_or_else(wrong)?;
        let is_code = sqlstate.len() == 5
            && sqlstate.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
        if is_code {
            Ok(Ending::Refused { sqlstate: sqlstate.to_owned(), at: at.to_owned() })
        } else {
            Err(wrong())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anomaly::{Played, read};

    const CASE: &str = "name = 'x'\ntitle = 'x'\nabout = 'x'\nsetup = []\nsessions = { a = 'primary', b = 'primary' }\n\
        steps = [{ a = 'SELECT 1', as = 'a reads' }, { b = 'UPDATE t SET v = 1', as = 'b writes' }]\n\
        happens = [{ step = 'a reads', rows = [[1]] }, { step = 'b writes', affected = 1 }]\n";

    fn played(label: &str, answer: Answer) -> Played {
        Played {
            label: label.to_owned(),
            session: "a".to_owned(),
            sql: String::new(),
            attempt: 1,
            waited_for: Vec::new(),
            answered_after: 0,
            answer,
            warnings: Vec::new(),
        }
    }

    fn refused(sqlstate: &str) -> Answer {
        Answer::Refused { sqlstate: sqlstate.to_owned(), message: String::new() }
    }

    fn ending(steps: Vec<Played>) -> String {
        let case = read("x.toml", CASE).unwrap();
        Ending::of(&case, &Transcript { sessions: Vec::new(), steps }).to_string()
    }

    #[test]
    fn each_ending_is_told_from_the_others() {
        let rows = |value: &str| Answer::Rows { rows: vec![vec![value.to_owned()]] };
        let wrote = || played("b writes", Answer::Affected { rows: 1 });
        assert_eq!(ending(vec![played("a reads", rows("1")), wrote()]), "happens");
        assert_eq!(ending(vec![played("a reads", rows("2")), wrote()]), "snapshot");
        let waiting = Played { waited_for: vec!["a".to_owned()], ..wrote() };
        assert_eq!(
            ending(vec![played("a reads", rows("1")), waiting.clone()]),
            "happens",
            "waiting is no cure"
        );
        assert_eq!(ending(vec![played("a reads", rows("2")), waiting.clone()]), "waits at b writes");
        let aborted = Played { answer: refused("40001"), ..waiting };
        assert_eq!(ending(vec![played("a reads", rows("1")), aborted.clone()]), "refused 40001 at b writes");
        // Nothing could be looked at, whatever else there was.
        let unsupported = played("a reads", refused("0A000"));
        assert_eq!(ending(vec![aborted, unsupported]), "refused 0A000 at a reads");
        // What an application did not send did not happen.
        assert_eq!(
            ending(vec![played("a reads", rows("1")), played("b writes", Answer::NotSent)]),
            "snapshot"
        );
    }

    #[test]
    fn who_begins_anew_and_is_refused_again_was_not_helped() {
        let anew = |answer| Played { attempt: 2, ..played("b writes", answer) };
        let wrote = Answer::Affected { rows: 1 };
        assert_eq!(
            ending(vec![played("b writes", refused("40001")), anew(wrote)]),
            "refused 40001 at b writes"
        );
        let twice = ending(vec![played("b writes", refused("40001")), anew(refused("40001"))]);
        assert_eq!(twice, "refused 40001 at b writes, begun anew");
    }

    #[test]
    fn the_last_attempt_counts() {
        let rows = |value: &str| Answer::Rows { rows: vec![vec![value.to_owned()]] };
        let steps = vec![
            played("a reads", rows("1")),
            played("b writes", refused("40001")),
            Played { attempt: 2, ..played("b writes", Answer::Affected { rows: 1 }) },
        ];
        assert_eq!(ending(steps), "happens");
    }

    #[test]
    fn endings_are_read_as_they_are_written() {
        for text in ["happens", "snapshot", "waits at b writes", "refused 40001 at b at c"] {
            assert_eq!(text.parse::<Ending>().unwrap().to_string(), text);
        }
        for text in ["", "happen", "refused at x", "refused 4000 at x", "waits", "refused abcde at x"] {
            assert!(text.parse::<Ending>().is_err(), "{text}");
        }
    }
}
