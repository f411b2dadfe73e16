//! Values of any kind in one word each.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

/// A key's name, an element or a register's content: an integer, or the number of a text; [`Values::show`] tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value(pub i64);

/// From here upwards, `2^32` numbers stand for texts.
const TEXTS: i64 = i64::MIN;
const TEXTS_END: i64 = i64::MIN + (1 << 32);

/// The texts among the values.
#[derive(Clone, Debug, Default)]
pub struct Values {
    texts: Vec<Box<str>>,
    numbers: FxHashMap<Box<str>, u32>,
}

impl Values {
    /// An integer's value.
    pub fn integer(&mut self, integer: i64) -> Value {
        if integer < TEXTS_END { self.text(&integer.to_string()) } else { Value(integer) }
    }

    /// A text's value; equal texts have equal ones. A text that is an integer is not equal to that integer.
    pub fn text(&mut self, text: &str) -> Value {
        if let Some(&number) = self.numbers.get(text) {
            return Value(TEXTS + i64::from(number));
        }
        let number = self.texts.len() as u32;
        self.texts.push(text.into());
        self.numbers.insert(text.into(), number);
        Value(TEXTS + i64::from(number))
    }

    /// As it was written.
    pub fn show(&self, value: Value) -> Cow<'_, str> {
        self.text_of(value).map_or_else(|| value.0.to_string().into(), Cow::Borrowed)
    }

    /// What is `value` among `others`.
    pub fn adopt(&mut self, others: &Values, value: Value) -> Value {
        others.text_of(value).map_or(value, |text| self.text(text))
    }

    fn text_of(&self, value: Value) -> Option<&str> {
        let number = usize::try_from(value.0.wrapping_sub(TEXTS)).ok()?;
        self.texts.get(number).map(|text| &**text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_and_texts_are_told_apart() {
        let mut values = Values::default();
        let all = [
            values.integer(7),
            values.text("7"),
            values.text("x"),
            values.integer(i64::MIN),
            values.integer(-1),
        ];
        assert_eq!(
            all.map(|value| values.show(value).into_owned()),
            ["7", "7", "x", "-9223372036854775808", "-1"]
        );
        assert_ne!(all[0], all[1]);
        assert_eq!(values.text("x"), all[2]);
        assert_eq!(values.integer(i64::MIN), all[3]);
        let mut others = Values::default();
        others.text("y");
        let adopted = all.map(|value| others.adopt(&values, value));
        assert_eq!(
            adopted.map(|value| others.show(value).into_owned()),
            ["7", "7", "x", "-9223372036854775808", "-1"]
        );
    }
}
