//! Charts, as SVG.

use std::error::Error;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;

use super::Entry;
use super::entry::{Summary, best_peer};
use crate::peer::Runtime;

/// A colour for each runtime, the same in every chart.
fn colour(runtime: Runtime) -> RGBColor {
    match runtime {
        Runtime::Gristmill => RGBColor(200, 30, 30),
        Runtime::GristmillUnwatched => RGBColor(230, 130, 130),
        Runtime::Tokio => RGBColor(30, 90, 200),
        Runtime::Smol => RGBColor(40, 150, 60),
        Runtime::TokioRayon => RGBColor(120, 60, 190),
        Runtime::TokioPerCore => RGBColor(60, 180, 220),
        Runtime::Monoio => RGBColor(230, 140, 20),
        Runtime::Rayon => RGBColor(150, 90, 40),
        Runtime::Threads => RGBColor(120, 120, 120),
        Runtime::Processes => RGBColor(40, 40, 40),
    }
}

/// Adds the names of the runtimes, and writes the file.
fn finish<'a, X: Ranged, Y: Ranged>(
    mut chart: ChartContext<'a, SVGBackend<'a>, Cartesian2d<X, Y>>,
    area: &DrawingArea<SVGBackend<'a>, Shift>,
) -> Result<(), Box<dyn Error>> {
    chart
        .configure_series_labels()
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK)
        .draw()?;
    area.present()?;
    Ok(())
}

/// A row for each scenario, a dot for each runtime: how many times the best peer's figure its own is.
pub(super) fn ratios(
    entries: &[Entry],
    path: &Path,
    title: &str,
    figure: fn(&Summary) -> Option<f64>,
) -> Result<(), Box<dyn Error>> {
    let mut names: Vec<&str> = Vec::new();
    let mut dots = Vec::new();
    for entry in entries {
        let own = entry.summary().as_ref().and_then(figure);
        let Some((own, best)) = own.zip(best_peer(entries, entry, figure)) else {
            continue;
        };
        if own <= 0.0 || best <= 0.0 {
            continue;
        }
        let name = entry.scenario.name;
        if names.last() != Some(&name) {
            names.push(name);
        }
        dots.push((entry.runtime, own / best, names.len() - 1));
    }
    let rows = names.len().max(1);
    let least = dots.iter().map(|dot| dot.1).fold(0.5, f64::min) / 1.2;
    let most = dots.iter().map(|dot| dot.1).fold(2.0, f64::max) * 1.2;

    let area = SVGBackend::new(path, (900, 120 + 26 * u32::try_from(rows)?)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(
            format!("{title}, as a multiple of the best peer's; less is better"),
            ("sans-serif", 16),
        )
        .margin(10)
        .x_label_area_size(30)
        .y_label_area_size(120)
        .build_cartesian_2d((least..most).log_scale(), -0.5..rows as f64 - 0.5)?;
    chart.configure_mesh().y_labels(0).disable_y_mesh().draw()?;
    chart.draw_series([PathElement::new(
        vec![(1.0, -0.5), (1.0, rows as f64 - 0.5)],
        BLACK,
    )])?;
    let place = |row: usize| (rows - 1 - row) as f64;
    let (left, _) = chart.plotting_area().get_pixel_range();
    for (row, name) in names.iter().enumerate() {
        let (_, y) = chart.backend_coord(&(1.0, place(row)));
        area.draw(&Text::new(
            (*name).to_owned(),
            (10, y - 6),
            ("sans-serif", 13),
        ))?;
        let line = vec![(left.start, y), (left.end, y)];
        area.draw(&PathElement::new(line, BLACK.mix(0.1)))?;
    }
    for runtime in Runtime::ALL {
        let colour = colour(runtime);
        let own: Vec<_> = dots.iter().filter(|dot| dot.0 == runtime).collect();
        if own.is_empty() {
            continue;
        }
        chart
            .draw_series(
                own.iter()
                    .map(|dot| Circle::new((dot.1, place(dot.2)), 5, colour.filled())),
            )?
            .label(runtime.name())
            .legend(move |(x, y)| Circle::new((x + 8, y), 4, colour.filled()));
    }
    finish(chart, &area)
}

/// A line for each runtime: what a unit costs (ns, down the side) at so many units (along the bottom), both logarithmic.
pub(crate) fn curve(
    points: &[(Runtime, usize, f64)],
    path: &Path,
    title: &str,
) -> Result<(), Box<dyn Error>> {
    let sizes = points.iter().map(|point| point.1 as f64);
    let costs = points.iter().map(|point| point.2);
    let (right, top) = (
        sizes.clone().fold(2.0, f64::max),
        costs.clone().fold(10.0, f64::max),
    );
    let (left, bottom) = (
        sizes.fold(right, f64::min),
        costs.fold(top, f64::min).max(1.0),
    );

    let area = SVGBackend::new(path, (800, 420)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 15))
        .margin(12)
        .x_label_area_size(30)
        .y_label_area_size(70)
        .build_cartesian_2d(
            (left / 1.2..right * 1.2).log_scale(),
            (bottom / 2.0..top * 2.0).log_scale(),
        )?;
    chart.configure_mesh().y_desc("ns a unit").draw()?;
    for runtime in Runtime::ALL {
        let own: Vec<_> = points
            .iter()
            .filter(|point| point.0 == runtime)
            .map(|point| (point.1 as f64, point.2.max(bottom)))
            .collect();
        if own.is_empty() {
            continue;
        }
        let colour = colour(runtime);
        chart.draw_series([PathElement::new(own.clone(), colour.stroke_width(2))])?;
        chart
            .draw_series(
                own.iter()
                    .map(|&point| Circle::new(point, 4, colour.filled())),
            )?
            .label(runtime.name())
            .legend(move |(x, y)| Circle::new((x + 8, y), 4, colour.filled()));
    }
    finish(chart, &area)
}
