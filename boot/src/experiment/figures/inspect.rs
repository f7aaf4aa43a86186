//! For tests: what an SVG holds, read back.

use super::ink::{OUTLINE, STROKE};

/// A text, and the box it takes up: left, top, right, bottom.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// What it says.
    pub text: String,
    /// Where.
    pub area: (f64, f64, f64, f64),
}

/// The value of an attribute in a tag.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let rest = &tag[tag.find(&format!(" {name}=\""))? + name.len() + 3..];
    Some(&rest[..rest.find('"')?])
}

fn number(tag: &str, name: &str) -> f64 {
    attribute(tag, name).and_then(|text| text.parse().ok()).unwrap_or(f64::NAN)
}

/// The tags of a kind.
pub fn tags<'a>(svg: &'a str, kind: &str) -> Vec<&'a str> {
    let begin = format!("<{kind} ");
    svg.match_indices(&begin).map(|(at, _)| &svg[at..at + svg[at..].find('>').expect("a tag ends")]).collect()
}

/// Width and height.
pub fn size(svg: &str) -> (f64, f64) {
    let tag = tags(svg, "svg")[0];
    (number(tag, "width"), number(tag, "height"))
}

/// Every text.
pub fn texts(svg: &str) -> Vec<Written> {
    svg.match_indices("<text ")
        .map(|(at, _)| {
            let end = at + svg[at..].find("</text>").expect("a text ends");
            let (tag, text) = svg[at..end].split_once('>').expect("a tag ends");
            let text = text.trim().replace("&lt;", "<").replace("&gt;", ">").replace("&apos;", "'");
            let text = text.replace("&quot;", "\"").replace("&amp;", "&");
            let (x, y, size) = (number(tag, "x"), number(tag, "y"), number(tag, "font-size"));
            // Letters of a sans-serif are that wide, on average.
            let wide = text.chars().count() as f64 * size * 0.55;
            let left = match attribute(tag, "text-anchor") {
                Some("middle") => -wide / 2.0,
                Some("end") => -wide,
                _ => 0.0,
            };
            let down = match attribute(tag, "dy") {
                Some("0.76em") => 0.0,
                Some("0.5ex") => -size / 2.0,
                _ => -size * 0.8,
            };
            let flat = (left, down, left + wide, down + size);
            let area = match attribute(tag, "transform") {
                Some(turn) if turn.contains("270") => (x + flat.1, y - flat.2, x + flat.3, y - flat.0),
                _ => (x + flat.0, y + flat.1, x + flat.2, y + flat.3),
            };
            Written { text, area }
        })
        .collect()
}

/// What is wrong with an SVG that can be seen without looking: text upon text, text beside the page, no numbers.
pub fn faults(svg: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if svg.contains("NaN") || svg.contains("inf") {
        faults.push("a value that is no number".into());
    }
    let (width, height) = size(svg);
    let texts = texts(svg);
    for (at, one) in texts.iter().enumerate() {
        let (left, top, right, bottom) = one.area;
        if !(left >= 0.0 && top >= 0.0 && right <= width && bottom <= height) {
            faults.push(format!("beside the page: {one:?}"));
        }
        for other in &texts[..at] {
            let across = right.min(other.area.2) - left.max(other.area.0);
            let down = bottom.min(other.area.3) - top.max(other.area.1);
            if across > 2.0 && down > 4.0 {
                faults.push(format!("upon each other: {one:?} {other:?}"));
            }
        }
    }
    faults
}

/// How many markers there are: circles, filled or not, polygons, closed outlines, and crosses as half of their strokes.
pub fn markers(svg: &str) -> usize {
    let lines = tags(svg, "polyline");
    let of_width = |wide: u32| {
        let text = format!("stroke-width=\"{wide}\"");
        lines.iter().filter(move |tag| tag.contains(&text))
    };
    let closed = |tag: &&&str| {
        let points: Vec<&str> = attribute(tag, "points").unwrap_or_default().split_whitespace().collect();
        points.len() > 3 && points.first() == points.last()
    };
    let outlines = of_width(OUTLINE).filter(closed).count();
    tags(svg, "circle").len() + tags(svg, "polygon").len() + outlines + of_width(STROKE).count() / 2
}
