//! Who pays for a mapping.

use freehold_abi::designs::Design;

use super::{Clause, View, compare, missing, pooled, unpooled};
use crate::experiment::derived::{bytes_of, per_mapping};
use crate::experiment::estimate::{Bound, Estimate};

const LAYOUTS: [&str; 2] = ["dense", "sparse"];

/// H1: the kernel's memory stays what it is.
pub fn kernel_does_not_grow(view: &View) -> Vec<Clause> {
    let bound = Bound::AtMost(view.limit("growth.most"));
    let mut clauses = Vec::new();
    for design in unpooled() {
        for layout in LAYOUTS {
            let series = view.data.series(design.name(), &format!("kernel.bytes.{layout}"));
            let values: Vec<f64> = series
                .iter()
                .filter_map(|(_, row)| row.summary())
                .flat_map(|all| [all.min, all.max])
                .collect();
            let what = format!("{}, {layout}: bytes that the kernel has more of at any N", design.name());
            clauses.push(compare(what, spread(&values).map(Estimate::from), "", bound));
        }
        let attacks = view.data.attacks.iter().filter(|attack| attack.subject == design.name());
        let taken = attacks.filter_map(|attack| attack.kernel_bytes).reduce(f64::max);
        let what = format!("{}: most bytes that an attack took of the kernel's memory", design.name());
        clauses.push(compare(what, taken.map(Estimate::from), "", bound));
        clauses.extend(view.not_made(design));
    }
    clauses
}

/// H2: 20 bytes, or a table.
pub fn pooled_mapping(view: &View) -> Vec<Clause> {
    let clause = |(design, layout): (Design, &str)| {
        let found = per_mapping(view.data, design.name(), &format!("kernel.bytes.{layout}"));
        let [least, most] = ["least", "most"].map(|end| view.limit(&format!("{layout}.{end}")));
        let what = format!("{}, {layout}", design.name());
        compare(what, found.map(Estimate::from), "bytes for each further mapping", Bound::Within(least, most))
    };
    pooled().flat_map(|design| LAYOUTS.map(|layout| (design, layout))).map(clause).collect()
}

/// H3: less than the pool's.
pub fn dense(view: &View) -> Vec<Clause> {
    let of = |design: Design| bytes_of(view.data, design.name(), "dense").map(|bytes| bytes.sum());
    let (user, heap) = (of(Design::UserTables), of(Design::KernelHeap));
    let absolute = Bound::AtMost(view.limit("dense.most"));
    let unit = "bytes, of space and kernel together";
    let mut clauses = vec![compare("user-tables, dense", user.map(Estimate::from), unit, absolute)];
    clauses.push(match heap {
        Some(heap) => {
            let what = "user-tables, dense, against kernel-heap";
            compare(what, user.map(Estimate::from), "bytes", Bound::Below(heap))
        }
        None => missing("kernel-heap, dense"),
    });
    clauses
}

/// H4: about twice the pool's.
pub fn sparse(view: &View) -> Vec<Clause> {
    let of = |design: Design| bytes_of(view.data, design.name(), "sparse").map(|bytes| bytes.sum());
    let ratio = of(Design::UserTables).zip(of(Design::KernelHeap));
    let ratio = ratio.and_then(|(user, heap)| Estimate::from(user).over(heap.into()));
    let bound = Bound::Within(view.limit("ratio.least"), view.limit("ratio.most"));
    vec![compare("user-tables, sparse, of what kernel-heap takes", ratio, "times", bound)]
}

/// From the least to the most.
fn spread(values: &[f64]) -> Option<f64> {
    let least = values.iter().copied().reduce(f64::min)?;
    Some(values.iter().copied().reduce(f64::max)? - least)
}
