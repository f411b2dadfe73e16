//! Keys, elements and accounts: integers as they are, anything else as its text.

use std::fmt::Write;

use super::error::{Fault, Place, Result};
use super::tape::{Item, Kind, Node, Shape};
use crate::history::txn::{Value, Values};

/// The value of an item.
pub(super) fn value(values: &mut Values, item: Item<'_>, place: Place) -> Result<Value> {
    match item.node() {
        Node::Integer(integer) => Ok(values.integer(integer)),
        Node::Text(Kind::Huge, ..) => huge(item, place),
        Node::Text(..) => Ok(values.text(item.text().unwrap_or_default())),
        Node::Nil | Node::Open(..) => Ok(values.text(&shown(item))),
    }
}

/// An integer that is none too large.
pub(super) fn integer(item: Item<'_>, what: &str, place: Place) -> Result<i64> {
    match item.node() {
        Node::Integer(integer) => Ok(integer),
        Node::Text(Kind::Huge, ..) => huge(item, place),
        _ => Fault::at(place, format!("{what} is an integer, not {}", excerpt(item))),
    }
}

fn huge<T>(item: Item<'_>, place: Place) -> Result<T> {
    Fault::at(place, format!("the integer {} does not fit into 64 bits", excerpt(item)))
}

/// The item in EDN, on one line.
pub(super) fn shown(item: Item<'_>) -> String {
    let mut text = String::new();
    show(&mut text, item);
    text
}

/// The same, cut to what an error message has room for.
pub(super) fn excerpt(item: Item<'_>) -> String {
    const LONGEST: usize = 60;
    let text = shown(item);
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}

fn show(text: &mut String, item: Item<'_>) {
    let Some(shape) = item.shape() else {
        match item.node() {
            Node::Integer(integer) => {
                // Writing into a text does not fail.
                let _ = write!(text, "{integer}");
            }
            Node::Text(Kind::String, ..) => quoted(text, item.text().unwrap_or_default()),
            _ => text.push_str(item.text().unwrap_or("nil")),
        }
        return;
    };
    let (open, close) = match shape {
        Shape::Sequence => ("[", ']'),
        Shape::Set => ("#{", '}'),
        Shape::Map => ("{", '}'),
    };
    text.push_str(open);
    for (place, member) in item.members().enumerate() {
        if place > 0 {
            text.push(' ');
        }
        show(text, member);
    }
    text.push(close);
}

/// A text in quotes, as both EDN and JSON have it.
pub(super) fn quoted(into: &mut String, text: &str) {
    into.push('"');
    for character in text.chars() {
        match character {
            '"' => into.push_str("\\\""),
            '\\' => into.push_str("\\\\"),
            '\n' => into.push_str("\\n"),
            '\r' => into.push_str("\\r"),
            '\t' => into.push_str("\\t"),
            control if control < ' ' => {
                let _ = write!(into, "\\u{:04x}", u32::from(control));
            }
            other => into.push(other),
        }
    }
    into.push('"');
}
