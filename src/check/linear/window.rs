//! Which calls are linearized: all before a base, and some of those from it on.

/// A set of calls by their distance from the base. Equal sets are equal values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Window {
    /// Never ends with a zero.
    words: Vec<u64>,
}

impl Window {
    pub(super) fn has(&self, offset: usize) -> bool {
        self.words.get(offset / 64).is_some_and(|word| word >> (offset % 64) & 1 == 1)
    }

    pub(super) fn insert(&mut self, offset: usize) {
        if self.words.len() <= offset / 64 {
            self.words.resize(offset / 64 + 1, 0);
        }
        self.words[offset / 64] |= 1 << (offset % 64);
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Moves the base past the calls that follow it without a gap; how many they are.
    pub(super) fn advance(&mut self) -> usize {
        let full = self.words.iter().take_while(|&&word| word == u64::MAX).count();
        let rest = self.words.get(full).map_or(0, |word| word.trailing_ones() as usize);
        self.words.drain(..full);
        if rest > 0 {
            for at in 0..self.words.len() {
                let carry = self.words.get(at + 1).map_or(0, |next| next << (64 - rest));
                self.words[at] = self.words[at] >> rest | carry;
            }
        }
        while self.words.last() == Some(&0) {
            self.words.pop();
        }
        full * 64 + rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_moves_past_what_is_full() {
        for ends in [0, 1, 3, 63, 64, 65, 127, 128, 200] {
            let mut window = Window::default();
            (0..ends).for_each(|offset| window.insert(offset));
            for offset in [ends + 1, ends + 2, ends + 70, ends + 300] {
                window.insert(offset);
            }
            assert_eq!(window.len(), ends + 4);
            assert_eq!(window.advance(), ends);
            let left: Vec<usize> = (0..400).filter(|&offset| window.has(offset)).collect();
            assert_eq!(left, [1, 2, 70, 300]);
            assert_eq!(window.advance(), 0);
        }
    }

    #[test]
    fn equal_sets_are_equal() {
        let mut window = Window::default();
        window.insert(0);
        window.insert(64);
        window.advance();
        let mut other = Window::default();
        other.insert(63);
        assert_eq!(window, other);
        other = Window::default();
        (0..64).for_each(|offset| other.insert(offset));
        other.advance();
        assert_eq!(other, Window::default());
    }
}
