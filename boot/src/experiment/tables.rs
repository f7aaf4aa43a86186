//! Tables, as LaTeX (booktabs) and as Markdown.
//!
//! What must hold: what was not measured stands there as such; LaTeX gets nothing but ASCII, with everything that means
//! something to it escaped.

mod content;
mod latex;

pub use content::all;
pub use latex::{escaped, main};

/// One table. The first column is text.
pub struct Table {
    /// Its file's name, without the end.
    pub name: String,
    /// What it shows.
    pub caption: String,
    /// Heads of its columns.
    pub heads: Vec<String>,
    /// Its rows.
    pub rows: Vec<Vec<String>>,
    /// What must be known.
    pub note: String,
}

impl Table {
    /// As Markdown, with its caption above.
    pub fn markdown(&self) -> String {
        let cell = |text: &String| text.replace('|', "\\|");
        let heads: Vec<String> = self.heads.iter().map(cell).collect();
        let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
        let rows = self.rows.iter().map(|row| row.iter().map(cell).collect());
        let note = if self.note.is_empty() { String::new() } else { format!("\n{}\n", self.note) };
        format!("*{}*\n\n{}{note}", self.caption, crate::bench::text::table(&heads, rows))
    }

    /// As LaTeX: a table environment, to be put into a paper.
    pub fn latex(&self) -> String {
        latex::table(self)
    }
}

/// What stands where there is no figure.
pub const MISSING: &str = "n.m.";
/// What it means.
pub const LEGEND: &str = "(=): all repetitions agree; (1×): one repetition; [a, b]: 95 % interval of the median, by bootstrap; n.m.: not \
                          measured.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::data::Data;
    use crate::experiment::synthetic;

    #[test]
    fn every_row_has_a_cell_for_each_head_and_latex_is_whole() {
        let data = synthetic::with(|_| {});
        let tables = all(&data);
        assert!(tables.len() >= 8);
        for table in &tables {
            assert!(!table.rows.is_empty(), "{}", table.name);
            assert!(table.rows.iter().all(|row| row.len() == table.heads.len()), "{}", table.name);
            let text = table.latex();
            assert!(text.is_ascii(), "{}: {:?}", table.name, text.chars().find(|letter| !letter.is_ascii()));
            assert_eq!(text.matches("\\begin{").count(), text.matches("\\end{").count());
            let count = |letter: char| {
                let bytes: Vec<char> = text.chars().collect();
                (0..bytes.len())
                    .filter(|&at| bytes[at] == letter && (at == 0 || bytes[at - 1] != '\\'))
                    .count()
            };
            assert_eq!(count('{'), count('}'), "{}", table.name);
            assert_eq!(count('$') % 2, 0, "{}", table.name);
            assert!(count('_') == 0 && count('%') == 0 && count('#') == 0, "{text}");
            let lines = text.lines().filter(|line| line.ends_with("\\\\"));
            for line in lines {
                let cells = line.matches('&').count() - line.matches("\\&").count() + 1;
                assert_eq!(cells, table.heads.len(), "{line}");
            }
            for rule in ["\\toprule", "\\midrule", "\\bottomrule"] {
                assert_eq!(text.matches(rule).count(), 1);
            }
        }
        let main = main(&tables);
        assert!(tables.iter().all(|table| main.contains(&format!("\\input{{{}}}", table.name))));
        assert!(main.contains("\\usepackage{booktabs}") && main.contains("\\end{document}"));
    }

    #[test]
    fn what_was_not_measured_stands_there_as_such() {
        let mut records = synthetic::records();
        records.retain(|record| {
            let text = |field: &str| record.get(field).and_then(|value| value.as_str()).unwrap_or_default();
            !(text("design").starts_with("root-only") && text("bench") == "call.null")
        });
        let tables = all(&Data::of(records));
        let calls = tables.iter().find(|table| table.name == "calls").expect("it is there");
        let row = calls.rows.iter().find(|row| row[0] == "call.null").expect("it is there");
        assert_eq!((row[1].as_str(), row[7].as_str()), ("28 (=)", MISSING));
    }

    #[test]
    fn without_records_there_are_only_tables_that_say_so() {
        for table in all(&Data::of(Vec::new())) {
            let cells = table.rows.iter().flat_map(|row| &row[1..]);
            assert!(table.latex().is_ascii());
            for cell in cells {
                assert!(!cell.contains("NaN"), "{}", table.name);
            }
        }
    }
}
