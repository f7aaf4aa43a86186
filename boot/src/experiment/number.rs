//! Numbers as people read them.

use crate::bench::text::grouped;

/// A number: whole ones in groups of three digits, others with as many digits behind the point as leave three that
/// count.
pub fn number(value: f64) -> String {
    let sign = if value < 0.0 { "−" } else { "" };
    let size = value.abs();
    let places = match size {
        _ if size.fract() == 0.0 || size >= 100.0 => 0,
        _ if size >= 10.0 => 1,
        _ if size >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{size:.places$}");
    let (whole, rest) = text.split_once('.').map_or((&*text, None), |(whole, rest)| (whole, Some(rest)));
    let whole = whole.parse().map_or_else(|_| whole.to_string(), grouped);
    match rest.map(|rest| rest.trim_end_matches('0')).filter(|rest| !rest.is_empty()) {
        Some(rest) => format!("{sign}{whole}.{rest}"),
        None => format!("{sign}{whole}"),
    }
}

/// A part as so many of a hundred.
pub fn percent(part: f64) -> String {
    format!("{} %", number(part * 100.0))
}

/// A number of bytes in the largest unit that leaves it whole.
pub fn bytes(value: u64) -> String {
    match value {
        0 => "0 bytes".into(),
        _ if value.is_multiple_of(1 << 20) => format!("{} MiB", grouped(value >> 20)),
        _ if value.is_multiple_of(1 << 10) => format!("{} KiB", grouped(value >> 10)),
        _ => format!("{} bytes", grouped(value)),
    }
}

/// Names one after the other: "a", "a and b", "a, b and c".
pub fn listed<T: AsRef<str>>(names: &[T]) -> String {
    match names {
        [] => "none".into(),
        [one] => one.as_ref().into(),
        [most @ .., last] => {
            let most: Vec<&str> = most.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", most.join(", "), last.as_ref())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_easily() {
        for (value, text) in [
            (0.0, "0"),
            (1234567.0, "1,234,567"),
            (37.383, "37.4"),
            (1.0049, "1"),
            (0.9984, "0.998"),
            (2.5, "2.5"),
            (1234.56, "1,235"),
            (-3.0, "−3"),
            (99.96, "100"),
        ] {
            assert_eq!(number(value), text);
        }
        assert_eq!(percent(0.051), "5.1 %");
        assert_eq!([bytes(16 << 20), bytes(8192), bytes(20)], ["16 MiB", "8 KiB", "20 bytes"]);
        assert_eq!(
            [listed(&["a"]), listed(&["a", "b"]), listed(&["a", "b", "c"])],
            ["a", "a and b", "a, b and c"]
        );
    }
}
