//! The parent of the points, and their report.

use std::error::Error;
use std::fs;
use std::path::Path;

use super::Curve;
use crate::child;
use crate::cli::CurvePlan;
use crate::measure::{Effort, median};
use crate::peer::Runtime;
use crate::progress::Progress;
use crate::report::{chart, machine, show};
use crate::scenarios::Unit;

/// Processes for a point; the middle one counts.
const TRIES: usize = 3;

/// A size under each runtime: the cost of a unit, or why there is none.
type Row = (usize, Vec<(Runtime, Result<f64, String>)>);

/// Runs the curves, prints them, and writes them where they are wanted.
pub(crate) fn run(plan: &CurvePlan) -> Result<(), Box<dyn Error>> {
    let points = plan
        .curves
        .iter()
        .map(|curve| curve.sizes.len() * curve.runtimes().count());
    let progress = Progress::new(points.sum());
    let mut page = format!(
        "# What a unit costs when there are more\n\n{}\n\n{:?} run; the median of {TRIES} processes a point, of one in a `Quick` run, \
         which is no measurement; less is better.\n",
        machine::describe(),
        plan.effort,
    );
    if let Some(folder) = &plan.report {
        fs::create_dir_all(folder)?;
    }
    for curve in &plan.curves {
        let rows = measure(curve, plan.effort, &progress);
        page += &section(curve, &rows);
        if let Some(folder) = &plan.report {
            draw(curve, &rows, folder)?;
        }
    }
    progress.finish();
    print!("{page}");
    if let Some(folder) = &plan.report {
        fs::write(folder.join("curves.md"), page)?;
    }
    Ok(())
}

/// All points of `curve`; runtimes take turns.
fn measure(curve: &Curve, effort: Effort, progress: &Progress) -> Vec<Row> {
    let row = |&size: &usize| {
        let cost = |runtime: Runtime| {
            progress.begin(&format!("{} {size} {}", curve.name, runtime.name()));
            let cost = point(curve, runtime, size, effort);
            progress.end();
            (runtime, cost)
        };
        (size, curve.runtimes().map(cost).collect())
    };
    curve.sizes.iter().map(row).collect()
}

fn point(curve: &Curve, runtime: Runtime, size: usize, effort: Effort) -> Result<f64, String> {
    if effort == Effort::Quick && size > curve.quick {
        return Err("left out of a quick run".to_owned());
    }
    // Half of what is left, so that the machine does not begin to swap.
    let needed = curve.bytes * size as u64;
    if machine::memory_left().is_some_and(|left| needed > left / 2) {
        return Err(format!(
            "left out: may need {}",
            show(Unit::Bytes, needed as f64)
        ));
    }
    let words = ["point", curve.name, runtime.name(), &size.to_string()];
    let tries = if effort == Effort::Quick { 1 } else { TRIES };
    let mut costs = Vec::new();
    for _ in 0..tries {
        let outcome = child::measure(&words, effort).map_err(|error| error.to_string())?;
        costs.push(outcome.sample.value);
    }
    Ok(median(&mut costs))
}

fn section(curve: &Curve, rows: &[Row]) -> String {
    let names: Vec<_> = curve.runtimes().map(Runtime::name).collect();
    let mut text = format!(
        "\n## {}\n\n{}.\n\n![{}](curve_{}.svg)\n\n| size | {} |\n|---|{}\n",
        curve.name,
        curve.value,
        curve.name,
        curve.name,
        names.join(" | "),
        "---|".repeat(names.len()),
    );
    for (size, costs) in rows {
        let cells = costs.iter().map(|(_, cost)| match cost {
            Ok(cost) => show(Unit::Nanoseconds, *cost),
            Err(why) => why.clone(),
        });
        text += &format!("| {size} | {} |\n", cells.collect::<Vec<_>>().join(" | "));
    }
    text
}

fn draw(curve: &Curve, rows: &[Row], folder: &Path) -> Result<(), Box<dyn Error>> {
    let points: Vec<_> = rows
        .iter()
        .flat_map(|(size, costs)| {
            let known = costs
                .iter()
                .filter_map(|(runtime, cost)| Some((*runtime, *cost.as_ref().ok()?)));
            known.map(|(runtime, cost)| (runtime, *size, cost))
        })
        .collect();
    let title = format!("{}: {}", curve.name, curve.value);
    chart::curve(
        &points,
        &folder.join(format!("curve_{}.svg", curve.name)),
        &title,
    )
}
