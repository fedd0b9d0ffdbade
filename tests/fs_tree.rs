//! Folders and names: each free function does what its namesake in the standard library does.

mod common;

use common::temp_dir::TempDir;
use common::{Occupied, on_each, within};
use gristmill::fs::{self, DirBuilder};
use gristmill::runtime::Builder;
use gristmill::stream::StreamExt;
use std::collections::BTreeSet;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

#[test]
fn whole_files_are_written_read_and_copied() {
    on_each(|runtime| {
        let folder = TempDir::new();
        let (one, other) = (folder.join("one"), folder.join("other"));
        runtime.block_on(async {
            fs::write(&one, "first").await.expect("written");
            fs::write(&one, b"text").await.expect("written over");
            assert_eq!(fs::read(&one).await.expect("read"), b"text");
            assert_eq!(fs::read_to_string(&one).await.expect("read"), "text");
            assert_eq!(fs::copy(&one, &other).await.expect("copied"), 4);
            assert_eq!(std::fs::read(&other).expect("read"), b"text");
        });
    });
}

#[test]
fn folders_are_made_and_removed() {
    on_each(|runtime| {
        let folder = TempDir::new();
        runtime.block_on(async {
            fs::create_dir(folder.join("one")).await.expect("made");
            assert!(folder.join("one").is_dir());
            assert!(fs::create_dir(folder.join("one")).await.is_err(), "exists");
            assert!(fs::create_dir(folder.join("a/b")).await.is_err(), "no a");
            fs::create_dir_all(folder.join("a/b/c"))
                .await
                .expect("made");
            fs::create_dir_all(folder.join("a/b/c"))
                .await
                .expect("is there");
            assert!(fs::remove_dir(folder.join("a")).await.is_err(), "not empty");
            fs::remove_dir(folder.join("one")).await.expect("removed");
            assert!(!folder.join("one").exists());
            fs::remove_dir_all(folder.join("a")).await.expect("removed");
            assert!(!folder.join("a").exists());
        });
    });
}

#[test]
fn a_builder_makes_folders_with_a_mode() {
    on_each(|runtime| {
        let folder = TempDir::new();
        runtime.block_on(async {
            let mut builder = DirBuilder::new();
            builder.mode(0o700);
            assert!(builder.create(folder.join("a/b")).await.is_err(), "no a");
            builder.recursive(true);
            builder.create(folder.join("a/b")).await.expect("made");
            builder.create(folder.join("a/b")).await.expect("is there");
            for made in ["a", "a/b"] {
                let mode = std::fs::metadata(folder.join(made)).expect("known").mode();
                assert_eq!(mode & 0o777, 0o700, "{made}");
            }
            DirBuilder::default()
                .create(folder.join("c"))
                .await
                .expect("made");
        });
    });
}

#[test]
fn files_are_moved_and_removed() {
    on_each(|runtime| {
        let folder = TempDir::new();
        let (one, other) = (folder.file("one", "text"), folder.file("other", "old"));
        runtime.block_on(async {
            fs::rename(&one, &other).await.expect("moved");
            assert!(!fs::try_exists(&one).await.expect("told"));
            assert!(fs::try_exists(&other).await.expect("told"));
            assert_eq!(fs::read(&other).await.expect("read"), b"text");
            fs::remove_file(&other).await.expect("removed");
            assert!(!fs::try_exists(&other).await.expect("told"));
        });
    });
}

#[test]
fn links_lead_to_what_they_were_made_for() {
    on_each(|runtime| {
        let folder = TempDir::new();
        let file = folder.file("file", "text");
        let (hard, soft) = (folder.join("hard"), folder.join("soft"));
        runtime.block_on(async {
            fs::hard_link(&file, &hard).await.expect("linked");
            fs::symlink(Path::new("file"), &soft).await.expect("linked");
            assert_eq!(fs::read(&hard).await.expect("read"), b"text");
            assert_eq!(fs::read(&soft).await.expect("read"), b"text");
            assert_eq!(fs::metadata(&hard).await.expect("known").nlink(), 2);
            assert_eq!(
                fs::read_link(&soft).await.expect("a link"),
                Path::new("file")
            );
            assert!(fs::read_link(&file).await.is_err(), "no link");
            assert!(fs::metadata(&soft).await.expect("known").is_file());
            assert!(
                fs::symlink_metadata(&soft)
                    .await
                    .expect("known")
                    .is_symlink()
            );
            let found = fs::canonicalize(folder.join("./soft"))
                .await
                .expect("found");
            assert_eq!(found, std::fs::canonicalize(&file).expect("found"));
            fs::remove_file(&file).await.expect("removed");
            assert!(!fs::try_exists(&soft).await.expect("told"), "leads nowhere");
            assert!(fs::symlink_metadata(&soft).await.is_ok());
        });
    });
}

#[test]
fn permissions_are_set_by_name() {
    on_each(|runtime| {
        let folder = TempDir::new();
        let file = folder.file("file", "text");
        runtime.block_on(async {
            let permissions = std::fs::Permissions::from_mode(0o400);
            fs::set_permissions(&file, permissions).await.expect("set");
            let found = fs::metadata(&file).await.expect("known").permissions();
            assert_eq!(found.mode() & 0o777, 0o400);
            assert!(found.readonly());
        });
    });
}

/// A folder with this many files.
fn crowd(size: usize) -> (TempDir, BTreeSet<String>) {
    let folder = TempDir::new();
    let names: BTreeSet<_> = (0..size).map(|n| format!("file {n}")).collect();
    for name in &names {
        folder.file(name, name);
    }
    (folder, names)
}

#[test]
fn every_name_in_a_folder_comes_once() {
    on_each(|runtime| {
        // The sizes are around those of one batch.
        for size in [0, 1, 127, 128, 129, 300] {
            let (folder, names) = crowd(size);
            runtime.block_on(async {
                let mut found = Vec::new();
                let mut entries = fs::read_dir(folder.path()).await.expect("a folder");
                while let Some(entry) = entries.next_entry().await.expect("read") {
                    found.push(entry.file_name().into_string().expect("as made"));
                    assert_eq!(entry.path(), folder.path().join(entry.file_name()));
                }
                assert!(entries.next_entry().await.expect("the end").is_none());
                assert_eq!(found.len(), size);
                assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), names);
            });
        }
    });
}

#[test]
fn a_folder_is_a_stream_of_entries() {
    on_each(|runtime| {
        let (folder, names) = crowd(200);
        runtime.block_on(async {
            let entries = fs::read_dir(folder.path()).await.expect("a folder");
            let found: BTreeSet<_> = entries
                .map(|entry| {
                    entry
                        .expect("read")
                        .file_name()
                        .into_string()
                        .expect("as made")
                })
                .collect()
                .await;
            assert_eq!(found, names);
        });
    });
}

#[test]
fn an_entry_knows_its_file() {
    on_each(|runtime| {
        let folder = TempDir::new();
        folder.file("file", "text");
        std::fs::create_dir(folder.join("folder")).expect("made");
        std::os::unix::fs::symlink("file", folder.join("link")).expect("linked");
        runtime.block_on(async {
            let mut entries = fs::read_dir(folder.path()).await.expect("a folder");
            let mut seen = 0;
            while let Some(entry) = entries.next_entry().await.expect("read") {
                let metadata = entry.metadata().await.expect("known");
                let file_type = entry.file_type().await.expect("known");
                assert_eq!(metadata.file_type(), file_type);
                assert_eq!(metadata.ino(), entry.ino());
                match entry.file_name().to_str().expect("as made") {
                    "file" => assert!(file_type.is_file() && metadata.len() == 4),
                    "folder" => assert!(file_type.is_dir()),
                    "link" => assert!(file_type.is_symlink()),
                    other => panic!("unexpected: {other}"),
                }
                seen += 1;
            }
            assert_eq!(seen, 3);
        });
    });
}

#[test]
fn names_of_one_batch_take_one_job() {
    within("one batch", || {
        let builder = Builder::new_current_thread().max_blocking_threads(1);
        let runtime = builder.build().expect("a runtime");
        let (folder, _) = crowd(100);
        runtime.block_on(async {
            let mut entries = fs::read_dir(folder.path()).await.expect("a folder");
            let occupied = Occupied::new(runtime.handle());
            for _ in 0..100 {
                let entry = entries.next_entry().await.expect("read");
                let file_type = entry.expect("one more").file_type().await;
                assert!(file_type.expect("known").is_file());
            }
            assert!(entries.next_entry().await.expect("the end").is_none());
            drop(occupied);
        });
    });
}
