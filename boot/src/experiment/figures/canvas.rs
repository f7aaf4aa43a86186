//! A white page with a title and, below what is drawn, a legend.

use anyhow::Result;
use plotters::prelude::*;

use super::ink::{self, Area, At, SIZE, drawn};
use super::style::Style;

/// Room above for the title.
pub const TITLE: i32 = 40;
/// Height of a line of the legend.
const LINE: i32 = 24;
/// Length of a piece of line in the legend.
const SAMPLE: i32 = 40;
/// Size of the title's letters.
const TITLE_SIZE: i32 = 17;

/// What the legend says about one of those who are shown.
pub struct Entry {
    /// Its name.
    pub label: String,
    /// How it is drawn.
    pub style: Style,
    /// Whether its points are marked.
    pub marked: bool,
}

/// Room that a legend takes in such a width.
pub fn legend_height(entries: &[Entry], notes: &[String], width: i32) -> i32 {
    let lines =
        lines(entries, width).len() + notes.iter().map(|note| wrapped(note, width).len()).sum::<usize>();
    lines as i32 * LINE + 16
}

/// Draws on a white page of this size, and gives the SVG.
///
/// # Errors
/// Something could not be drawn.
pub fn page(width: i32, height: i32, title: &str, draw: impl FnOnce(&Area) -> Result<()>) -> Result<String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (width as u32, height as u32)).into_drawing_area();
        drawn(area.fill(&WHITE))?;
        ink::write(&area, title, (width / 2, TITLE / 2), TITLE_SIZE, At::Middle, BLACK)?;
        draw(&area)?;
        drawn(area.present())?;
    }
    Ok(svg)
}

/// Draws the legend from `top` on, then the notes.
pub fn legend(area: &Area, entries: &[Entry], notes: &[String], top: i32, width: i32) -> Result<()> {
    let mut y = top + LINE / 2;
    for line in lines(entries, width) {
        let all: i32 = line.iter().map(|entry| wide(entry)).sum();
        let mut x = (width - all) / 2;
        for entry in line {
            ink::line(area, &[(x, y), (x + SAMPLE, y)], entry.style.colour, entry.style.dash, 2)?;
            if entry.marked {
                ink::mark(area, (x + SAMPLE / 2, y), entry.style)?;
            }
            ink::write(area, &entry.label, (x + SAMPLE + 8, y), SIZE, At::Left, BLACK)?;
            x += wide(entry);
        }
        y += LINE;
    }
    for line in notes.iter().flat_map(|note| wrapped(note, width)) {
        ink::write(area, &line, (width / 2, y), SIZE - 1, At::Middle, RGBColor(70, 70, 70))?;
        y += LINE;
    }
    Ok(())
}

fn wide(entry: &Entry) -> i32 {
    SAMPLE + 8 + ink::width(&entry.label, SIZE) + 24
}

/// The entries, line by line.
fn lines(entries: &[Entry], width: i32) -> Vec<Vec<&Entry>> {
    let mut lines: Vec<Vec<&Entry>> = Vec::new();
    let mut used = width;
    for entry in entries {
        if used + wide(entry) > width - 20 {
            lines.push(Vec::new());
            used = 0;
        }
        used += wide(entry);
        lines.last_mut().expect("a line was begun").push(entry);
    }
    lines
}

/// A note in lines that fit.
fn wrapped(note: &str, width: i32) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in note.split(' ') {
        let line = lines.last_mut().expect("there is one");
        if !line.is_empty() && ink::width(line, SIZE - 1) + ink::width(word, SIZE) > width - 40 {
            lines.push(word.into());
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines
}
