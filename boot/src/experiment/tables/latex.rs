//! LaTeX.

use super::Table;

/// Tables with more columns are made as wide as the page.
const WIDE: usize = 4;

/// Text as LaTeX takes it.
pub fn escaped(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => {
                out.push('\\');
                out.push(letter);
            }
            '~' => out.push_str("\\textasciitilde{}"),
            '^' => out.push_str("\\textasciicircum{}"),
            '\\' => out.push_str("\\textbackslash{}"),
            '<' => out.push_str("$<$"),
            '>' => out.push_str("$>$"),
            '|' => out.push_str("$\\mid$"),
            'Φ' => out.push_str("$\\Phi$"),
            '×' => out.push_str("$\\times$"),
            '≤' => out.push_str("$\\leq$"),
            '≥' => out.push_str("$\\geq$"),
            '−' => out.push_str("$-$"),
            '–' => out.push_str("--"),
            '…' => out.push_str("\\ldots{}"),
            '“' => out.push_str("``"),
            '”' => out.push_str("''"),
            '’' => out.push('\''),
            ascii if ascii.is_ascii() => out.push(ascii),
            _ => out.push('?'),
        }
    }
    out
}

/// A table environment.
pub fn table(table: &Table) -> String {
    let line = |cells: &[String]| {
        let cells: Vec<String> = cells.iter().map(|cell| escaped(cell)).collect();
        format!("{} \\\\\n", cells.join(" & "))
    };
    let columns = "r".repeat(table.heads.len().saturating_sub(1));
    let body: String = table.rows.iter().map(|row| line(row)).collect();
    let tabular = format!(
        "\\begin{{tabular}}{{l{columns}}}\n\\toprule\n{}\\midrule\n{body}\\bottomrule\n\\end{{tabular}}",
        line(&table.heads)
    );
    let fitted = if table.heads.len() > WIDE {
        format!("\\resizebox{{\\textwidth}}{{!}}{{{tabular}}}")
    } else {
        tabular
    };
    let note = match table.note.as_str() {
        "" => String::new(),
        note => format!("\n\n\\smallskip{{\\footnotesize {}}}", escaped(note)),
    };
    format!(
        "\\begin{{table}}[tp]\n\\centering\n\\caption{{{}}}\n\\label{{tab:{}}}\n\\footnotesize\n{fitted}{note}\n\
         \\end{{table}}\n",
        escaped(&table.caption),
        table.name
    )
}

/// A document with all tables.
pub fn main(tables: &[Table]) -> String {
    let inputs: String =
        tables.iter().map(|table| format!("\\input{{{}}}\n\\clearpage\n", table.name)).collect();
    format!(
        "\\documentclass[10pt]{{article}}\n\\usepackage[a4paper,margin=20mm]{{geometry}}\n\
         \\usepackage{{booktabs}}\n\\usepackage{{graphicx}}\n\\begin{{document}}\n{inputs}\\end{{document}}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_is_escaped() {
        assert_eq!(escaped("50 % of a_b & {c} #1 $2"), "50 \\% of a\\_b \\& \\{c\\} \\#1 \\$2");
        assert_eq!(escaped("a\\b~c^d"), "a\\textbackslash{}b\\textasciitilde{}c\\textasciicircum{}d");
        assert_eq!(escaped("Φ ≤ 3× “x” – −1 <>"), "$\\Phi$ $\\leq$ 3$\\times$ ``x'' -- $-$1 $<$$>$");
        assert_eq!(escaped("ß"), "?", "no letter stops a compilation");
    }
}
