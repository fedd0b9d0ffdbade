//! Holds the architecture: layers, file heads, the doors to threads and atomics, the list of files with unsafe code.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The layers of the engine, bottom first; each imports only from those before it.
const LAYERS: [&str; 8] = [
    "sync",
    "task",
    "queue",
    "park",
    "reactor",
    "report",
    "scheduler",
    "runtime",
];

/// The crates whose sources are held to this.
const CRATES: [&str; 5] = [
    "src",
    "runtime-core/src",
    "runtime-blocking/src",
    "runtime-timer/src",
    "runtime-macros/src",
];

/// More than this is more than one idea.
const LONGEST_FILE: usize = 500;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A source file: its path below the root, and its text.
struct Source {
    path: String,
    text: String,
}

impl Source {
    /// The text without comments.
    fn code(&self) -> impl Iterator<Item = &str> {
        self.text
            .lines()
            .map(|line| line.split_once("//").map_or(line, |(code, _)| code))
            .filter(|line| !line.trim().is_empty())
    }

    /// Whether it is compiled for tests or models only.
    fn is_test(&self) -> bool {
        [
            "/tests.rs",
            "/tests/",
            "/models/",
            "/schedules/",
            "loom",
            "testing.rs",
            "model_tests",
        ]
        .iter()
        .any(|part| self.path.contains(part))
    }
}

fn sources_below(folder: &str) -> Vec<Source> {
    let mut sources = Vec::new();
    collect(&root().join(folder), &mut sources);
    assert!(!sources.is_empty(), "no sources below {folder}");
    sources
}

fn collect(folder: &Path, sources: &mut Vec<Source>) {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(&path, sources);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).expect("a readable file");
            let path = path
                .strip_prefix(root())
                .expect("below the root")
                .display()
                .to_string();
            sources.push(Source { path, text });
        }
    }
}

fn all_sources() -> Vec<Source> {
    CRATES
        .iter()
        .flat_map(|folder| sources_below(folder))
        .collect()
}

/// Fails with all faults at once.
fn report(rule: &str, faults: &[String]) {
    assert!(faults.is_empty(), "{rule}:\n  {}", faults.join("\n  "));
}

#[test]
fn imports_of_the_engine_point_down() {
    let mut faults = Vec::new();
    for source in sources_below("runtime-core/src") {
        let inside = source
            .path
            .strip_prefix("runtime-core/src/")
            .expect("below");
        let Some(own) = LAYERS
            .iter()
            .position(|layer| inside.starts_with(&format!("{layer}/")))
        else {
            continue;
        };
        for line in source.code() {
            for above in &LAYERS[own + 1..] {
                if line.contains(&format!("crate::{above}::"))
                    || line.contains(&format!("crate::{above};"))
                {
                    faults.push(format!("{}: `{}`", source.path, line.trim()));
                }
            }
        }
    }
    report("a layer imports from one above it", &faults);
}

#[test]
fn lower_crates_know_nothing_of_the_engine() {
    let mut faults = Vec::new();
    for folder in ["runtime-timer/src", "runtime-blocking/src"] {
        for source in sources_below(folder) {
            if source.code().any(|line| line.contains("runtime_core")) {
                faults.push(source.path);
            }
        }
    }
    report("a lower crate names runtime_core", &faults);
}

#[test]
fn every_file_opens_by_saying_what_it_is() {
    let faults: Vec<_> = all_sources()
        .into_iter()
        .filter(|source| {
            let first = source.text.lines().find(|line| {
                !line.starts_with("#![") && !line.starts_with("    ") && *line != ")]"
            });
            !first.is_some_and(|line| line.starts_with("//! "))
        })
        .map(|source| source.path)
        .collect();
    report("a file without `//!` at its head", &faults);
}

#[test]
fn threads_locks_and_atomics_come_through_the_doors() {
    let forbidden = [
        "std::sync::atomic",
        "parking_lot::",
        "crossbeam_deque",
        "std::sync::Mutex",
        "loom::",
    ];
    let mut faults = Vec::new();
    for folder in [
        "runtime-core/src",
        "runtime-blocking/src",
        "runtime-timer/src",
    ] {
        for source in sources_below(folder) {
            let is_door = source.path.contains("/sync/") || source.path.ends_with("/sync.rs");
            if is_door || source.is_test() {
                continue;
            }
            let production = source.code().take_while(|line| {
                !line.contains("#[cfg(test)]") && !line.contains("#[cfg(all(test")
            });
            for line in production {
                if forbidden.iter().any(|name| line.contains(name)) {
                    faults.push(format!("{}: `{}`", source.path, line.trim()));
                }
            }
        }
    }
    report("a protocol that the model checker cannot see", &faults);
}

#[test]
fn unsafe_code_stands_only_in_the_files_that_announce_and_list_it() {
    let sources = all_sources();
    let uses_unsafe = |source: &&Source| {
        source.code().any(|line| {
            let is_quoted = line.contains('`') || line.contains("quote!");
            let forms = ["unsafe {", "unsafe fn", "unsafe impl"];
            !is_quoted && forms.iter().any(|form| line.contains(form))
        })
    };
    let in_use: BTreeSet<_> = sources
        .iter()
        .filter(uses_unsafe)
        .map(|s| s.path.clone())
        .collect();
    let announced: BTreeSet<_> = sources
        .iter()
        .filter(|source| {
            source.text.starts_with("#![expect(") && source.text.contains("unsafe_code")
        })
        .map(|source| source.path.clone())
        .collect();
    assert_eq!(
        in_use, announced,
        "files with unsafe code open with #![expect(unsafe_code, …)]"
    );

    let list = fs::read_to_string(root().join("docs/unsafe.md")).expect("docs/unsafe.md");
    let listed: BTreeSet<_> = list
        .lines()
        .filter_map(|line| line.strip_prefix("- `")?.split_once("` —"))
        .map(|(path, _)| path.to_owned())
        .collect();
    assert_eq!(
        in_use, listed,
        "docs/unsafe.md lists the files with unsafe code"
    );
}

#[test]
fn every_unsafe_operation_has_its_reason_above_it() {
    let mut faults = Vec::new();
    for source in all_sources() {
        let lines: Vec<_> = source.text.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let code = line.split_once("//").map_or(*line, |(code, _)| code);
            if code.contains("unsafe {") || code.contains("unsafe impl") {
                let above = &lines[number.saturating_sub(8)..=number];
                if !above.iter().any(|line| line.contains("SAFETY")) {
                    faults.push(format!("{}:{}", source.path, number + 1));
                }
            }
        }
    }
    report("unsafe code without a SAFETY reason", &faults);
}

#[test]
fn nothing_is_left_unfinished() {
    // Put together here, so that this file does not accuse itself.
    let macros = ["todo", "unimplemented", "dbg"].map(|name| format!("{name}!("));
    let words = [["FIX", "ME"], ["TO", "DO"]].map(|halves| halves.concat());
    let marks: Vec<String> = macros.into_iter().chain(words).collect();
    let mut faults = Vec::new();
    for folder in CRATES.iter().chain(&["examples", "benches/src", "tests"]) {
        for source in sources_below(folder) {
            for (number, line) in source.text.lines().enumerate() {
                // The macros' own tests quote the attribute.
                let is_quoted = source.path.starts_with("runtime-macros/");
                let is_off = !is_quoted && line.trim_start().starts_with("#[ignore");
                if is_off || marks.iter().any(|mark| line.contains(mark.as_str())) {
                    faults.push(format!("{}:{}", source.path, number + 1));
                }
            }
        }
    }
    report("unfinished or switched off", &faults);
}

#[test]
fn files_hold_one_idea() {
    let faults: Vec<_> = all_sources()
        .into_iter()
        .map(|source| (source.text.lines().count(), source.path))
        .filter(|(lines, _)| *lines > LONGEST_FILE)
        .map(|(lines, path)| format!("{path}: {lines} lines"))
        .collect();
    report("a file of more than one idea", &faults);
}
