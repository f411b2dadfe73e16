//! The few of many that are needed for something to fail.
//!
//! Left out are halves, then quarters, and so on (Zeller and Hildebrandt, *Simplifying and Isolating Failure-Inducing Input*,
//! IEEE TSE 28(2), 2002).

/// A subset of `all` that still fails, and no longer does if any one of it is left out.
pub(super) fn fewest<T: Clone>(all: Vec<T>, mut fails: impl FnMut(&[T]) -> bool) -> Vec<T> {
    let mut kept = all;
    let mut size = kept.len().div_ceil(2);
    while size > 0 {
        let mut at = 0;
        let mut is_less = false;
        while at < kept.len() {
            let end = (at + size).min(kept.len());
            let rest = [&kept[..at], &kept[end..]].concat();
            if fails(&rest) {
                kept = rest;
                is_less = true;
            } else {
                at = end;
            }
        }
        size = match size {
            1 if is_less => 1,
            _ => (size / 2).min(kept.len().div_ceil(2)),
        };
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::fewest;

    #[test]
    fn what_is_needed_is_kept() {
        for needed in [vec![], vec![0], vec![99], vec![3, 57], vec![0, 1, 2, 50, 99]] {
            let mut tries = 0;
            let kept = fewest((0..100).collect(), |kept: &[i32]| {
                tries += 1;
                needed.iter().all(|one| kept.contains(one))
            });
            assert_eq!(kept, needed);
            assert!(tries < 100, "{tries} tries");
        }
    }
}
