//! Attacks down, designs across, and in each cell how it came out, in colour and in words.
//!
//! The colours differ in lightness too, and each cell says the same in text.

use anyhow::Result;
use plotters::prelude::*;

use super::canvas::{self, TITLE};
use super::ink::{self, At, SIZE, drawn};
use crate::experiment::data::Outcome;

/// The cells.
pub struct Matrix {
    /// Whose the columns are.
    pub columns: Vec<String>,
    /// Attacks, and a cell for each column; `None`: not measured.
    pub rows: Vec<(String, Vec<Option<Cell>>)>,
    /// What must be known.
    pub notes: Vec<String>,
}

/// One cell.
#[derive(Debug, Clone)]
pub struct Cell {
    /// How it came out.
    pub outcome: Outcome,
    /// A second line.
    pub detail: String,
    /// Whether it came out as was predicted; `None`: nothing was.
    pub predicted: Option<bool>,
}

const NAMES: i32 = 210;
const CELL: (i32, i32) = (136, 40);
const HEAD: i32 = 46;

/// Background and letters.
fn colours(outcome: Option<Outcome>) -> (RGBColor, RGBColor) {
    match outcome {
        None => (WHITE, RGBColor(110, 110, 110)),
        Some(Outcome::Impossible) => (RGBColor(238, 238, 238), BLACK),
        Some(Outcome::Untried) => (RGBColor(180, 180, 180), BLACK),
        Some(Outcome::Held) => (RGBColor(200, 228, 245), BLACK),
        Some(Outcome::Degraded) => (RGBColor(230, 159, 0), BLACK),
        Some(Outcome::Broken) => (RGBColor(122, 40, 0), WHITE),
    }
}

impl Matrix {
    /// The SVG.
    pub fn draw(&self, title: &str) -> Result<String> {
        let width = (NAMES + self.columns.len() as i32 * CELL.0 + 20).max(700);
        let below = TITLE + HEAD + self.rows.len() as i32 * CELL.1 + 10;
        let height = below + 30 + canvas::legend_height(&[], &self.notes, width);
        canvas::page(width, height, title, |area| {
            for (at, name) in (0..).zip(&self.columns) {
                let x = NAMES + at * CELL.0 + CELL.0 / 2;
                let lines: Vec<&str> = name.split_inclusive(',').collect();
                for (line, text) in (0..).zip(&lines) {
                    let y = TITLE + HEAD / 2 + (2 * line + 1 - lines.len() as i32) * 9;
                    ink::write(area, text, (x, y), SIZE, At::Middle, BLACK)?;
                }
            }
            for (at, (name, cells)) in (0..).zip(&self.rows) {
                let top = TITLE + HEAD + at * CELL.1;
                ink::write(area, name, (NAMES - 12, top + CELL.1 / 2), SIZE, At::Right, BLACK)?;
                for (column, cell) in (0..).zip(cells) {
                    draw_cell(area, cell.as_ref(), (NAMES + column * CELL.0, top))?;
                }
            }
            let mut x = NAMES;
            for outcome in Outcome::ALL.map(Some).into_iter().chain([None]) {
                let (ground, _) = colours(outcome);
                let name = outcome.map_or("not measured", Outcome::name);
                let corners = [(x, below + 4), (x + 22, below + 22)];
                drawn(area.draw(&Rectangle::new(corners, ground.filled())))?;
                drawn(area.draw(&Rectangle::new(corners, BLACK.stroke_width(1))))?;
                ink::write(area, name, (x + 30, below + 13), SIZE, At::Left, BLACK)?;
                x += 30 + ink::width(name, SIZE) + 18;
            }
            canvas::legend(area, &[], &self.notes, below + 30, width)
        })
    }

    /// Heads and rows.
    pub fn rows(&self) -> (Vec<String>, Vec<Vec<String>>) {
        let heads = ["attack", "design", "outcome", "detail", "as predicted"].map(String::from);
        let mut rows = Vec::new();
        for (attack, cells) in &self.rows {
            for (column, cell) in self.columns.iter().zip(cells) {
                let texts =
                    cell.as_ref().map_or(["not measured".into(), String::new(), String::new()], |cell| {
                        let predicted = cell.predicted.map_or("", |good| if good { "yes" } else { "no" });
                        [cell.outcome.name().into(), cell.detail.clone(), predicted.into()]
                    });
                rows.push([&[attack.clone(), column.clone()][..], &texts].concat());
            }
        }
        (heads.into(), rows)
    }
}

fn draw_cell(area: &ink::Area, cell: Option<&Cell>, (left, top): (i32, i32)) -> Result<()> {
    let (ground, letters) = colours(cell.map(|cell| cell.outcome));
    let corners = [(left + 1, top + 1), (left + CELL.0 - 1, top + CELL.1 - 1)];
    drawn(area.draw(&Rectangle::new(corners, ground.filled())))?;
    drawn(area.draw(&Rectangle::new(corners, RGBColor(150, 150, 150).stroke_width(1))))?;
    let middle = left + CELL.0 / 2;
    let Some(cell) = cell else {
        return ink::write(area, "not measured", (middle, top + CELL.1 / 2), SIZE - 2, At::Middle, letters);
    };
    let surprise = if cell.predicted == Some(false) { " !" } else { "" };
    let name = format!("{}{surprise}", cell.outcome.name());
    if cell.detail.is_empty() {
        return ink::write(area, &name, (middle, top + CELL.1 / 2), SIZE, At::Middle, letters);
    }
    ink::write(area, &name, (middle, top + 13), SIZE, At::Middle, letters)?;
    ink::write(area, &cell.detail, (middle, top + 29), SIZE - 3, At::Middle, letters)
}
