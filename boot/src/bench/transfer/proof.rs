//! The tests that the document names beside each sentence of 2004, as code of the form `program: part`.
//!
//! What must hold: each sentence has one at least, and each of them is there, in the sources of its program.

use std::fs;
use std::path::Path;

use super::document;
use crate::workspace;

/// Where the section about the sentences begins, and where it ends.
const SECTION: [&str; 2] = ["\n## 5. ", "\n## 6. "];
/// What begins a sentence, and its proof.
const SENTENCE: &str = "\n\n**\"";
const TESTS: &str = "\nTests: ";

/// What a program's tests are written in.
fn sources(program: &str) -> String {
    let path = match program {
        // Played by the first program, and by the host.
        "s92-service" => "user/init/src/service".into(),
        "transfer" => "boot/src/suite".into(),
        _ => format!("tests/guest/src/bin/{program}"),
    };
    let files = fs::read_dir(workspace::root().join(&path)).expect(&path);
    let read = |path: &Path| fs::read_to_string(path).expect("a source file");
    files.map(|file| read(&file.expect(&path).path())).collect()
}

/// The sentences, each with what stands behind it up to the next.
fn sentences(text: &str) -> Vec<&str> {
    let [begin, end] = SECTION.map(|heading| text.find(heading).expect(heading));
    text[begin..end].split(SENTENCE).skip(1).collect()
}

/// The tests that a sentence names: program and part.
fn tests(sentence: &str) -> Vec<(String, String)> {
    let Some((_, tests)) = sentence.split_once(TESTS) else { return Vec::new() };
    let paragraph = tests.split("\n\n").next().unwrap_or(tests).replace('\n', " ");
    let code = paragraph.split('`').skip(1).step_by(2);
    let test = |code: &str| {
        let (program, part) = code.split_once(": ").expect(code);
        (program.into(), part.into())
    };
    code.map(test).collect()
}

#[test]
fn every_sentence_names_tests_that_are_there() {
    let text = fs::read_to_string(workspace::root().join(document::PATH)).expect(document::PATH);
    let sentences = sentences(&text);
    assert!(!sentences.is_empty());
    for sentence in sentences {
        let tests = tests(sentence);
        assert!(!tests.is_empty(), "no test: {sentence}");
        for (program, part) in tests {
            assert!(sources(&program).contains(&format!("\"{part}\"")), "{program} has no {part:?}");
        }
    }
}

#[test]
fn tests_are_read_from_the_text() {
    let text = "\n## 5. S\n\nIntro `a: b`.\n\n**\"One.\"** Text.\nTests: `s1: a, b`,\n`s2: hostile: c`.\n\n**\"Two.\"** `x: y`\n\n## 6. T\n";
    let found: Vec<_> = sentences(text).into_iter().map(tests).collect();
    let test = |program: &str, part: &str| (program.to_owned(), part.to_owned());
    assert_eq!(found, [vec![test("s1", "a, b"), test("s2", "hostile: c")], vec![]]);
}
