//! Loops in a path: what is the same several times over, one time behind the other, is shown once.

/// The longest round that is looked for.
const LONGEST: usize = 1024;

/// A stretch of a path, and how many times over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// Where it begins.
    pub start: usize,
    /// How long one time is.
    pub length: usize,
    /// Times.
    pub times: usize,
}

/// Takes a path apart: stretches that follow each other, those with more than one time being loops. Of the loops that
/// begin at one place the one that covers most is taken, and of these the one with the shortest round.
pub fn fold<T: PartialEq>(path: &[T]) -> Vec<Stretch> {
    let mut stretches: Vec<Stretch> = Vec::new();
    let mut start = 0;
    while start < path.len() {
        let stretch = longest_loop(path, start);
        match stretches.last_mut() {
            Some(last) if last.times == 1 && stretch.times == 1 => last.length += stretch.length,
            _ => stretches.push(stretch),
        }
        start += stretch.length * stretch.times;
    }
    stretches
}

fn longest_loop<T: PartialEq>(path: &[T], start: usize) -> Stretch {
    let rest = &path[start..];
    let mut best = Stretch { start, length: 1, times: 1 };
    for length in (1..=LONGEST.min(rest.len() / 2)).filter(|&length| rest[length] == rest[0]) {
        let round = &rest[..length];
        let times = rest.chunks_exact(length).take_while(|chunk| *chunk == round).count();
        // Two short rounds are shown as they are.
        if times * length > best.times * best.length && (times > 2 || length > 8) && times > 1 {
            best = Stretch { start, length, times };
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(path: &str) -> Vec<(usize, usize, usize)> {
        let stretches = fold(path.as_bytes());
        stretches.iter().map(|stretch| (stretch.start, stretch.length, stretch.times)).collect()
    }

    #[test]
    fn rounds_are_found_and_the_rest_stays_in_one() {
        assert_eq!(folded("abcxyxyxydef"), [(0, 3, 1), (3, 2, 3), (9, 3, 1)]);
        assert_eq!(folded("aaaa"), [(0, 1, 4)]);
        assert_eq!(folded("abcd"), [(0, 4, 1)]);
        assert_eq!(folded(""), []);
    }

    #[test]
    fn two_short_rounds_are_no_loop() {
        assert_eq!(folded("abab"), [(0, 4, 1)]);
        assert_eq!(folded("abcdefghiabcdefghi"), [(0, 9, 2)]);
    }

    #[test]
    fn every_step_is_in_one_stretch() {
        let path = "abcabcabcxabcabcaabababz";
        let mut next = 0;
        for (start, length, times) in folded(path) {
            assert_eq!(start, next);
            next += length * times;
        }
        assert_eq!(next, path.len());
    }
}
