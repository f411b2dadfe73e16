//! "Did you mean …?"

/// The candidate that `typed` was most likely meant to be, if one is near enough to be worth naming.
pub(crate) fn nearest<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_ascii_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&typed, &candidate.to_ascii_lowercase()), candidate))
        .filter(|(score, _)| *score >= 0.78)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

/// ` (did you mean …?)`, or nothing: to follow the wrong word in an error message.
pub(crate) fn hint<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(typed, candidates).map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_near_and_not_the_far() {
        let words = ["crash", "kill", "restart", "start", "stop"];
        assert_eq!(nearest("crsh", words), Some("crash"));
        assert_eq!(nearest("RESTRAT", words), Some("restart"));
        assert_eq!(nearest("partition", words), None);
        assert_eq!(hint("sotp", words), " (did you mean `stop`?)");
        assert_eq!(hint("zzz", words), "");
    }
}
