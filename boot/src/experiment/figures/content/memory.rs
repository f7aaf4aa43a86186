//! What mappings cost in memory.

use plotters::style::RGBColor;

use super::{lines, missing_note, without};
use crate::experiment::data::Data;
use crate::experiment::derived::bytes_of;
use crate::experiment::figures::bars::{BarPanel, Bars};
use crate::experiment::figures::plot::{Panel, Plot, Point};
use crate::experiment::figures::scale::Kind as Spread;
use crate::experiment::figures::{Figure, Kind};

/// Kernel memory against mappings.
pub fn growth(data: &Data) -> Figure {
    let points = |subject: &str, prefix: &str| -> Vec<Point> {
        let rows = data.series(subject, prefix).into_iter();
        rows.filter_map(|(count, row)| Some(Point::of(count as f64, row.summary()?))).collect()
    };
    let panel = |layout: &str, title: &str| Panel {
        title: title.into(),
        x: "mappings".into(),
        x_kind: Spread::Log,
        y: "kernel memory in use (bytes)".into(),
        y_kind: Spread::Log,
        series: lines(data, |subject| points(subject, &format!("kernel.bytes.{layout}"))),
        rules: Vec::new(),
    };
    let panels =
        vec![panel("dense", "dense: one page beside the other"), panel("sparse", "sparse: 4 MiB apart")];
    let missing = without(data, |subject| {
        ["kernel.bytes.dense", "kernel.bytes.sparse"].iter().all(|prefix| !points(subject, prefix).is_empty())
    });
    Figure {
        name: "kernel-memory".into(),
        title: "Kernel memory against mappings".into(),
        kind: Kind::Plot(Plot { panels, notes: missing_note("kernel memory", &missing) }),
        missing,
    }
}

/// Bytes for a mapping, and who pays.
pub fn per_mapping(data: &Data) -> Figure {
    let panel = |layout: &str, title: &str| {
        let bar = |subject: &String| {
            let bytes = bytes_of(data, subject, layout)?;
            Some((subject.clone(), vec![bytes.own, bytes.charged, bytes.unpaid]))
        };
        BarPanel {
            title: title.into(),
            unit: "bytes".into(),
            bars: data.subjects.iter().filter_map(bar).collect(),
        }
    };
    let missing = without(data, |subject| {
        ["dense", "sparse"].iter().all(|layout| bytes_of(data, subject, layout).is_some())
    });
    let panels: Vec<BarPanel> =
        [("dense", "a further mapping, dense"), ("sparse", "a further mapping, sparse: 4 MiB apart")]
            .map(|(layout, title)| panel(layout, title))
            .into_iter()
            .filter(|panel| !panel.bars.is_empty())
            .collect();
    let parts = vec![
        ("the space's own memory".into(), RGBColor(86, 180, 233)),
        ("the kernel's, charged to the space".into(), RGBColor(230, 159, 0)),
        ("the kernel's, charged to nobody".into(), RGBColor(122, 40, 0)),
    ];
    Figure {
        name: "bytes-per-mapping".into(),
        title: "Memory for each further mapping, and whose it is".into(),
        kind: Kind::Bars(Bars { panels, parts, notes: missing_note("bytes per mapping", &missing) }),
        missing,
    }
}
