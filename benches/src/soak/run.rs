//! One era after the other.

use std::env;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process;
use std::time::{Duration, Instant};

use super::era::Era;
use super::flatness::Flatness;
use super::lanes::Lane;
use super::ledger::TASKS;
use super::{table, verdict, watchdog};
use crate::cli::SoakPlan;
use crate::measure::raise_descriptor_limit;
use crate::progress::Progress;

/// The most that an era lasts before it ends.
const LONGEST: Duration = Duration::from_secs(2);

/// Soaks for as long as the plan says.
pub(crate) fn run(plan: &SoakPlan) -> Result<(), Box<dyn Error>> {
    raise_descriptor_limit()?;
    let seed = plan.seed.unwrap_or_else(|| fastrand::u64(..));
    println!("soak: {} s, seed {seed}", plan.time.as_secs());
    let folder = env::temp_dir().join(format!("gristmill-soak-{}", process::id()));
    fs::create_dir_all(&folder)?;
    verdict::watch_panics();
    watchdog::start(seed);
    let done = eras(plan, seed, &folder);
    fs::remove_dir_all(&folder)?;
    done
}

fn eras(plan: &SoakPlan, seed: u64, folder: &Path) -> Result<(), Box<dyn Error>> {
    let mut dice = fastrand::Rng::with_seed(seed);
    let progress = Progress::new(usize::try_from(plan.time.as_secs())?);
    let mut flatness = Flatness::default();
    let start = Instant::now();
    let mut count = 0;
    let main = Lane::new("the main thread");
    flatness.begin()?;
    while start.elapsed() < plan.time && verdict::violations().0 == 0 {
        let left = plan.time.saturating_sub(start.elapsed());
        let era = Era::draw(
            count,
            &mut dice,
            LONGEST.min(left.max(Duration::from_millis(20))),
        );
        let description = format!("runtime {count} ({})", era.describe());
        progress.begin_at(start.elapsed().as_secs(), &description);
        era.run(folder.join(count.to_string()), &main)?;
        flatness.look(&description)?;
        count += 1;
    }
    progress.finish();
    table::print(seed, count, start.elapsed(), &flatness);
    judge(plan, seed)
}

fn judge(plan: &SoakPlan, seed: u64) -> Result<(), Box<dyn Error>> {
    let (violations, _) = verdict::violations();
    if violations > 0 {
        return Err(format!(
            "soak: failed: {violations} things that must not happen, named above; --seed {seed} draws the same again"
        )
        .into());
    }
    let tasks = TASKS.balance().ended();
    if tasks < plan.at_least_tasks {
        return Err(format!(
            "soak: failed: {tasks} tasks were accounted for, and at least {} were asked for",
            plan.at_least_tasks
        )
        .into());
    }
    println!("\nsoak: nothing was lost, {tasks} tasks accounted for");
    Ok(())
}
