//! Numbers and times as findings and summaries print them.

use crate::history::Nanos;

/// The most ranges that a finding lists.
const MAX_RANGES: usize = 12;

/// `48912` as `48,912`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 order`, `2,000 orders`.
pub(super) fn plural(number: u64, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", count(number))
}

/// A point in time of the run: `5.003 s`.
pub(super) fn at(time: Nanos) -> String {
    format!("{:.3} s", time.as_secs_f64())
}

/// `part` of `whole` in percent: `0.25 %`; any part at all is more than `0.00 %`.
pub(super) fn percent(part: u64, whole: u64) -> String {
    match (part, whole) {
        (0, _) | (_, 0) => "0 %".to_owned(),
        _ => {
            let share = part as f64 * 100.0 / whole as f64;
            if share < 0.01 { "< 0.01 %".to_owned() } else { format!("{share:.2} %") }
        }
    }
}

/// Ascending numbers as ranges: `3, 7–9, 12`; long lists end in `and 5 more ranges`.
pub(super) fn ranges(numbers: impl IntoIterator<Item = i64>) -> String {
    let mut ranges: Vec<(i64, i64)> = Vec::new();
    for number in numbers {
        match ranges.last_mut() {
            Some((_, last)) if number == *last || number == *last + 1 => *last = number,
            _ => ranges.push((number, number)),
        }
    }
    let mut parts: Vec<String> = ranges
        .iter()
        .take(MAX_RANGES)
        .map(|&(first, last)| if first == last { first.to_string() } else { format!("{first}–{last}") })
        .collect();
    if ranges.len() > MAX_RANGES {
        parts.push(format!("and {}", plural((ranges.len() - MAX_RANGES) as u64, "more range")));
    }
    parts.join(", ")
}

/// The value that `share` of `sorted` do not exceed (nearest rank); `None` of nothing.
pub(super) fn quantile(sorted: &[u64], share: f64) -> Option<u64> {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.clamp(1, sorted.len().max(1)) - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_separators() {
        let shown = [0, 999, 1_000, 48_912, 1_000_000].map(count);
        assert_eq!(shown, ["0", "999", "1,000", "48,912", "1,000,000"]);
        assert_eq!([plural(1, "order"), plural(2, "order")], ["1 order", "2 orders"]);
    }

    #[test]
    fn ranges_join_neighbours_and_end() {
        assert_eq!(ranges([3, 7, 8, 9, 12]), "3, 7–9, 12");
        assert_eq!(ranges([]), "");
        assert!(ranges((0..30).map(|n| n * 2)).ends_with("22, and 18 more ranges"));
    }

    #[test]
    fn shares_and_quantiles() {
        assert_eq!(
            [percent(0, 5), percent(1, 0), percent(1, 400), percent(1, 1_000_000)],
            ["0 %", "0 %", "0.25 %", "< 0.01 %"]
        );
        let sorted: Vec<u64> = (1..=100).collect();
        assert_eq!([0.0, 0.5, 0.99, 1.0].map(|share| quantile(&sorted, share).unwrap()), [1, 50, 99, 100]);
        assert_eq!(quantile(&[], 0.5), None);
    }
}
