//! Checks that a copy of an example outside of the repository renders the same objects, once its resources and
//! Components are replaced as the README of the examples tells.

use std::fs;
use std::path::{Path, PathBuf};

use crate::examples::examples;
use crate::rendered::{file, files_below, kustomize, repository};

#[test]
fn a_copy_with_the_documented_places_renders_the_same() {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("copied");
    let _ = fs::remove_dir_all(&root);
    for example in examples() {
        for path in files_below(&example) {
            let (from, to) = (repository().join(&path), root.join(&path));
            let (from, folder) = (parent(&from), parent(&to));
            fs::create_dir_all(folder).expect("can be made");
            let text = file(&path);
            let lines: Vec<_> = text.lines().map(|line| moved(line, from, folder)).collect();
            fs::write(&to, lines.join("\n") + "\n").expect("can be written");
        }

        // An absolute path replaces that of the repository.
        let copied = kustomize(root.join(&example).to_str().expect("a path of UTF-8"));
        let (Some(copied), Some(original)) = (copied, kustomize(&example)) else {
            return;
        };

        assert_eq!(copied, original, "{example}");
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().expect("is in a folder")
}

/// A line of a kustomization, with the documented place in place of a folder above the example.
fn moved(line: &str, from: &Path, to: &Path) -> String {
    let Some(place) = line.strip_prefix("  - ..") else {
        return line.to_owned();
    };
    let place = from.join(format!("..{place}"));
    let place = place.canonicalize().expect("the folder is there");
    let place = place.to_str().expect("a path of UTF-8");
    // The folders to name are those above, which contain the examples too.
    let place = place
        .replace("/k8s-base/deployment", "/k8s-base")
        .replace("/knative/service", "/knative");
    // kustomize accepts only relative paths, so this one goes up to the root.
    let to = to.canonicalize().expect("the folder is there");
    let up: PathBuf = to.components().skip(1).map(|_| "..").collect();
    format!("  - {}{place}", up.display())
}
