//! Lines through points, in panels beside one another.
//!
//! What must hold: of those whose points are all the same the first is drawn, and a note says who lies on it, so that
//! none hides another.

use anyhow::Result;
use plotters::prelude::*;

use super::canvas::{self, Entry, TITLE};
use super::ink::{self, Area, At, FONT, Place, SIZE, drawn};
use super::scale::{Kind, Scale};
use super::style::Style;
use crate::experiment::stats::Summary;

/// Lines through points.
pub struct Plot {
    /// Beside one another, three in a line at most.
    pub panels: Vec<Panel>,
    /// What must be known, below the legend.
    pub notes: Vec<String>,
}

/// One pair of axes.
pub struct Panel {
    /// What it shows.
    pub title: String,
    /// What runs to the right, with its unit ...
    pub x: String,
    /// ... and how.
    pub x_kind: Kind,
    /// What runs up, with its unit ...
    pub y: String,
    /// ... and how.
    pub y_kind: Kind,
    /// The lines.
    pub series: Vec<Series>,
    /// Places on the horizontal axis that matter.
    pub rules: Vec<Rule>,
}

/// One line.
#[derive(Clone)]
pub struct Series {
    /// Whose it is.
    pub label: String,
    /// How it is drawn.
    pub style: Style,
    /// Its points, from left to right.
    pub points: Vec<Point>,
    /// Whether they are marked, or it is a limit.
    pub marked: bool,
}

/// One point, with what it varies between.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// To the right.
    pub x: f64,
    /// Up.
    pub y: f64,
    /// At least.
    pub low: f64,
    /// At most.
    pub high: f64,
}

impl Point {
    /// A value that does not vary.
    pub fn new(x: f64, y: f64) -> Point {
        Point { x, y, low: y, high: y }
    }

    /// A median with its interval.
    pub fn of(x: f64, summary: Summary) -> Point {
        Point { x, y: summary.median, low: summary.low, high: summary.high }
    }
}

/// A place on the horizontal axis that matters.
pub struct Rule {
    /// Where.
    pub x: f64,
    /// What is there.
    pub label: String,
}

const PANEL: (i32, i32) = (540, 400);
const COLUMNS: usize = 3;
/// The least width of a page.
const WIDTH: i32 = 760;
/// Letters of what is written at a rule.
const RULE_SIZE: i32 = 12;

impl Plot {
    /// The SVG.
    pub fn draw(&self, title: &str) -> Result<String> {
        let entries = entries(&self.panels);
        let hidden = self.panels.iter().filter_map(Panel::hidden);
        let notes: Vec<String> = hidden.chain(self.notes.iter().cloned()).collect();
        let columns = match self.panels.len() {
            // Two by two, not three and one.
            4 => 2,
            panels => panels.clamp(1, COLUMNS) as i32,
        };
        let lines = (self.panels.len().max(1) as i32 + columns - 1) / columns;
        let width = (PANEL.0 * columns).max(WIDTH);
        let left = (width - PANEL.0 * columns) / 2;
        let legend_top = TITLE + PANEL.1 * lines;
        let height = legend_top + canvas::legend_height(&entries, &notes, width);
        canvas::page(width, height, title, |area| {
            for (at, panel) in (0..).zip(&self.panels) {
                panel.draw(area, (left + at % columns * PANEL.0, TITLE + at / columns * PANEL.1))?;
            }
            canvas::legend(area, &entries, &notes, legend_top, width)
        })
    }

    /// Heads and rows.
    pub fn rows(&self) -> (Vec<String>, Vec<Vec<String>>) {
        let heads = ["panel", "series", "x", "y", "low", "high", "x axis", "y axis"].map(String::from);
        let mut rows = Vec::new();
        for panel in &self.panels {
            for series in &panel.series {
                for point in &series.points {
                    let numbers = [point.x, point.y, point.low, point.high].map(|number| number.to_string());
                    let texts = [panel.title.clone(), series.label.clone()];
                    rows.push([&texts[..], &numbers, &[panel.x.clone(), panel.y.clone()]].concat());
                }
            }
        }
        (heads.into(), rows)
    }
}

/// What the legend of all panels says.
fn entries(panels: &[Panel]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for series in panels.iter().flat_map(|panel| &panel.series) {
        if entries.iter().all(|entry| entry.label != series.label) {
            let Series { label, style, marked, .. } = series.clone();
            entries.push(Entry { label, style, marked });
        }
    }
    entries
}

impl Panel {
    /// The series that are drawn, each with the names of those that lie on it.
    fn shown(&self) -> Vec<(&Series, Vec<&str>)> {
        let mut shown: Vec<(&Series, Vec<&str>)> = Vec::new();
        for one in &self.series {
            let same =
                shown.iter_mut().find(|(other, _)| other.marked && one.marked && other.points == one.points);
            match same {
                Some((_, names)) => names.push(&one.label),
                None => shown.push((one, Vec::new())),
            }
        }
        shown
    }

    /// Who lies on whom.
    fn hidden(&self) -> Option<String> {
        let told: Vec<String> = self
            .shown()
            .into_iter()
            .filter(|(_, names)| !names.is_empty())
            .map(|(series, names)| [&[series.label.as_str()], &names[..]].concat().join(" = "))
            .collect();
        (!told.is_empty()).then(|| format!("Equal in “{}”: {}.", self.title, told.join("; ")))
    }

    fn scales(&self) -> (Scale, Scale) {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let xs: Vec<f64> =
            points().map(|point| point.x).chain(self.rules.iter().map(|rule| rule.x)).collect();
        let marked = self.series.iter().filter(|series| series.marked);
        let measured: Vec<f64> = marked.flat_map(|series| &series.points).map(|point| point.x).collect();
        let ys: Vec<f64> = points().flat_map(|point| [point.y, point.low, point.high]).collect();
        let mut x = Scale::new(self.x_kind, &xs, true);
        x.ticks = Scale::new(self.x_kind, if measured.is_empty() { &xs } else { &measured }, true).ticks;
        (x, Scale::new(self.y_kind, &ys, false))
    }

    fn draw(&self, page: &Area, (left, top): Place) -> Result<()> {
        let (x, y) = self.scales();
        let area = page.clone().shrink((left, top), (PANEL.0, PANEL.1));
        let mut builder = ChartBuilder::on(&area);
        builder.margin(8).margin_right(24).x_label_area_size(52).y_label_area_size(96);
        builder.caption(&self.title, (FONT, SIZE + 1));
        let mut chart = drawn(builder.build_cartesian_2d(x.clone(), y.clone()))?;
        drawn(
            chart
                .configure_mesh()
                .light_line_style(TRANSPARENT)
                .bold_line_style(RGBColor(225, 225, 225))
                .x_desc(&self.x)
                .y_desc(&self.y)
                .axis_desc_style((FONT, SIZE))
                .label_style((FONT, SIZE - 1))
                .draw(),
        )?;
        let place = |at: (f64, f64)| chart.backend_coord(&(x.place(at.0), y.place(at.1)));
        let (low, high) = (y.range.0, y.range.1);
        for (at, rule) in (0..).zip(&self.rules) {
            let [(across, bottom), (_, ceiling)] =
                [low, high].map(|end| chart.backend_coord(&(x.place(rule.x), end)));
            ink::line(page, &[(across, bottom), (across, ceiling)], RGBColor(120, 120, 120), &[2, 4], 1)?;
            let near = (across + 4, ceiling + 10 + at * (RULE_SIZE + 4));
            let fits = near.0 + ink::width(&rule.label, RULE_SIZE) < left + PANEL.0 - 24;
            let (near, side) = if fits { (near, At::Left) } else { ((across - 4, near.1), At::Right) };
            ink::write(page, &rule.label, near, RULE_SIZE, side, RGBColor(70, 70, 70))?;
        }
        let shown = self.shown();
        for (series, _) in &shown {
            let places: Vec<Place> = series.points.iter().map(|point| place((point.x, point.y))).collect();
            ink::line(page, &places, series.style.colour, series.style.dash, 2)?;
        }
        // Outlined markers go above filled ones, which stay to be seen inside.
        let (above, below): (Vec<&Series>, Vec<&Series>) = shown
            .iter()
            .map(|(series, _)| *series)
            .filter(|series| series.marked)
            .partition(|series| series.style.marker.is_outline());
        for series in below.into_iter().chain(above) {
            for point in &series.points {
                if point.low < point.high {
                    let ends = [place((point.x, point.low)), place((point.x, point.high))];
                    ink::line(page, &ends, series.style.colour, &[], 1)?;
                    for (across, at) in ends {
                        ink::line(page, &[(across - 4, at), (across + 4, at)], series.style.colour, &[], 1)?;
                    }
                }
                ink::mark(page, place((point.x, point.y)), series.style)?;
            }
        }
        Ok(())
    }
}
