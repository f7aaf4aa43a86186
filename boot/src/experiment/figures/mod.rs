//! The figures, as SVG, and for each a CSV file with all that it shows.
//!
//! What must hold: a figure shows every value that there is for it, and says of what there is none; the same records
//! give the same bytes.

pub mod bars;
mod canvas;
mod content;
mod ink;
pub mod matrix;
pub mod plot;
mod scale;
pub mod style;

#[cfg(test)]
pub mod inspect;
#[cfg(test)]
mod proof;

use anyhow::Result;

pub use content::{all, matrix_of};

use bars::Bars;
use matrix::Matrix;
use plot::Plot;

/// One figure.
pub struct Figure {
    /// Its file's name, without the end.
    pub name: String,
    /// What it shows, in one line.
    pub title: String,
    /// How it shows it.
    pub kind: Kind,
    /// What is missing, for whom.
    pub missing: Vec<String>,
}

/// How a figure shows what it has.
pub enum Kind {
    /// Lines through points.
    Plot(Plot),
    /// Bars beside one another.
    Bars(Bars),
    /// Coloured cells with text.
    Matrix(Matrix),
}

impl Figure {
    /// Whether there is anything to show.
    pub fn is_empty(&self) -> bool {
        match &self.kind {
            Kind::Plot(plot) => plot.panels.iter().all(|panel| panel.series.is_empty()),
            Kind::Bars(bars) => bars.panels.iter().all(|panel| panel.bars.is_empty()),
            Kind::Matrix(matrix) => matrix.rows.is_empty(),
        }
    }

    /// The SVG.
    ///
    /// # Errors
    /// It could not be drawn.
    pub fn svg(&self) -> Result<String> {
        match &self.kind {
            Kind::Plot(plot) => plot.draw(&self.title),
            Kind::Bars(bars) => bars.draw(&self.title),
            Kind::Matrix(matrix) => matrix.draw(&self.title),
        }
    }

    /// Heads and rows of what it shows.
    pub fn rows(&self) -> (Vec<String>, Vec<Vec<String>>) {
        match &self.kind {
            Kind::Plot(plot) => plot.rows(),
            Kind::Bars(bars) => bars.rows(),
            Kind::Matrix(matrix) => matrix.rows(),
        }
    }
}
