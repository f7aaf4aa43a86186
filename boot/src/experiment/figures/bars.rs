//! Bars, each made of parts, with what they add up to written beside them.

use anyhow::Result;
use plotters::prelude::*;

use super::canvas::{self, TITLE};
use super::ink::{self, At, SIZE, drawn};
use super::scale::{Kind, Scale};
use crate::experiment::number::number;

/// Bars in panels, one below the other.
pub struct Bars {
    /// The panels.
    pub panels: Vec<BarPanel>,
    /// What the parts of a bar are, from left to right: the same for all.
    pub parts: Vec<(String, RGBColor)>,
    /// What must be known.
    pub notes: Vec<String>,
}

/// Bars that are compared with one another.
pub struct BarPanel {
    /// What they show.
    pub title: String,
    /// In what.
    pub unit: String,
    /// Whose, and its parts.
    pub bars: Vec<(String, Vec<f64>)>,
}

const WIDTH: i32 = 900;
const NAMES: i32 = 230;
const VALUES: i32 = 250;
const BAR: i32 = 26;
/// Height of a line that says what a part is.
const PART: i32 = 22;
/// Above and below the bars of a panel.
const AROUND: i32 = 44;

impl Bars {
    /// The SVG.
    pub fn draw(&self, title: &str) -> Result<String> {
        let tall = |panel: &BarPanel| panel.bars.len() as i32 * BAR + 2 * AROUND;
        let all: i32 = self.panels.iter().map(tall).sum();
        let parts = self.parts.len() as i32 * PART + 10;
        let height = TITLE + all + parts + canvas::legend_height(&[], &self.notes, WIDTH);
        canvas::page(WIDTH, height, title, |area| {
            let mut top = TITLE;
            for panel in &self.panels {
                self.panel(area, panel, top)?;
                top += tall(panel);
            }
            for (name, colour) in &self.parts {
                let corners = [(NAMES, top + 6), (NAMES + 18, top + 22)];
                drawn(area.draw(&Rectangle::new(corners, colour.filled())))?;
                ink::write(area, name, (NAMES + 26, top + 14), SIZE, At::Left, BLACK)?;
                top += PART;
            }
            canvas::legend(area, &[], &self.notes, top + 10, WIDTH)
        })
    }

    fn panel(&self, area: &ink::Area, panel: &BarPanel, top: i32) -> Result<()> {
        let sums: Vec<f64> = panel.bars.iter().map(|(_, parts)| parts.iter().sum()).collect();
        let scale = Scale::new(Kind::Linear, &sums, false);
        let across =
            |value: f64| NAMES + (f64::from(WIDTH - NAMES - VALUES) * value / scale.range.1).round() as i32;
        ink::write(area, &panel.title, (NAMES, top + 14), SIZE + 1, At::Left, BLACK)?;
        let (first, last) = (top + AROUND - 14, top + AROUND - 14 + panel.bars.len() as i32 * BAR);
        for &tick in &scale.ticks {
            let x = across(tick);
            ink::line(area, &[(x, first), (x, last)], RGBColor(215, 215, 215), &[], 1)?;
            ink::write(area, &scale.text(tick), (x, last + 12), SIZE - 2, At::Middle, BLACK)?;
        }
        let unit = (across(scale.range.1) + 60, last + 12);
        ink::write(area, &panel.unit, unit, SIZE - 1, At::Left, BLACK)?;
        for (at, (name, parts)) in (0..).zip(&panel.bars) {
            let y = first + at * BAR + BAR / 2;
            ink::write(area, name, (NAMES - 10, y), SIZE, At::Right, BLACK)?;
            let mut from = 0.0;
            for (part, (_, colour)) in parts.iter().zip(&self.parts) {
                let corners = [(across(from), y - 8), (across(from + part), y + 8)];
                if *part > 0.0 {
                    drawn(area.draw(&Rectangle::new(corners, colour.filled())))?;
                }
                from += part;
            }
            let told = self.told(parts);
            ink::write(area, &told, (across(from) + 8, y), SIZE - 1, At::Left, BLACK)?;
        }
        Ok(())
    }

    /// What a bar adds up to, and of what.
    fn told(&self, parts: &[f64]) -> String {
        let sum = number(parts.iter().sum());
        let several = parts.iter().filter(|part| **part > 0.0).count() > 1;
        if !several {
            return sum;
        }
        let parts: Vec<String> = parts.iter().map(|part| number(*part)).collect();
        format!("{sum} ({})", parts.join(" + "))
    }

    /// Heads and rows.
    pub fn rows(&self) -> (Vec<String>, Vec<Vec<String>>) {
        let mut heads = vec!["panel".into(), "unit".into(), "of".into()];
        heads.extend(self.parts.iter().map(|(name, _)| name.clone()));
        let row = |panel: &BarPanel, (name, parts): &(String, Vec<f64>)| {
            let texts = vec![panel.title.clone(), panel.unit.clone(), name.clone()];
            [texts, parts.iter().map(f64::to_string).collect()].concat()
        };
        let rows = self.panels.iter().flat_map(|panel| panel.bars.iter().map(move |bar| row(panel, bar)));
        (heads, rows.collect())
    }
}
