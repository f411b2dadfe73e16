//! What EDN and JSON have in common: integers and strings.

use super::input::Stop;
use super::tape::{Kind, Node, Tape};

/// More digits may be more than 64 bits.
const DIGITS: usize = 18;

/// A short integer at `at`, and the byte after it, of which the caller knows whether a number may end there.
pub(super) fn short(bytes: &[u8], at: usize) -> Option<(i64, usize)> {
    let is_negative = bytes.get(at) == Some(&b'-');
    let first = at + usize::from(is_negative);
    let mut integer = 0i64;
    let mut end = first;
    while let Some(digit) = bytes.get(end).map(|byte| byte.wrapping_sub(b'0')).filter(|&digit| digit < 10) {
        if end - first == DIGITS {
            return None;
        }
        integer = integer * 10 + i64::from(digit);
        end += 1;
    }
    (end > first).then_some((if is_negative { -integer } else { integer }, end))
}

/// Any number, which stands at byte `at` of the input.
pub(super) fn number(tape: &mut Tape, token: &[u8], at: usize) -> Result<(), Stop> {
    let text = std::str::from_utf8(token).unwrap_or_default();
    // EDN marks integers of any size with an N.
    let digits = text.strip_suffix('N').unwrap_or(text);
    if let Ok(integer) = digits.parse() {
        tape.push(Node::Integer(integer));
        return Ok(());
    }
    let unsigned = digits.strip_prefix(['-', '+']).unwrap_or(digits);
    let is_integer = !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit());
    tape.text(if is_integer { Kind::Huge } else { Kind::Number }, token, at)
}

/// The string whose quotes open at `at`; gives the byte after those that close it.
pub(super) fn string(tape: &mut Tape, bytes: &[u8], at: usize) -> Result<usize, Stop> {
    let start = tape.texts();
    let mut piece = at + 1;
    loop {
        let length =
            bytes[piece..].iter().position(|&byte| matches!(byte, b'"' | b'\\')).ok_or(Stop::More)?;
        let end = piece + length;
        tape.piece(&bytes[piece..end], piece)?;
        if bytes[end] == b'"' {
            tape.whole(Kind::String, start);
            return Ok(end + 1);
        }
        piece = escape(tape, bytes, end)?;
    }
}

/// The character whose backslash is at `at`; gives the byte after it.
fn escape(tape: &mut Tape, bytes: &[u8], at: usize) -> Result<usize, Stop> {
    let plain = match *bytes.get(at + 1).ok_or(Stop::More)? {
        b'n' => '\n',
        b't' => '\t',
        b'r' => '\r',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        byte @ (b'"' | b'\\' | b'/') => char::from(byte),
        b'u' => {
            let high = hexadecimal(bytes, at + 2)?;
            let mut end = at + 6;
            let mut code = high;
            // Above U+FFFF it takes two, a surrogate pair (RFC 8259, section 7).
            if (0xD800..0xDC00).contains(&high) && bytes.get(end..end + 2).ok_or(Stop::More)? == b"\\u" {
                let low = hexadecimal(bytes, end + 2)?;
                if (0xDC00..0xE000).contains(&low) {
                    code = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                    end += 6;
                }
            }
            let Some(character) = char::from_u32(code) else {
                return Err(Stop::At(at, "half a surrogate pair".to_owned()));
            };
            tape.piece(character.encode_utf8(&mut [0; 4]).as_bytes(), at)?;
            return Ok(end);
        }
        other => {
            let other = char::from(other).escape_default();
            return Err(Stop::At(at, format!("no string has the escape `\\{other}`")));
        }
    };
    tape.piece(plain.encode_utf8(&mut [0; 4]).as_bytes(), at)?;
    Ok(at + 2)
}

fn hexadecimal(bytes: &[u8], at: usize) -> Result<u32, Stop> {
    let digits = bytes.get(at..at + 4).ok_or(Stop::More)?;
    let value = digits.iter().try_fold(0, |value, &digit| Some(value << 4 | char::from(digit).to_digit(16)?));
    value.ok_or_else(|| Stop::At(at, "`\\u` takes four hexadecimal digits".to_owned()))
}
