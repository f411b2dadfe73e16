//! Pauses between two looks at what somebody else runs.

use std::time::Duration;

/// Short at first, as a stand-in answers at once, and longer as it takes longer, as whoever is asked counts calls.
#[derive(Debug)]
pub(in crate::topology) struct Pauses {
    next: Duration,
    longest: Duration,
}

const FIRST: Duration = Duration::from_millis(20);

impl Pauses {
    /// None of them is longer than `longest`.
    pub(in crate::topology) fn up_to(longest: Duration) -> Pauses {
        Pauses { next: FIRST.min(longest), longest }
    }

    /// Waits for the next look.
    pub(in crate::topology) async fn pause(&mut self) {
        tokio::time::sleep(self.next).await;
        self.next = (self.next * 3 / 2).min(self.longest);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_takes_long_is_asked_seldom() {
        let begun = Instant::now();
        let mut pauses = Pauses::up_to(Duration::from_secs(1));
        let mut looks = 0;
        while begun.elapsed() < Duration::from_secs(300) {
            pauses.pause().await;
            looks += 1;
        }
        assert!((300..330).contains(&looks), "{looks}");
    }
}
