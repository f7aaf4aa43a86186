//! report.md: what came out, as the evaluation section of a paper.
//!
//! What must hold: no number and no judgement in it is typed; what was refuted is told like what was confirmed; what was
//! not measured is named.

mod chapters;
mod negative;
mod setup;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::data::Data;
use super::figures::{self, Figure};
use super::tables::{self, Table};
use super::{csv, data};

/// The report's file.
pub const FILE: &str = "report.md";
/// Where the figures go, and the tables.
const FIGURES: &str = "figures";
const TABLES: &str = "tables";

/// Reads the records in `dir`, and writes beside them CSV, figures, tables and the report.
///
/// # Errors
/// There are no records, they are broken, or something cannot be written.
pub fn write(dir: &Path) -> Result<()> {
    let data = Data::read(dir)?;
    for (name, text) in files(&data)? {
        let path = dir.join(name);
        let parent = path.parent().context("a file in a directory")?;
        fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// Everything that is written: names below the directory, and texts.
fn files(data: &Data) -> Result<Vec<(String, String)>> {
    let (figures, empty) = figures::all(data);
    let tables = tables::all(data);
    let mut files = vec![("records.csv".to_string(), csv::records(data)?)];
    for figure in &figures {
        let (heads, rows) = figure.rows();
        files.push((format!("{FIGURES}/{}.csv", figure.name), csv::text(&heads, &rows)?));
        files.push((format!("{FIGURES}/{}.svg", figure.name), figure.svg()?));
    }
    for table in &tables {
        files.push((format!("{TABLES}/{}.tex", table.name), table.latex()));
    }
    files.push((format!("{TABLES}/main.tex"), tables::main(&tables)));
    files.push((FILE.into(), text(data, &figures, &empty, &tables)));
    Ok(files)
}

fn text(data: &Data, figures: &[Figure], empty: &[String], tables: &[Table]) -> String {
    let parts = [
        format!(
            "# Evaluation\n\nMade by `./x experiment` from {}, which holds all that this says.\n",
            data::FILE
        ),
        setup::setup(data),
        chapters::summary(data),
        chapters::hypotheses(data, figures, tables),
        chapters::options(data),
        chapters::messages(data),
        negative::negative(data),
        negative::threats(data),
        negative::missing(data, empty),
    ];
    parts.join("\n")
}

/// A picture in the report.
fn picture(figures: &[Figure], name: &str) -> String {
    match figures.iter().find(|figure| figure.name == name) {
        Some(figure) => format!("![{}]({FIGURES}/{name}.svg)\n\n", figure.title),
        None => format!("*No figure {name}: nothing was measured for it.*\n\n"),
    }
}

/// A table in the report.
fn shown(tables: &[Table], name: &str) -> String {
    match tables.iter().find(|table| table.name == name) {
        Some(table) => format!("{}\n", table.markdown()),
        None => format!("*No table {name}: nothing was measured for it.*\n\n"),
    }
}

#[cfg(test)]
mod proof;
