//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use lexopt::prelude::*;

use crate::curves::{self, Curve};
use crate::measure::Effort;
use crate::peer::Runtime;
use crate::scenarios::apart::worker::Trade;
use crate::scenarios::{self, Scenario};
use crate::stalls;

/// What the program prints when it is not understood.
pub(crate) const USAGE: &str = "\
usage: benches compare [--only a,b] [--runtimes a,b] [--rounds K] [--quick] [--calm] [--json FILE] [--report DIR]
       benches curves [--only a,b] [--quick] [--report DIR]
       benches stalls [--only a,b] [--rounds K] [--quick] [--report DIR]
       benches soak [--minutes N | --seconds N] [--seed S] [--at-least-tasks N]
       benches one SCENARIO RUNTIME [--quick]
       benches list

  compare        run every scenario under every runtime, each in a process of its own, and print a table
    --only       these scenarios; a name that ends in * stands for all that begin so
    --runtimes   these; `list` says who takes part where
    --rounds     how often each runtime has its turn; 5 if not given
    --quick      about 0.1 s a process instead of 0.5 s: a smoke test, not a measurement
    --calm       before every process, wait until others leave the processors alone, up to 5 s
    --json       write every sample and every figure to FILE
    --report     write Markdown, JSON and SVG charts into DIR, such as benches/report
  curves         what a unit costs with more and more tasks, timers, connections, workers and jobs
    --report     write Markdown and SVG charts into DIR
  stalls         echo, timers and accept beside tasks that block, compute or use up the descriptors; with targets
    --rounds     how often each runtime has its turn; 3 if not given
    --report     write Markdown into DIR
  soak           everything at once, with an account of all that was started; fails if anything is lost, stuck or left behind
    --minutes    for so long; 1 if not given
    --seconds    the same, for less
    --seed       draw the same loads again
    --at-least-tasks   fail with fewer tasks
  one            one measurement, printed as a line of JSON
  list           the scenarios, what each figure means, and who takes part";

/// What to do.
pub(crate) enum Command {
    Compare(Plan),
    One(Job),
    Curves(CurvePlan),
    Point(Point),
    Worker(Trade),
    Stalls(StallPlan),
    Soak(SoakPlan),
    List,
    Help,
}

/// What `compare` runs.
pub(crate) struct Plan {
    pub(crate) scenarios: Vec<&'static Scenario>,
    pub(crate) runtimes: Vec<Runtime>,
    pub(crate) rounds: usize,
    pub(crate) effort: Effort,
    /// Whether to wait for others to leave the processors alone.
    pub(crate) calm: bool,
    pub(crate) json: Option<PathBuf>,
    /// The folder for Markdown, JSON and charts.
    pub(crate) report: Option<PathBuf>,
}

/// What `one` runs.
pub(crate) struct Job {
    pub(crate) scenario: &'static Scenario,
    pub(crate) runtime: Runtime,
    pub(crate) effort: Effort,
}

/// What `curves` runs.
pub(crate) struct CurvePlan {
    pub(crate) curves: Vec<&'static Curve>,
    pub(crate) effort: Effort,
    /// The folder for Markdown and charts.
    pub(crate) report: Option<PathBuf>,
}

/// What `point` runs.
pub(crate) struct Point {
    pub(crate) curve: &'static Curve,
    pub(crate) runtime: Runtime,
    pub(crate) size: usize,
    pub(crate) effort: Effort,
}

/// What `stalls` runs.
pub(crate) struct StallPlan {
    pub(crate) scenarios: Vec<&'static Scenario>,
    pub(crate) rounds: usize,
    pub(crate) effort: Effort,
    /// The folder for Markdown.
    pub(crate) report: Option<PathBuf>,
}

/// What `soak` does.
pub(crate) struct SoakPlan {
    pub(crate) time: Duration,
    /// Drawn if not given.
    pub(crate) seed: Option<u64>,
    /// Fewer are a failure.
    pub(crate) at_least_tasks: u64,
}

/// Reads the arguments of this process.
pub(crate) fn parse() -> Result<Command, lexopt::Error> {
    let mut parser = lexopt::Parser::from_env();
    match parser.next()? {
        Some(Value(word)) if word == "compare" => compare(parser),
        Some(Value(word)) if word == "one" => one(parser),
        Some(Value(word)) if word == "curves" => curves(parser),
        Some(Value(word)) if word == "point" => point(parser),
        Some(Value(word)) if word == "worker" => {
            Ok(Command::Worker(parser.value()?.parse::<Trade>()?))
        }
        Some(Value(word)) if word == "stalls" => stalls(parser),
        Some(Value(word)) if word == "soak" => soak(parser),
        Some(Value(word)) if word == "list" => Ok(Command::List),
        Some(Short('h') | Long("help")) | None => Ok(Command::Help),
        Some(other) => Err(other.unexpected()),
    }
}

fn compare(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let mut plan = Plan {
        scenarios: scenarios::ALL.iter().collect(),
        runtimes: Runtime::ALL.to_vec(),
        rounds: 5,
        effort: Effort::Full,
        calm: false,
        json: None,
        report: None,
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Long("only") => {
                plan.scenarios = select(scenarios::ALL, &parser.value()?.string()?)?;
            }
            Long("runtimes") => {
                let names = parser.value()?.string()?;
                plan.runtimes = names.split(',').map(str::parse).collect::<Result<_, _>>()?;
            }
            Long("rounds") => plan.rounds = parser.value()?.parse::<usize>()?.max(1),
            Long("quick") => plan.effort = Effort::Quick,
            Long("calm") => plan.calm = true,
            Long("report") => plan.report = Some(parser.value()?.into()),
            Long("json") => plan.json = Some(parser.value()?.into()),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Command::Compare(plan))
}

fn one(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let mut effort = Effort::Full;
    let mut words = Vec::new();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("quick") => effort = Effort::Quick,
            Value(word) => words.push(word.string()?),
            other => return Err(other.unexpected()),
        }
    }
    let [scenario, runtime] = words.as_slice() else {
        return Err("`one` takes a scenario and a runtime".into());
    };
    let runtime = runtime.parse()?;
    let scenario = scenarios::find(scenario).ok_or_else(|| unknown(scenario))?;
    Ok(Command::One(Job {
        scenario,
        runtime,
        effort,
    }))
}

/// The scenarios that a comma-separated list names, in the order of the table.
fn select(all: &'static [Scenario], names: &str) -> Result<Vec<&'static Scenario>, lexopt::Error> {
    let matches = |pattern: &str, name: &str| match pattern.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => name == pattern,
    };
    for pattern in names.split(',') {
        if !all.iter().any(|scenario| matches(pattern, scenario.name)) {
            return Err(unknown(pattern));
        }
    }
    let wanted = |scenario: &&Scenario| names.split(',').any(|p| matches(p, scenario.name));
    Ok(all.iter().filter(wanted).collect())
}

fn unknown(name: &str) -> lexopt::Error {
    format!("there is no scenario `{name}`; `benches list` names them").into()
}

fn curves(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let mut plan = CurvePlan {
        curves: curves::ALL.iter().collect(),
        effort: Effort::Full,
        report: None,
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Long("only") => {
                let names = parser.value()?.string()?;
                let curves: Result<_, _> = names.split(',').map(curve).collect();
                plan.curves = curves?;
            }
            Long("quick") => plan.effort = Effort::Quick,
            Long("report") => plan.report = Some(parser.value()?.into()),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Command::Curves(plan))
}

fn stalls(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let mut plan = StallPlan {
        scenarios: stalls::ALL.iter().collect(),
        rounds: 3,
        effort: Effort::Full,
        report: None,
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Long("only") => plan.scenarios = select(stalls::ALL, &parser.value()?.string()?)?,
            Long("rounds") => plan.rounds = parser.value()?.parse::<usize>()?.max(1),
            Long("quick") => plan.effort = Effort::Quick,
            Long("report") => plan.report = Some(parser.value()?.into()),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Command::Stalls(plan))
}

fn soak(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let mut plan = SoakPlan {
        time: Duration::from_secs(60),
        seed: None,
        at_least_tasks: 0,
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Long("minutes") => {
                plan.time = Duration::from_secs(60 * parser.value()?.parse::<u64>()?)
            }
            Long("seconds") => plan.time = Duration::from_secs(parser.value()?.parse()?),
            Long("seed") => plan.seed = Some(parser.value()?.parse()?),
            Long("at-least-tasks") => plan.at_least_tasks = parser.value()?.parse()?,
            other => return Err(other.unexpected()),
        }
    }
    Ok(Command::Soak(plan))
}

fn point(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let mut point = Point {
        curve: curve(&parser.value()?.string()?)?,
        runtime: parser.value()?.parse()?,
        size: parser.value()?.parse()?,
        effort: Effort::Full,
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Long("quick") => point.effort = Effort::Quick,
            other => return Err(other.unexpected()),
        }
    }
    Ok(Command::Point(point))
}

fn curve(name: &str) -> Result<&'static Curve, lexopt::Error> {
    let names = || {
        curves::ALL
            .iter()
            .map(|curve| curve.name)
            .collect::<Vec<_>>()
    };
    curves::find(name).ok_or_else(|| {
        format!(
            "there is no curve `{name}`; there are {}",
            names().join(", ")
        )
        .into()
    })
}
