//! Closed sets of words, as settings name them.

/// A closed set of words.
macro_rules! words {
    ($type:ident, $what:literal, { $($word:literal => $variant:ident),+ $(,)? }) => {
        impl $type {
            /// Every word, in the order of the manual.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word that stands for it.
            pub fn as_str(self) -> &'static str {
                match self { $($type::$variant => $word),+ }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $type {
            type Err = String;

            fn from_str(text: &str) -> Result<$type, String> {
                match text {
                    $($word => Ok($type::$variant),)+
                    _ => Err(format!(
                        "`{text}` is not {}{}; known are {}",
                        $what,
                        crate::suggest::hint(text, $type::WORDS.iter().copied()),
                        $type::WORDS.join(", ")
                    )),
                }
            }
        }
    };
}

pub(super) use words;
