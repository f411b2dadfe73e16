//! The answers' XML: a small tree, written by a library that escapes what has to be escaped.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

/// What the elements of every answer belong to.
const NAMESPACE: &str = "http://rds.amazonaws.com/doc/2014-10-31/";

/// An element with a text, or with elements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Element {
    Text(String, String),
    Group(String, Vec<Element>),
}

/// An element that holds a text.
pub(super) fn text(name: &str, value: impl ToString) -> Element {
    Element::Text(name.to_owned(), value.to_string())
}

/// An element that holds others.
pub(super) fn group(name: &str, children: Vec<Element>) -> Element {
    Element::Group(name.to_owned(), children)
}

/// The whole document.
pub(super) fn document(root: &Element) -> io::Result<Vec<u8>> {
    let mut writer = Writer::new(Vec::new());
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    write(&mut writer, root, Some(NAMESPACE))?;
    Ok(writer.into_inner())
}

fn write(writer: &mut Writer<Vec<u8>>, element: &Element, namespace: Option<&str>) -> io::Result<()> {
    let (Element::Text(name, _) | Element::Group(name, _)) = element;
    let mut start = BytesStart::new(name);
    if let Some(namespace) = namespace {
        start.push_attribute(("xmlns", namespace));
    }
    writer.write_event(Event::Start(start))?;
    match element {
        Element::Text(_, value) => writer.write_event(Event::Text(BytesText::new(&printable(value))))?,
        Element::Group(_, children) => {
            children.iter().try_for_each(|child| write(writer, child, None))?;
        }
    }
    writer.write_event(Event::End(BytesEnd::new(name)))
}

/// A message may repeat what a client sent, and XML 1.0 has no place for most control characters, escaped or not.
fn printable(value: &str) -> String {
    let is_text = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r');
    value.chars().map(|c| if is_text(c) { c } else { '\u{fffd}' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_markup_is_escaped() {
        let tree = group("Answer", vec![text("Message", "a < b & \u{1}c"), group("List", Vec::new())]);
        assert_eq!(
            String::from_utf8(document(&tree).unwrap()).unwrap(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Answer xmlns=\"http://rds.amazonaws.com/doc/2014-10-31/\">\
             <Message>a &lt; b &amp; \u{fffd}c</Message><List></List></Answer>"
        );
    }
}
