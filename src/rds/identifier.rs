//! What things are called.

use super::refusal::Refusal;
use crate::topology::local::random_hex;

/// Refuses what is no identifier: 1 to 63 letters, digits and hyphens, the first a letter, no hyphen at the end, no two in a
/// row (API reference, "CreateDBInstance").
pub(super) fn check(name: &str) -> Result<(), Refusal> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic());
    let hyphens = name.ends_with('-') || name.contains("--");
    if begins && !hyphens && name.len() <= 63 && name.chars().all(is_allowed) {
        return Ok(());
    }
    let rule = "1 to 63 letters, digits and single hyphens, the first a letter";
    Err(Refusal::value(format!("{name} is not a valid identifier: {rule}.")))
}

/// A new one in the form of a UUID: of a request, or of a reader in `aurora_replica_status()`.
pub(super) fn unique() -> Result<String, Refusal> {
    let hex = random_hex::<16>().map_err(|error| Refusal::internal(error.to_string()))?;
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    Ok(format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_by_the_rule() {
        let longest = "a".repeat(63);
        for name in ["a", "Part-4", longest.as_str()] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
        let longer = "a".repeat(64);
        for name in ["", "1a", "a-", "a--b", "a_b", "-a", longer.as_str()] {
            assert_eq!(check(name).unwrap_err().code, "InvalidParameterValue", "{name}");
        }
    }

    #[test]
    fn unique_ones_differ() {
        let one = unique().unwrap();
        assert_eq!((one.len(), one.matches('-').count()), (36, 4));
        assert_ne!(one, unique().unwrap());
    }
}
