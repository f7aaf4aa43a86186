//! The rows that other kernels can be compared by. docs/join.md says what each must measure.

/// Names, `N` standing for a number and `POLICY` for a word, and in what they are measured.
pub const WORKLOADS: &[(&str, &str)] = &[
    ("call.null", "instructions"),
    ("ipc.inter.N", "instructions"),
    ("string.N", "instructions"),
    ("string.fault.sender.N", "instructions"),
    ("string.fault.receiver.N", "instructions"),
    ("map.N", "instructions"),
    ("unmap.N", "instructions"),
    ("protect.N", "instructions"),
    ("delegate.N", "instructions"),
    ("undelegate.N", "instructions"),
    ("fault.pager", "instructions"),
    ("space.create", "instructions"),
    ("space.delete", "instructions"),
    ("revoke.N.N", "instructions"),
    ("kernel.bytes.dense.N", "bytes"),
    ("kernel.bytes.sparse.N", "bytes"),
    ("space.bytes.dense.N", "bytes"),
    ("space.bytes.sparse.N", "bytes"),
    ("latency.revoke.N", "instructions"),
    ("stall.N.POLICY", "instructions"),
    ("first-service", "instructions"),
];

/// In what a row is measured; `None`: it is not one of these.
pub fn unit(name: &str) -> Option<&'static str> {
    let is = |pattern: &str| {
        let (parts, patterns) = (name.split('.'), pattern.split('.'));
        let same = |(part, pattern): (&str, &str)| match pattern {
            "N" => !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()),
            "POLICY" => !part.is_empty(),
            _ => part == pattern,
        };
        parts.clone().count() == patterns.clone().count() && parts.zip(patterns).all(same)
    };
    WORKLOADS.iter().find(|(pattern, _)| is(pattern)).map(|(_, unit)| *unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace;

    #[test]
    fn names_fit_their_patterns() {
        for (name, expected) in [
            ("call.null", Some("instructions")),
            ("ipc.inter.62", Some("instructions")),
            ("revoke.1024.8", Some("instructions")),
            ("kernel.bytes.dense.64", Some("bytes")),
            ("stall.4.wait", Some("instructions")),
            ("ipc.inter", None),
            ("ipc.inter.x", None),
            ("revoke.1024", None),
            ("map.1.2", None),
        ] {
            assert_eq!(unit(name), expected, "{name}");
        }
    }

    #[test]
    fn the_document_says_what_each_measures() {
        let text = std::fs::read_to_string(workspace::root().join("docs/join.md")).expect("the document");
        let rows: Vec<(&str, &str)> = text
            .lines()
            .filter_map(|line| {
                let mut cells = line.strip_prefix("| `")?.split(" | ");
                let name = cells.next()?.trim_end_matches('`');
                Some((name, cells.next()?)).filter(|_| cells.next().is_some_and(|what| what.len() > 20))
            })
            .filter(|(name, _)| !name.contains('"') && !name.contains(' '))
            .collect();
        assert_eq!(rows, WORKLOADS, "the table of docs/join.md");
    }
}
