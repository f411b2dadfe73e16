//! The cases that are built in.

use super::{Case, CaseError, read};
use crate::suggest::hint;

macro_rules! source {
    ($name:literal) => {
        ($name, include_str!(concat!("catalogue/", $name, ".toml")))
    };
}

/// The files of the catalogue by name, in the order of textbooks: from what every level prevents to what none does.
pub const SOURCES: [(&str, &str); 20] = [
    source!("dirty-write"),
    source!("dirty-read"),
    source!("aborted-read"),
    source!("intermediate-read"),
    source!("circular-information-flow"),
    source!("observed-transaction-vanishes"),
    source!("non-repeatable-read"),
    source!("read-skew"),
    source!("phantom"),
    source!("predicate-many-preceders"),
    source!("predicate-many-preceders-write"),
    source!("lost-update"),
    source!("write-skew"),
    source!("write-skew-predicate"),
    source!("user-name"),
    source!("user-name-unique"),
    source!("read-only-anomaly"),
    source!("read-only-anomaly-replica"),
    source!("long-fork"),
    source!("cancelled-commit"),
];

/// Every case of the catalogue.
///
/// # Errors
/// A file of the catalogue that is none; the tests read them all.
pub fn catalogue() -> Result<Vec<Case>, CaseError> {
    SOURCES.iter().map(|(name, text)| read(&format!("{name}.toml"), text)).collect()
}

/// The case called `name`, or who could be meant: ` (did you mean …?)`.
///
/// # Errors
/// The suggestion, which may be empty.
pub fn find<'a>(cases: &'a [Case], name: &str) -> Result<&'a Case, String> {
    let found = cases.iter().find(|case| case.name == name);
    found.ok_or_else(|| hint(name, cases.iter().map(|case| case.name.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anomaly::Ending;
    use crate::isolation::Isolation;

    #[test]
    fn every_file_is_a_case_and_says_what_is_expected_everywhere() {
        let cases = catalogue().unwrap_or_else(|error| panic!("{error}"));
        for (case, (name, _)) in cases.iter().zip(SOURCES) {
            assert_eq!(case.name, name);
            assert!(!case.happens.is_empty() && case.code.is_some() && case.source.is_some(), "{name}");
            assert!(case.remedy.is_some(), "{name}: how to prevent it");
            for on in case.placements() {
                for level in Isolation::ALL {
                    assert!(case.expect.contains_key(&(on, level)), "{name}: {on}, {level}");
                }
            }
            assert!(case.preventions.iter().all(|prevention| prevention.expect.is_some()), "{name}");
            // What happens at the default level is shown to be prevented, but for the one that nothing prevents.
            let happens = case.expect.values().any(|ending| *ending == Ending::Happens);
            let helped = case.preventions.iter().any(|prevention| prevention.helps);
            assert!(
                helped || !happens || name == "cancelled-commit",
                "{name} happens, and nothing is shown to help"
            );
        }
    }

    #[test]
    fn a_mistyped_name_gets_a_suggestion() {
        let cases = catalogue().unwrap();
        assert_eq!(find(&cases, "lost-update").map(|case| case.name.as_str()), Ok("lost-update"));
        assert_eq!(find(&cases, "lost-updat"), Err(" (did you mean `lost-update`?)".to_owned()));
    }
}
