//! Lines, markers and text on a drawing area, in pixels.

use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::style::{Marker, Style};

/// What is drawn on.
pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// A place, in pixels.
pub type Place = (i32, i32);

/// The letters of all text.
pub const FONT: &str = "sans-serif";
/// Their size where there is no reason for another.
pub const SIZE: i32 = 14;
/// How wide a letter is at most, on average, for its size.
const LETTER: f64 = 0.5;
/// Half of a marker's width.
pub const RADIUS: i32 = 5;

/// How wide the line of an outlined marker is, and the strokes of a cross.
pub const OUTLINE: u32 = 2;
pub const STROKE: u32 = 3;

/// What is at the left of a text, or at its middle, or its right.
#[derive(Debug, Clone, Copy)]
pub enum At {
    /// It begins there.
    Left,
    /// It is around it.
    Middle,
    /// It ends there.
    Right,
}

/// An error of the drawing library as one of ours.
pub fn drawn<T, E: std::fmt::Display>(result: Result<T, E>) -> Result<T> {
    result.map_err(|error| anyhow!("cannot draw: {error}"))
}

/// How wide a text will be.
pub fn width(text: &str, size: i32) -> i32 {
    (text.chars().count() as f64 * f64::from(size) * LETTER).ceil() as i32
}

/// Writes, with the middle of the letters' height at `place`.
pub fn write(area: &Area, text: &str, place: Place, size: i32, at: At, colour: RGBColor) -> Result<()> {
    let across = match at {
        At::Left => HPos::Left,
        At::Middle => HPos::Center,
        At::Right => HPos::Right,
    };
    let style = (FONT, size).into_font().color(&colour).pos(Pos::new(across, VPos::Center));
    drawn(area.draw(&Text::new(text.to_string(), place, style)))
}

/// A line through places.
pub fn line(area: &Area, places: &[Place], colour: RGBColor, dash: &[u32], wide: u32) -> Result<()> {
    if dash.is_empty() {
        return drawn(area.draw(&PathElement::new(places.to_vec(), colour.stroke_width(wide))));
    }
    for piece in dashes(places, dash) {
        drawn(area.draw(&PathElement::new(piece, colour.stroke_width(wide))))?;
    }
    Ok(())
}

/// The drawn pieces of a dashed line.
fn dashes(places: &[Place], dash: &[u32]) -> Vec<Vec<Place>> {
    let mut pieces = Vec::new();
    let (mut at, mut left) = (0, f64::from(dash[0]));
    let round = |(x, y): (f64, f64)| (x.round() as i32, y.round() as i32);
    let mut piece: Vec<Place> = places.first().copied().into_iter().collect();
    for pair in places.windows(2) {
        let ((x0, y0), (x1, y1)) =
            ((f64::from(pair[0].0), f64::from(pair[0].1)), (f64::from(pair[1].0), f64::from(pair[1].1)));
        let length = (x1 - x0).hypot(y1 - y0);
        let mut gone = 0.0;
        while length - gone > left {
            gone += left;
            let here = round((x0 + (x1 - x0) * gone / length, y0 + (y1 - y0) * gone / length));
            if at % 2 == 0 {
                piece.push(here);
                pieces.push(std::mem::take(&mut piece));
            } else {
                piece = vec![here];
            }
            at = (at + 1) % dash.len();
            left = f64::from(dash[at]);
        }
        left -= length - gone;
        if at % 2 == 0 {
            piece.push(pair[1]);
        }
    }
    pieces.extend((piece.len() > 1).then_some(piece));
    pieces
}

/// A point.
pub fn mark(area: &Area, (x, y): Place, style: Style) -> Result<()> {
    let (r, colour) = (RADIUS, style.colour);
    let around = |corners: &[(i32, i32)]| -> Vec<Place> {
        corners.iter().map(|(across, down)| (x + across, y + down)).collect()
    };
    // Outlines are a little larger, and leave what lies under them to be seen.
    let outline = |corners: &[(i32, i32)]| {
        let mut places = around(corners);
        places.push(places[0]);
        drawn(area.draw(&PathElement::new(places, colour.stroke_width(OUTLINE))))
    };
    let square = [(-r, -r), (r, -r), (r, r), (-r, r)];
    let diamond = [(0, -r - 2), (r + 2, 0), (0, r + 2), (-r - 2, 0)];
    match style.marker {
        Marker::Disc => drawn(area.draw(&Circle::new((x, y), r, colour.filled()))),
        Marker::Circle => drawn(area.draw(&Circle::new((x, y), r + 2, colour.stroke_width(OUTLINE)))),
        Marker::Square => drawn(area.draw(&Polygon::new(around(&square), colour.filled()))),
        Marker::Frame => outline(&square.map(|(across, down)| (across * 7 / 5, down * 7 / 5))),
        Marker::Up => {
            drawn(area.draw(&Polygon::new(
                around(&[(0, -r - 2), (r + 1, r - 1), (-r - 1, r - 1)]),
                colour.filled(),
            )))
        }
        Marker::Down => drawn(
            area.draw(&Polygon::new(around(&[(0, r + 2), (r + 1, 1 - r), (-r - 1, 1 - r)]), colour.filled())),
        ),
        Marker::Diamond => drawn(area.draw(&Polygon::new(around(&diamond), colour.filled()))),
        Marker::Lozenge => outline(&diamond),
        Marker::Plus => bars(area, [around(&[(-r, 0), (r, 0)]), around(&[(0, -r), (0, r)])], colour),
        Marker::Cross => bars(area, [around(&[(-r, -r), (r, r)]), around(&[(-r, r), (r, -r)])], colour),
    }
}

fn bars(area: &Area, bars: [Vec<Place>; 2], colour: RGBColor) -> Result<()> {
    bars.into_iter().try_for_each(|bar| drawn(area.draw(&PathElement::new(bar, colour.stroke_width(STROKE)))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dashed_line_leaves_gaps_and_reaches_its_end() {
        assert_eq!(dashes(&[(0, 0), (10, 0)], &[4, 2]), [vec![(0, 0), (4, 0)], vec![(6, 0), (10, 0)]]);
        let bent = dashes(&[(0, 0), (3, 0), (3, 10)], &[6, 2]);
        assert_eq!(bent[0], [(0, 0), (3, 0), (3, 3)]);
        assert_eq!(bent[1], [(3, 5), (3, 10)]);
        assert!(dashes(&[(0, 0)], &[4, 2]).is_empty());
    }
}
