//! Medians and tails.

/// The value below which the share `q` of `values` lies; sorts them. Nearest rank; zero if there are none.
pub(crate) fn quantile(values: &mut [f64], q: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    let rank = (q * last as f64).round() as usize;
    values.get(rank.min(last)).copied().unwrap_or(0.0)
}

/// The middle of `values`; sorts them.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    quantile(values, 0.5)
}
