//! Holds the guides for those who come from elsewhere: every link leads somewhere, every row has a counterpart that the
//! code has and a test uses, or a reason. And the pages that name tests: those are there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const GUIDES: [&str; 2] = ["docs/from-asyncio.md", "docs/from-tokio.md"];

/// Pages that name tests as code, behind the file that they are in.
const PAGES: [&str; 2] = ["docs/faults.md", "docs/latency.md"];

/// The head of a table of which every row names a test.
const TESTED: &str = " test |";

/// The head of a table that says what is where; the first cell names the other side.
const HEAD: &str = " gristmill | tests |";

/// Where the public names come from.
const SOURCES: [&str; 5] = [
    "src",
    "runtime-core/src",
    "runtime-timer/src",
    "runtime-blocking/src",
    "runtime-macros/src",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A guide without its programs: the number of each line, and the line.
fn prose(guide: &str) -> Vec<(usize, String)> {
    let mut is_code = false;
    let text = read(&root().join(guide));
    let mut lines = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            lines.push((number + 1, line.to_owned()));
        }
    }
    assert!(!is_code, "{guide}: a program without an end");
    lines
}

/// What stands between `open` and `close`, wherever a line has it.
fn between<'a>(line: &'a str, open: &'a str, close: char) -> impl Iterator<Item = &'a str> {
    line.split(open)
        .skip(1)
        .filter_map(move |rest| rest.split_once(close).map(|(inside, _)| inside))
}

/// The names that stand for links, `[name]: target` at the end of a guide.
fn definitions(lines: &[(usize, String)]) -> BTreeMap<&str, &str> {
    lines
        .iter()
        .filter_map(|(_, line)| line.strip_prefix('[')?.split_once("]: "))
        .collect()
}

/// A row of a table that says what is where.
struct Row<'a> {
    place: String,
    here: &'a str,
    tests: &'a str,
}

fn rows<'a>(guide: &str, lines: &'a [(usize, String)]) -> Vec<Row<'a>> {
    let mut rows = Vec::new();
    let mut is_inside = false;
    for (number, line) in lines {
        let place = format!("{guide}:{number}");
        if !line.starts_with('|') {
            is_inside = false;
        } else if line.ends_with(HEAD) {
            is_inside = true;
        } else if is_inside && !line.starts_with("|---") {
            let cells: Vec<_> = line.split('|').map(str::trim).collect();
            let [_, _, here, tests, _] = cells[..] else {
                panic!("{place}: a row of {} cells", cells.len());
            };
            rows.push(Row { place, here, tests });
        }
    }
    rows
}

/// Whether a row says why there is no counterpart.
fn has_reason(row: &Row<'_>) -> bool {
    row.here
        .strip_prefix("none: ")
        .is_some_and(|reason| reason.split(' ').count() >= 2)
}

/// The last names of the paths that a cell has as code.
fn names(cell: &str) -> BTreeSet<&str> {
    cell.split('`')
        .skip(1)
        .step_by(2)
        .filter(|code| !code.starts_with("std::") && !code.starts_with("futures-"))
        .filter_map(|code| code.split(['(', '{', '<', ' ', '!']).next())
        .map(|path| path.trim_matches(['#', '[', ']', '.']))
        .filter_map(|path| path.rsplit("::").next())
        .filter_map(|path| path.rsplit('.').next())
        .filter(|name| name.len() > 1 && !["async", "await", "while", "Err"].contains(name))
        .filter(|name| name.chars().all(|c| c.is_alphanumeric() || c == '_'))
        .collect()
}

fn words(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .map(str::to_owned)
        .collect()
}

/// Every word of the code below a folder, comments left out.
fn collect_words(folder: &Path, found: &mut BTreeSet<String>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect_words(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            for line in read(&path).lines() {
                found.extend(words(line.split("//").next().unwrap_or_default()));
            }
        }
    }
}

fn report(rule: &str, faults: &[String]) {
    assert!(faults.is_empty(), "{rule}:\n  {}", faults.join("\n  "));
}

#[test]
fn every_link_leads_to_a_file_or_a_heading() {
    let mut faults = Vec::new();
    for guide in GUIDES {
        let folder = root().join("docs");
        let lines = prose(guide);
        let headings: BTreeSet<String> = lines
            .iter()
            .filter_map(|(_, line)| line.strip_prefix('#'))
            .map(|line| {
                let title = line.trim_start_matches('#').trim().to_lowercase();
                let kept = title
                    .chars()
                    .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
                kept.collect::<String>().replace(' ', "-")
            })
            .collect();
        for (number, line) in &lines {
            let defined = line
                .strip_prefix('[')
                .and_then(|line| line.split_once("]: "));
            let targets = between(line, "](", ')').chain(defined.map(|(_, target)| target));
            for target in targets.filter(|target| !target.starts_with("http")) {
                let is_there = match target.strip_prefix('#') {
                    Some(heading) => headings.contains(heading),
                    None => folder.join(target).exists(),
                };
                if !is_there {
                    faults.push(format!("{guide}:{number}: {target}"));
                }
            }
        }
    }
    report("a link that leads nowhere", &faults);
}

#[test]
fn every_row_has_a_counterpart_that_a_test_uses_or_a_reason() {
    let mut faults = Vec::new();
    for guide in GUIDES {
        let lines = prose(guide);
        let definitions = definitions(&lines);
        let rows = rows(guide, &lines);
        assert!(rows.len() > 50, "{guide}: only {} rows", rows.len());
        for row in rows.iter().filter(|row| !has_reason(row)) {
            let mut tested = BTreeSet::new();
            let mut count = 0;
            for name in between(row.tests, "[", ']') {
                count += 1;
                match definitions.get(name) {
                    Some(target) => tested.extend(words(&read(&root().join("docs").join(target)))),
                    None => faults.push(format!("{}: [{name}] is not defined", row.place)),
                }
            }
            if count == 0 || !names(row.here).iter().any(|name| tested.contains(*name)) {
                let here = row.here;
                faults.push(format!("{}: no linked test uses any of {here}", row.place));
            }
        }
    }
    report("a row without a test", &faults);
}

#[test]
fn every_name_of_a_counterpart_is_in_the_sources() {
    let mut known = BTreeSet::new();
    for folder in SOURCES {
        collect_words(&root().join(folder), &mut known);
    }
    // Names of what the tables point to outside of this project's code.
    let elsewhere = [
        "UnexpectedEof",
        "read_exact",
        "read_until",
        "read_line",
        "read_to_end",
        "lines",
        "debug",
        "Debug",
    ];
    let mut faults = Vec::new();
    for guide in GUIDES {
        let lines = prose(guide);
        for row in rows(guide, &lines).iter().filter(|row| !has_reason(row)) {
            for name in names(row.here) {
                if !known.contains(name) && !elsewhere.contains(&name) {
                    faults.push(format!("{}: {name}", row.place));
                }
            }
        }
    }
    report("a name that the code does not have", &faults);
}

/// Whether code is the name of a test, which is a sentence.
fn is_sentence(code: &str) -> bool {
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    code.matches('_').count() >= 4 && code.chars().all(is_part)
}

/// The source file that code names: by its path, or, in the last cell of a row, a file of `tests/` by its name alone.
fn named_source(code: &str, is_last_cell: bool) -> Option<PathBuf> {
    if code.contains('/') {
        return code.ends_with(".rs").then(|| root().join(code));
    }
    let path = root().join("tests").join(format!("{code}.rs"));
    (is_last_cell && path.exists()).then_some(path)
}

#[test]
fn every_test_that_a_page_names_is_in_the_file_named_before_it() {
    let mut faults = Vec::new();
    for page in PAGES {
        let mut source = None;
        let mut is_tested = false;
        for (number, line) in prose(page) {
            let place = format!("{page}:{number}");
            let is_row = line.starts_with('|');
            let cells: Vec<_> = line.trim_end_matches('|').split('|').collect();
            if !is_row {
                (source, is_tested) = (None, false);
            }
            let mut count = 0;
            for (at, cell) in cells.iter().enumerate() {
                for code in cell.split('`').skip(1).step_by(2) {
                    if let Some(path) = named_source(code, is_row && at + 1 == cells.len()) {
                        source = Some(read(&path));
                    } else if is_sentence(code) {
                        count += 1;
                        match &source {
                            Some(text) if text.contains(&format!("fn {code}(")) => {}
                            Some(_) => faults.push(format!("{place}: {code} is elsewhere")),
                            None => faults.push(format!("{place}: {code} is in no file")),
                        }
                    }
                }
            }
            if is_tested && count == 0 && !line.starts_with("|---") {
                faults.push(format!("{place}: a row without a test"));
            }
            is_tested |= is_row && line.ends_with(TESTED);
        }
    }
    report("a test that is not where a page says", &faults);
}
