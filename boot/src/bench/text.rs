//! Numbers and tables as documents show them.

/// A number as people read it: in groups of three digits.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A table: a row of heads, the alignments, the rows. The first column is text, the others are numbers.
pub fn table(heads: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let heads: Vec<String> = heads.iter().map(|head| (*head).into()).collect();
    let mut text = line(&heads);
    text += &format!("|---|{}\n", "--:|".repeat(heads.len() - 1));
    text.extend(rows.into_iter().map(|row| line(&row)));
    text
}
