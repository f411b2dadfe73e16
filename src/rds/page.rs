//! Lists in parts: `MaxRecords` and `Marker`.

use super::refusal::Refusal;
use super::request::Params;
use super::xml::{Element, group, text};

/// How many elements a part may have; the last is what it has where nobody says.
const SIZES: std::ops::RangeInclusive<usize> = 20..=100;

/// The part of `elements` that is asked for as the list `name`, and a marker where there is more.
pub(super) fn page(name: &str, elements: Vec<Element>, params: &Params) -> Result<Vec<Element>, Refusal> {
    let size = params.number("MaxRecords")?.unwrap_or(*SIZES.end());
    if !SIZES.contains(&size) {
        let (least, most) = (SIZES.start(), SIZES.end());
        return Err(Refusal::value(format!("MaxRecords must be from {least} to {most}, not {size}.")));
    }
    let start: usize = params.number("Marker")?.unwrap_or(0);
    let next = start.saturating_add(size);
    let marker = (next < elements.len()).then(|| text("Marker", next));
    let part = elements.into_iter().skip(start).take(size).collect();
    Ok([group(name, part)].into_iter().chain(marker).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(query: &str) -> Result<(usize, Option<String>), &'static str> {
        let elements = (0..45).map(|number| text("N", number)).collect();
        let answer = page("Ns", elements, &Params::parse(query, b"")).map_err(|refusal| refusal.code)?;
        let (mut count, mut marker) = (0, None);
        for element in answer {
            match element {
                Element::Group(_, all) => count = all.len(),
                Element::Text(_, text) => marker = Some(text),
            }
        }
        Ok((count, marker))
    }

    #[test]
    fn a_marker_leads_to_the_next_part() {
        assert_eq!(part(""), Ok((45, None)));
        assert_eq!(part("MaxRecords=20"), Ok((20, Some("20".to_owned()))));
        assert_eq!(part("MaxRecords=20&Marker=40"), Ok((5, None)));
        assert_eq!(part("Marker=99"), Ok((0, None)));
        assert_eq!(part("MaxRecords=19"), Err("InvalidParameterValue"));
        assert_eq!(part("Marker=x"), Err("InvalidParameterValue"));
    }
}
