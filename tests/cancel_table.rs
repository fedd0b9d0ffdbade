//! Holds the page about giving up: every async function has a row, a test that uses it, and a section of its own about cancel safety.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const PAGE: &str = "docs/cancel-safety.md";

/// Which chapter of the page is about which sources.
const CHAPTERS: [(&str, &[&str]); 10] = [
    ("sync", &["src/sync"]),
    ("time", &["runtime-timer/src"]),
    (
        "task",
        &[
            "src/task",
            "runtime-core/src/runtime",
            "runtime-core/src/task",
        ],
    ),
    ("stream", &["src/stream"]),
    ("net", &["src/net"]),
    ("io", &["src/io"]),
    ("fs", &["src/fs"]),
    ("process", &["src/process"]),
    ("signal", &["src/signal"]),
    ("hyper", &["src/hyper"]),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A public async function.
struct Function {
    place: String,
    name: String,
    /// Whether its documentation says what dropping its future does.
    is_told: bool,
}

/// The public async functions of the sources below a folder.
fn functions(folder: &Path, found: &mut Vec<Function>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            functions(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = read(&path);
            // Tests at the end of a file are not public.
            let lines: Vec<_> = text
                .lines()
                .take_while(|line| *line != "#[cfg(test)]")
                .map(str::trim)
                .collect();
            for (number, line) in lines.iter().enumerate() {
                let Some(rest) = line.strip_prefix("pub async fn ") else {
                    continue;
                };
                let is_word = |c: &char| c.is_alphanumeric() || *c == '_';
                let above = lines[..number].iter().rev();
                let mut docs = above.take_while(|line| line.starts_with(['/', '#']));
                found.push(Function {
                    place: format!("{}:{}", path.display(), number + 1),
                    name: rest.chars().take_while(is_word).collect(),
                    is_told: docs.any(|line| *line == "/// # Cancel safety"),
                });
            }
        }
    }
}

/// A row of the page.
struct Row {
    place: String,
    names: BTreeSet<String>,
    tests: Vec<String>,
}

/// The rows of each chapter.
fn rows(text: &str) -> BTreeMap<String, Vec<Row>> {
    let mut chapters: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    let mut chapter = None;
    for (number, line) in text.lines().enumerate() {
        if let Some(title) = line.strip_prefix("## `") {
            chapter = Some(title.trim_end_matches('`').to_owned());
        } else if line.starts_with("| ") && !line.starts_with("| given up ") {
            let place = format!("{PAGE}:{}", number + 1);
            let cells: Vec<_> = line.split('|').map(str::trim).collect();
            let [_, given_up, _, tests, _] = cells[..] else {
                panic!("{place}: a row of {} cells", cells.len());
            };
            let names = given_up.split('`').skip(1).step_by(2);
            let names = names.filter_map(|path| path.trim_end_matches('!').rsplit("::").next());
            let tests = tests.split(", ").map(|test| {
                let inside = test
                    .strip_prefix('[')
                    .and_then(|test| test.strip_suffix(']'));
                let inside = inside.unwrap_or_else(|| panic!("{place}: {test} is no link"));
                inside.to_owned()
            });
            let tests = tests.collect();
            let row = Row {
                place,
                names: names.map(str::to_owned).collect(),
                tests,
            };
            let chapter = chapter.clone().expect("a chapter before the first row");
            chapters.entry(chapter).or_default().push(row);
        }
    }
    chapters
}

fn words(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .collect()
}

fn report(rule: &str, faults: &[String]) {
    assert!(faults.is_empty(), "{rule}:\n  {}", faults.join("\n  "));
}

#[test]
fn every_async_function_has_a_row_and_says_what_giving_it_up_does() {
    let chapters = rows(&read(&root().join(PAGE)));
    let mut count = 0;
    let mut faults = Vec::new();
    for (chapter, folders) in CHAPTERS {
        let mut found = Vec::new();
        for folder in folders {
            functions(&root().join(folder), &mut found);
        }
        count += found.len();
        let listed: BTreeSet<_> = chapters
            .get(chapter)
            .into_iter()
            .flatten()
            .flat_map(|row| &row.names)
            .collect();
        for Function {
            place,
            name,
            is_told,
        } in found
        {
            if !listed.contains(&name) {
                faults.push(format!(
                    "{place}: `{name}` has no row in chapter `{chapter}`"
                ));
            }
            if !is_told {
                faults.push(format!(
                    "{place}: `{name}` has no section `# Cancel safety`"
                ));
            }
        }
    }
    assert!(count > 100, "only {count} async functions were found");
    report(
        "an async function that does not say what giving up does",
        &faults,
    );
}

#[test]
fn every_row_has_tests_that_use_what_it_is_about() {
    let text = read(&root().join(PAGE));
    let mut faults = Vec::new();
    for row in rows(&text).values().flatten() {
        let mut used = BTreeSet::new();
        for test in &row.tests {
            if !text.contains(&format!("\n[{test}]: ../tests/{test}.rs\n")) {
                faults.push(format!("{}: [{test}] is not defined", row.place));
            }
            let source = read(&root().join("tests").join(format!("{test}.rs")));
            used.extend(words(&source).into_iter().map(str::to_owned));
        }
        for name in row.names.difference(&used) {
            faults.push(format!("{}: no linked test uses `{name}`", row.place));
        }
    }
    report("a row that no test shows", &faults);
}
