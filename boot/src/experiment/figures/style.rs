//! Colours and markers: one of each for each of those who are compared, the same in every figure.
//!
//! The colours are those of Okabe and Ito, which people tell apart however they see colours, then further ones of the
//! same kind; markers and dashes say the same again for whoever prints in grey.

use freehold_abi::designs::Design;
use plotters::style::RGBColor;

/// What a point looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marker {
    /// A disc.
    Disc,
    /// A circle.
    Circle,
    /// A filled square.
    Square,
    /// A square's outline.
    Frame,
    /// A triangle that points up.
    Up,
    /// A triangle that points down.
    Down,
    /// A diamond.
    Diamond,
    /// A diamond's outline.
    Lozenge,
    /// A plus.
    Plus,
    /// A cross.
    Cross,
}

impl Marker {
    /// Whether what lies under it can be seen.
    pub fn is_outline(self) -> bool {
        !matches!(self, Marker::Disc | Marker::Square | Marker::Up | Marker::Down | Marker::Diamond)
    }
}

/// How something is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Its colour.
    pub colour: RGBColor,
    /// Its points.
    pub marker: Marker,
    /// Its line: pixels drawn and left out in turn; empty: drawn throughout.
    pub dash: &'static [u32],
}

const fn style(colour: (u8, u8, u8), marker: Marker, dash: &'static [u32]) -> Style {
    Style { colour: RGBColor(colour.0, colour.1, colour.2), marker, dash }
}

/// In the order in which they are given out.
const STYLES: [Style; 10] = [
    style((0, 114, 178), Marker::Disc, &[]),
    style((86, 180, 233), Marker::Circle, &[8, 4]),
    style((213, 94, 0), Marker::Square, &[]),
    style((230, 159, 0), Marker::Frame, &[8, 4]),
    style((204, 121, 167), Marker::Up, &[2, 3]),
    style((0, 158, 115), Marker::Down, &[12, 4, 2, 4]),
    style((0, 0, 0), Marker::Diamond, &[4, 4]),
    style((136, 34, 85), Marker::Lozenge, &[]),
    style((68, 68, 140), Marker::Plus, &[10, 3]),
    style((110, 110, 110), Marker::Cross, &[3, 5]),
];

/// A limit, or what is only there to compare with.
pub const BOUND: Style = style((90, 90, 90), Marker::Cross, &[3, 3]);

/// The style of the one at this place.
pub fn nth(place: usize) -> Style {
    STYLES[place % STYLES.len()]
}

/// The style of a subject: a design's own, wherever it is shown; the further ones for other kernels, in their order.
pub fn of(subject: &str, subjects: &[String]) -> Style {
    if let Some(place) = Design::ALL.iter().position(|design| design.name() == subject) {
        return nth(place);
    }
    let others = subjects.iter().filter(|other| Design::ALL.iter().all(|design| design.name() != *other));
    let place = others.into_iter().position(|other| other == subject).unwrap_or(0);
    nth(Design::ALL.len() + place % (STYLES.len() - Design::ALL.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_look_alike_even_in_grey() {
        for (at, one) in STYLES.iter().enumerate() {
            for other in &STYLES[..at] {
                assert_ne!(one.colour, other.colour);
                assert_ne!(one.marker, other.marker, "in grey the marker tells");
            }
        }
    }

    #[test]
    fn a_design_has_one_style_whoever_else_is_there() {
        let some = ["kernel-heap".to_string(), "zircon".into()];
        let more = ["user-tables".to_string(), "kernel-heap".into(), "alpha".into(), "zircon".into()];
        assert_eq!(of("kernel-heap", &some), of("kernel-heap", &more));
        assert_ne!(of("alpha", &more), of("zircon", &more));
        assert!(more.iter().all(|one| one == "zircon" || of(one, &more) != of("zircon", &more)));
    }
}
