//! What must hold of every figure, tried on invented records.

use super::inspect::{faults, markers, texts};
use super::plot::Plot;
use super::{Figure, Kind, all};
use crate::experiment::data::Data;
use crate::experiment::synthetic;

fn whole() -> Vec<Figure> {
    let (figures, empty) = all(&synthetic::with(|_| {}));
    assert!(empty.is_empty(), "{empty:?}");
    figures
}

/// With DIR in FREEHOLD_FIGURES the figures are written there, to be looked at.
#[test]
fn figures_have_no_text_upon_text_and_nothing_beside_the_page() {
    for figure in whole() {
        let svg = figure.svg().expect("a picture");
        if let Some(dir) = std::env::var_os("FREEHOLD_FIGURES") {
            std::fs::write(std::path::Path::new(&dir).join(format!("{}.svg", figure.name)), &svg)
                .expect("written");
        }
        let faults = faults(&svg);
        assert!(faults.is_empty(), "{}: {faults:#?}", figure.name);
    }
}

fn plots(figures: &[Figure]) -> impl Iterator<Item = (&Figure, &Plot)> {
    figures.iter().filter_map(|figure| match &figure.kind {
        Kind::Plot(plot) => Some((figure, plot)),
        _ => None,
    })
}

#[test]
fn every_series_is_named_and_every_point_is_marked_or_said_to_lie_under_another() {
    let figures = whole();
    for (figure, plot) in plots(&figures) {
        let svg = figure.svg().expect("a picture");
        let words: Vec<String> = texts(&svg).into_iter().map(|text| text.text).collect();
        let mut points = 0;
        let mut named: Vec<&str> = Vec::new();
        for panel in &plot.panels {
            assert!(words.contains(&panel.title) && words.contains(&panel.x) && words.contains(&panel.y));
            for series in &panel.series {
                assert!(words.contains(&series.label), "{}: {}", figure.name, series.label);
                let first = panel.series.iter().find(|other| other.marked && other.points == series.points);
                let covered = first.is_some_and(|first| first.label != series.label);
                if covered && series.marked {
                    let told = words.join(" ");
                    assert!(told.contains("Equal in “"), "{}: {}", figure.name, series.label);
                } else if series.marked {
                    points += series.points.len();
                }
                if series.marked && !named.contains(&series.label.as_str()) {
                    named.push(&series.label);
                }
            }
        }
        assert!(points > 0, "{}", figure.name);
        assert_eq!(markers(&svg), points + named.len(), "{}", figure.name);
    }
}

#[test]
fn matrix_and_bars_say_every_value_in_words() {
    for figure in whole() {
        let svg = figure.svg().expect("a picture");
        let words: Vec<String> = texts(&svg).into_iter().map(|text| text.text).collect();
        match &figure.kind {
            Kind::Matrix(matrix) => {
                let cells: usize = matrix.rows.iter().map(|(_, cells)| cells.len()).sum();
                let outcomes = ["held", "degraded", "broken", "impossible", "untried", "not measured"];
                let told =
                    words.iter().filter(|word| outcomes.contains(&word.trim_end_matches(" !"))).count();
                assert_eq!(told, cells + outcomes.len());
                assert!(matrix.rows.iter().all(|(name, _)| words.contains(name)));
            }
            Kind::Bars(bars) => {
                let all: Vec<_> = bars.panels.iter().flat_map(|panel| &panel.bars).collect();
                assert!(all.iter().all(|(name, _)| words.contains(name)));
                assert!(
                    words.iter().any(|word| word == "8,204") && words.iter().any(|word| word == "16,384")
                );
            }
            Kind::Plot(_) => {}
        }
    }
}

#[test]
fn without_records_there_are_no_figures_and_each_is_named() {
    let (figures, empty) = all(&Data::of(Vec::new()));
    assert!(figures.is_empty());
    assert_eq!(empty.len(), 9);
}

#[test]
fn who_was_not_measured_is_named_in_the_figure() {
    let records = synthetic::records().into_iter().filter(|record| {
        let text = |field: &str| record.get(field).and_then(|value| value.as_str()).unwrap_or_default();
        !(text("design").starts_with("root-only") && text("bench").starts_with("revoke."))
    });
    let (figures, _) = all(&Data::of(records.collect()));
    let revoke = figures.iter().find(|figure| figure.name == "revoke-time").expect("it is there");
    assert_eq!(revoke.missing, ["root-only"]);
    assert!(revoke.svg().expect("a picture").contains("Not measured (revoke): root-only."));
}

#[test]
fn the_same_records_in_another_order_give_the_same_pictures() {
    let mut records = synthetic::records();
    let draw = |records| -> Vec<String> {
        all(&Data::of(records)).0.iter().map(|figure| figure.svg().expect("a picture")).collect()
    };
    let one = draw(records.clone());
    records.reverse();
    assert_eq!(one, draw(records));
}

#[test]
fn another_kernel_gets_a_line_of_its_own() {
    let mut records = synthetic::records();
    for count in [1u64, 1024] {
        let mut row = synthetic::row(
            freehold_abi::designs::Design::UserTables,
            &format!("delegate.{count}"),
            "instructions",
            9 * count,
        );
        row.insert("label".into(), "card-1".into());
        records.push(row);
    }
    let (figures, _) = all(&Data::of(records));
    let batches = figures.iter().find(|figure| figure.name == "batches").expect("it is there");
    let svg = batches.svg().expect("a picture");
    assert!(texts(&svg).iter().any(|text| text.text == "card-1"));
    assert!(svg.contains("Not measured (undelegate): card-1."));
}
