//! The form of the Markdown files: the length of the README, one sentence per line, and links with an
//! existing target.

use std::fs;
use std::path::{Path, PathBuf};

use super::{read, root};

/// The README introduces; everything else is in `function/docs`.
const MAX_README_LINES: usize = 200;
const MAX_LINE_LENGTH: usize = 300;

/// Folders without pages of the project.
const EXCLUDED: &[&str] = &["target", "node_modules"];

/// Every Markdown file of the repository, by its path from the root.
fn pages() -> Vec<(PathBuf, String)> {
    let root = root();
    let mut pages = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(folder).expect("can be read");
        for path in entries.map(|entry| entry.expect("can be read").path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() {
                if !name.starts_with('.') && !EXCLUDED.contains(&&*name) {
                    folders.push(path);
                }
            } else if name.ends_with(".md") {
                let text = fs::read_to_string(&path).expect("is text");
                let path = path.strip_prefix(&root).expect("is below").to_owned();
                pages.push((path, text));
            }
        }
    }
    assert!(pages.len() > 4, "{}", pages.len());
    pages
}

/// The lines that are prose: neither code nor rows of a table. With their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut in_code = false;
    text.lines().zip(1..).filter_map(move |(line, number)| {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
            return None;
        }
        (!in_code && !line.starts_with('|')).then_some((number, line))
    })
}

#[test]
fn the_readme_is_short() {
    let readme = read("README.md");
    let lines = readme.lines().count();
    assert!(lines <= MAX_README_LINES, "{lines} lines");
    let lines = readme.lines().filter(|line| !line.starts_with('|'));
    for line in lines {
        assert!(line.chars().count() <= MAX_LINE_LENGTH, "too long: {line}");
    }
}

#[test]
fn every_line_has_at_most_one_sentence() {
    for (path, text) in pages() {
        // Licences are quoted verbatim.
        let text = text.split("## Licence").next().unwrap_or_default();
        for (number, line) in prose(text) {
            let start = line.trim_start();
            let digits = start.trim_start_matches(|char: char| char.is_ascii_digit());
            let sentence = digits.strip_prefix(". ").unwrap_or(start);
            let mut ends = sentence.split(". ").skip(1);
            assert!(
                ends.all(|next| !next.starts_with(|char: char| char.is_uppercase())),
                "{}:{number}: two sentences: {line}",
                path.display()
            );
        }
    }
}

#[test]
fn every_relative_link_has_an_existing_target() {
    for (path, text) in pages() {
        let folder = root().join(&path);
        let folder = folder.parent().expect("has a folder");
        let lines = text.lines().filter(|line| !line.starts_with("    "));
        for target in lines.flat_map(links) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() {
                root().join(&path)
            } else {
                folder.join(file)
            };
            let place = format!("{}: {target}", path.display());
            assert!(file.exists(), "{place} does not exist");
            if !heading.is_empty() {
                assert!(
                    headings(&file).contains(&heading.to_owned()),
                    "{place}: no such heading, found {:?}",
                    headings(&file)
                );
            }
        }
    }
}

/// The targets of the links and images of a line.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let rest = line.split("](").skip(1);
    rest.filter_map(|rest| rest.split(')').next())
}

/// The anchors that GitLab and GitHub give to the headings of a page.
fn headings(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).expect("is text");
    let headings = prose(&text).filter(|(_, line)| line.starts_with('#'));
    let anchor = |line: &str| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter_map(|char| match char {
            ' ' => Some('-'),
            '-' | '_' => Some(char),
            _ => char.is_alphanumeric().then_some(char),
        });
        kept.collect()
    };
    headings.map(|(_, line)| anchor(line)).collect()
}
