//! The picture as SVG: for a page, which has the styles, or as a file of its own.

use maud::{Markup, PreEscaped, html};

use super::layout::{ArrowAt, LEGEND_ROW, LaneAt, Layout, kinds, who};
use super::text::{shorten, shown};
use super::{Arrow, Ending, Kind, Lane, Picture, STYLE};
use crate::report::html::charts::at;
use crate::report::html::theme;

/// The picture for a page.
pub(in crate::report) fn figure(picture: &Picture) -> Markup {
    let layout = Layout::new(picture, false);
    let (title, description) = (format!("{}-t", picture.id), format!("{}-d", picture.id));
    html! {
        figure.chart id=(picture.id) {
            div.plot tabindex="0" role="region" aria-label=(shown(&picture.title)) {
                svg.picture viewBox={ "0 0 " (at(layout.width)) " " (at(layout.height)) } role="img"
                    aria-labelledby={ (title) " " (description) } {
                    title id=(title) { (shown(&picture.title)) }
                    desc id=(description) { (shown(&picture.description)) }
                    (body(picture, &layout))
                }
            }
        }
    }
}

/// The picture as a file, in the theme of whoever looks at it. Ends in a line break.
pub(in crate::report) fn standalone(picture: &Picture) -> String {
    let layout = Layout::new(picture, true);
    let (width, height) = (at(layout.width), at(layout.height + 8.0));
    let svg = html! {
        svg.picture xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (width) " " (height) } width=(width)
            height=(height) role="img" aria-labelledby="picture-t picture-d" {
            title id="picture-t" { (shown(&picture.title)) }
            desc id="picture-d" { (shown(&picture.description)) }
            style { (PreEscaped(theme())) (PreEscaped(STYLE)) }
            rect.paper width=(width) height=(height) {}
            @for (line, (y, text)) in layout.heading.iter().enumerate() {
                text class=(if line == 0 { "heading" } else { "about" }) x="14" y=(at(*y)) { (text) }
            }
            (body(picture, &layout))
        }
    };
    svg.into_string() + "\n"
}

fn body(picture: &Picture, layout: &Layout) -> Markup {
    html! {
        (axis(picture, layout))
        @for (y, node) in &layout.nodes {
            path.rule d={ "M14 " (at(y + 6.0)) "H" (at(layout.scale.right)) } {}
            text.node x="14" y=(at(*y)) { "on " (node) }
        }
        @for lane in &layout.lanes { (bar(picture, lane)) }
        @for lane in &layout.lanes { (cuts(lane, picture, layout)) }
        @for arrow in &layout.arrows { (drawn(&picture.arrows[arrow.arrow], arrow, layout)) }
        @for lane in &layout.lanes {
            @if !picture.arrows.is_empty() { (badge(&picture.lanes[lane.lane], lane)) }
        }
        (legend(picture, layout))
    }
}

fn axis(picture: &Picture, layout: &Layout) -> Markup {
    let scale = &layout.scale;
    let (left, right, top, y) = (at(scale.left), at(scale.right), at(layout.top), layout.axis);
    html! {
        @if picture.is_timed {
            @for (x, number) in scale.ticks() {
                path.grid d={ "M" (at(x)) " " (top) "V" (at(y)) } {}
                text.tick x=(at(x)) y=(at(y + 16.0)) text-anchor="middle" { (number) }
            }
            path.base d={ "M" (left) " " (at(y)) "H" (right) } {}
            text.unit x=(left) y=(at(y + 32.0)) { (scale.unit()) " from the first event" }
            @for one in scale.breaks() {
                rect.gap-ground x=(at(one.x - 8.0)) y=(top) width="16" height=(at(y - layout.top)) {}
                path.zigzag d={ "M" (at(one.x - 9.0)) " " (at(y)) "l3.6 -6 3.6 12 3.6 -12 3.6 12 3.6 -6" } {}
                text.unit x=(at(one.x)) y=(at(y + 32.0)) text-anchor="middle" { "… " (one.length) " …" }
            }
        } @else {
            text.unit x=(left) y=(at(y + 16.0)) { "The history tells of no times: bars say nothing of when." }
        }
    }
}

fn bar(picture: &Picture, place: &LaneAt) -> Markup {
    let (lane, area) = (&picture.lanes[place.lane], place.bar);
    let (class, ending) = match lane.ending {
        Ending::Acknowledged => ("acknowledged", None),
        Ending::Failed => ("failed", Some("not committed")),
        Ending::Unknown => ("unknown", Some("outcome unknown")),
    };
    let middle = (area.top + area.bottom) / 2.0;
    html! {
        g.lane {
            title { (shown(&told(lane, picture.is_timed))) }
            text.name x="14" y=(at(middle)) dy="0.34em" {
                (shown(&lane.name)) tspan.who dx="8" { (who(lane)) }
            }
            @if let Some(ending) = ending { text.ending x="14" y=(at(area.bottom + 14.0)) { (ending) } }
            @if !picture.arrows.is_empty() {
                path.leader d={ "M" (at(area.right)) " " (at(middle)) "H" (at(place.badge.left)) } {}
            }
            @if lane.ending == Ending::Unknown {
                path class="run unknown" d={ "M" (at(area.right)) " " (at(area.top)) "H" (at(area.left)) "V" (at(area.bottom))
                    "H" (at(area.right)) } {}
            } @else {
                rect class={ "run " (class) } x=(at(area.left)) y=(at(area.top)) width=(at(area.right - area.left))
                    height=(at(area.bottom - area.top)) rx="2.5" {}
            }
            @for (x, y, parts) in &place.lines {
                text.operations x=(at(*x)) y=(at(*y)) {
                    @for (text, is_marked) in parts {
                        @if *is_marked { tspan.marked { (text) } } @else { (text) }
                    }
                }
            }
        }
    }
}

/// A bar is cut where the axis is broken: it is longer than it looks.
fn cuts(place: &LaneAt, picture: &Picture, layout: &Layout) -> Markup {
    let area = place.bar;
    let breaks = if picture.is_timed { layout.scale.breaks() } else { Vec::new() };
    html! {
        @for one in breaks.iter().filter(|one| area.left < one.x && one.x < area.right) {
            path.cut d={ "M" (at(one.x - 7.0)) " " (at(area.bottom + 1.0)) "l7 -16h7l-7 16z" } {}
        }
    }
}

/// All of a lane, for the pointer and for those who do not see it.
fn told(lane: &Lane, is_timed: bool) -> String {
    let operations: Vec<&str> = lane.operations.iter().map(|(text, _)| text.as_str()).collect();
    let times = match is_timed {
        true => format!(", {:.6} to {:.6} ms", lane.start.as_millis_f64(), lane.end.as_millis_f64()),
        false => String::new(),
    };
    format!("{}, {} on {}{times}: {}", lane.name, who(lane), lane.node, operations.join(", "))
}

fn badge(lane: &Lane, place: &LaneAt) -> Markup {
    let area = place.badge;
    let (x, y) = ((area.left + area.right) / 2.0, (area.top + area.bottom) / 2.0);
    html! {
        rect.badge x=(at(area.left)) y=(at(area.top + 1.0)) width=(at(area.right - area.left))
            height=(at(area.bottom - area.top - 2.0)) rx="5" {}
        text.badge-name x=(at(x)) y=(at(y)) dy="0.34em" text-anchor="middle" { (shorten(&shown(&lane.name), 4)) }
    }
}

fn drawn(arrow: &Arrow, place: &ArrowAt, layout: &Layout) -> Markup {
    let badge = layout.lanes.first().map_or(0.0, |lane| lane.badge.right);
    let (x, from, to) = (place.track, place.from, place.to);
    let round = if from < to { 7.0 } else { -7.0 };
    let line = format!(
        "M{} {}H{}M{} {}H{}Q{} {} {} {}V{}Q{} {} {} {}H{}",
        at(badge),
        at(from),
        at(place.label.left - 3.0),
        at(place.label.right + 3.0),
        at(from),
        at(x - 7.0),
        at(x),
        at(from),
        at(x),
        at(from + round),
        at(to - round),
        at(x),
        at(to),
        at(x - 7.0),
        at(to),
        at(badge + 8.0)
    );
    html! {
        g class={ "arrow " (arrow.kind.word()) } {
            title { (shown(&arrow.sentence)) }
            path.way d=(line) {}
            path.head d={ "M" (at(badge + 1.0)) " " (at(to)) "l9.5 -4.8v9.6z" } {}
            text.label x=(at(place.label.left)) y=(at(from)) dy="0.34em" { (place.text) }
        }
    }
}

fn legend(picture: &Picture, layout: &Layout) -> Markup {
    let row = |place: usize| layout.legend + LEGEND_ROW * place as f64 + 8.0;
    let kinds: Vec<Kind> = kinds(picture);
    html! {
        @for (place, kind) in kinds.iter().enumerate() {
            @let y = row(place);
            g class={ "arrow " (kind.word()) } {
                path.way d={ "M14 " (at(y)) "H46" } {}
                path.head d={ "M54 " (at(y)) "l-9.5 -4.8v9.6z" } {}
                text.label x="64" y=(at(y)) dy="0.34em" { (kind.word()) }
            }
            text.unit x="130" y=(at(y)) dy="0.34em" { (kind.meaning()) }
        }
        @if let Some(note) = &picture.note {
            text.unit x="14" y=(at(row(kinds.len()))) dy="0.34em" { (shown(note)) }
        }
    }
}
