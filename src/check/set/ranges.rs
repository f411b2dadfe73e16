//! Sets of numbers that are mostly neighbours.

/// Ranges without gaps, ascending: first and last of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ranges(Vec<(i64, i64)>);

impl Ranges {
    /// As a read has them; `None` if they are not ascending.
    pub(super) fn read(ranges: &[(i64, i64)]) -> Option<Ranges> {
        let are_ranges = ranges.iter().all(|(first, last)| first <= last);
        let ascend = ranges.windows(2).all(|pair| pair[0].1 < pair[1].0);
        (are_ranges && ascend).then(|| Ranges(ranges.to_vec()))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many numbers there are.
    pub(super) fn count(&self) -> u64 {
        let sizes = self.0.iter().map(|&(first, last)| last.abs_diff(first).saturating_add(1));
        sizes.fold(0, u64::saturating_add)
    }

    /// The ranges.
    pub(super) fn iter(&self) -> impl Iterator<Item = (i64, i64)> {
        self.0.iter().copied()
    }

    /// The numbers, one by one.
    pub(super) fn numbers(&self) -> impl Iterator<Item = i64> {
        self.0.iter().flat_map(|&(first, last)| first..=last)
    }

    pub(super) fn contains(&self, number: i64) -> bool {
        let next = self.0.partition_point(|&(first, _)| first <= number);
        next.checked_sub(1).is_some_and(|place| number <= self.0[place].1)
    }

    pub(super) fn insert(&mut self, number: i64) {
        let next = self.0.partition_point(|&(first, _)| first <= number);
        // Nearly always it is the neighbour of one that is there.
        if let Some((_, last)) = next.checked_sub(1).map(|place| &mut self.0[place]) {
            if number <= *last {
                return;
            }
            if *last + 1 == number && self.0.get(next).is_none_or(|&(first, _)| number < first - 1) {
                self.0[next - 1].1 = number;
                return;
            }
        }
        self.join(&Ranges(vec![(number, number)]));
    }

    /// Takes in all of `other`.
    pub(super) fn join(&mut self, other: &Ranges) {
        let mut all: Vec<(i64, i64)> = self.0.iter().chain(&other.0).copied().collect();
        all.sort_unstable();
        self.0.clear();
        for (first, last) in all {
            match self.0.last_mut() {
                Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
                _ => self.0.push((first, last)),
            }
        }
    }

    /// What is not in `other`.
    pub(super) fn minus(&self, other: &Ranges) -> Ranges {
        let mut left = Vec::new();
        let mut others = other.0.iter().copied().peekable();
        for &(first, last) in &self.0 {
            while others.next_if(|&(_, end)| end < first).is_some() {}
            let mut from = Some(first);
            while let (Some(begin), Some(&(start, end))) = (from, others.peek())
                && start <= last
            {
                if begin < start {
                    left.push((begin, start - 1));
                }
                if end >= last {
                    // It may reach into what comes next, too.
                    from = None;
                } else {
                    from = Some(end + 1);
                    others.next();
                }
            }
            left.extend(from.map(|begin| (begin, last)));
        }
        Ranges(left)
    }
}

impl FromIterator<i64> for Ranges {
    /// Of numbers in any order.
    fn from_iter<I: IntoIterator<Item = i64>>(numbers: I) -> Ranges {
        let mut ranges = Ranges::default();
        ranges.join(&Ranges(numbers.into_iter().map(|number| (number, number)).collect()));
        ranges
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn ranges(numbers: &BTreeSet<i64>) -> Ranges {
        numbers.iter().copied().collect()
    }

    fn some() -> impl Strategy<Value = BTreeSet<i64>> {
        prop::collection::btree_set(-20i64..20, 0..25)
    }

    proptest! {
        #[test]
        fn they_are_sets(one in some(), other in some(), number in -21i64..21) {
            let (a, b) = (ranges(&one), ranges(&other));
            prop_assert_eq!(a.count(), one.len() as u64);
            prop_assert_eq!(a.contains(number), one.contains(&number));
            prop_assert!(a.numbers().eq(one.iter().copied()));
            prop_assert_eq!(a.minus(&b), ranges(&(&one - &other)));
            let mut both = a.clone();
            both.join(&b);
            prop_assert_eq!(&both, &ranges(&(&one | &other)));
            let mut more = a.clone();
            more.insert(number);
            prop_assert_eq!(more, ranges(&(&one | &BTreeSet::from([number]))));
            prop_assert_eq!(Ranges::read(&a.0), Some(a));
        }
    }

    #[test]
    fn the_ends_of_all_numbers_are_numbers() {
        let all = Ranges::read(&[(i64::MIN, i64::MAX)]).unwrap();
        assert_eq!(all.count(), u64::MAX);
        let mut ends: Ranges = [i64::MAX, i64::MIN].into_iter().collect();
        assert_eq!(all.minus(&ends), Ranges(vec![(i64::MIN + 1, i64::MAX - 1)]));
        assert_eq!(ends.minus(&all), Ranges::default());
        ends.insert(i64::MAX - 1);
        ends.insert(i64::MIN + 1);
        ends.insert(i64::MAX);
        assert_eq!(ends.0, [(i64::MIN, i64::MIN + 1), (i64::MAX - 1, i64::MAX)]);
    }

    #[test]
    fn what_does_not_ascend_is_no_read() {
        for wrong in [&[(2, 1)][..], &[(1, 3), (3, 4)], &[(5, 6), (1, 2)]] {
            assert_eq!(Ranges::read(wrong), None, "{wrong:?}");
        }
    }
}
