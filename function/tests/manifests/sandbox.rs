//! A copy of the repository in which scripts run with fake programs that record their calls and reach no cluster,
//! no network and no image builder. Owns the copy, the environment and the parsing of the records; what a call
//! may do is in `calls`.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;

use serde_json::Value;

use crate::calls::Call;
use crate::rendered::repository;
use crate::skipped::report_skipped;

/// The context of the kubeconfig that a user has.
pub(crate) const USERS_CONTEXT: &str = "users-own";

/// What is in a cluster before a command runs: nothing.
pub(crate) const EMPTY: &str = r#"{"items": []}"#;

/// Programs that one recording script replaces.
const RECORDED: &[&str] = &["kind", "k3d", "docker", "podman", "buildah", "helm"];

/// Programs that would take long or use the network.
const IDLE: &[&str] = &["cargo", "npm", "go", "apt-get", "pip"];

/// Folders that no script needs and that are large or generated.
const LEFT_OUT: &[&str] = &[".git", "node_modules", "fuzz", "src", "target"];

pub(crate) struct Sandbox {
    place: PathBuf,
    /// The real programs.
    kubectl: String,
    python: String,
    path: String,
}

/// The result of a command.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) output: String,
    pub(crate) calls: Vec<Call>,
    /// Command lines of the other recorded programs.
    pub(crate) programs: Vec<String>,
}

impl Sandbox {
    /// `None` if `kubectl`, which renders the manifests, is not installed.
    pub(crate) fn new(name: &str) -> Option<Self> {
        let kubectl = shell("command -v kubectl");
        if kubectl.is_empty() {
            report_skipped(&format!("kubectl is not installed; {name} needs it"));
            return None;
        }
        let place = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("sandbox")
            .join(name);
        let _ = fs::remove_dir_all(&place);
        copy(&repository(), &place.join("repository"));
        for folder in ["programs", "home/.kube", "target", "temporary"] {
            fs::create_dir_all(place.join(folder)).expect("can be made");
        }
        let source = repository().join("function/tests/manifests/recording");
        let names =
            ["kubectl", "curl", "python3", "sleep", "interruption.sh"].map(|name| (name, name));
        let recorded = RECORDED.iter().map(|name| ("program", *name));
        let idle = IDLE.iter().map(|name| ("nothing", *name));
        for (script, name) in names.into_iter().chain(recorded).chain(idle) {
            fs::copy(source.join(script), place.join("programs").join(name)).expect("copies");
        }
        let config = format!("current-context: {USERS_CONTEXT}\n");
        fs::write(place.join("home/.kube/config"), config).expect("can be written");
        Some(Self {
            place,
            kubectl,
            python: shell("python3 -c 'import sys; print(sys.executable)'"),
            path: shell("echo \"$PATH\""),
        })
    }

    /// Runs a command line of the repository, with `existing` as the JSON of what the cluster has.
    pub(crate) fn run(&self, command: &str, variables: &[(&str, &str)], existing: &str) -> Run {
        let _ = fs::remove_dir_all(self.place.join("state"));
        self.run_again(command, variables, existing)
    }

    /// Like `run`, on the machine that the run before it has left.
    pub(crate) fn run_again(
        &self,
        command: &str,
        variables: &[(&str, &str)],
        existing: &str,
    ) -> Run {
        let (record, state) = (self.folder("record"), self.folder("state"));
        fs::remove_dir_all(&record).expect("can be removed");
        fs::create_dir(&record).expect("can be made");
        fs::write(self.place.join("existing.json"), existing).expect("can be written");
        let path = format!("{}:{}", self.place.join("programs").display(), self.path);
        // Commands take seconds; one that waits for ever must be stopped.
        let output = Command::new("timeout")
            .args(["--kill-after=5", "600"])
            .args(command.split(' '))
            .current_dir(self.place.join("repository"))
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.place.join("home"))
            .env("TMPDIR", self.place.join("temporary"))
            .env("CARGO_TARGET_DIR", self.place.join("target"))
            // The copy is no clone, even where the target folder lies in one.
            .env("GIT_CEILING_DIRECTORIES", &self.place)
            .env("RECORD", &record)
            .env("STATE", &state)
            .env("EXISTING", self.place.join("existing.json"))
            .env("REAL_KUBECTL", &self.kubectl)
            .env("REAL_PYTHON", &self.python)
            .envs(variables.iter().copied())
            .output()
            .expect("starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let users = fs::read_to_string(self.place.join("home/.kube/config")).expect("is there");
        assert!(
            users.trim_end().ends_with(USERS_CONTEXT),
            "{command} changed the user's kubeconfig"
        );
        let (calls, programs) = records(&record);
        Run {
            code: output.status.code(),
            output: text(&output.stdout) + &text(&output.stderr),
            calls,
            programs,
        }
    }

    /// The files below a folder of this sandbox, with their contents.
    pub(crate) fn files(&self, folder: &str) -> BTreeMap<String, String> {
        let entries = fs::read_dir(self.folder(folder)).expect("can be read");
        let files = entries.filter_map(Result::ok).map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let content = fs::read_to_string(entry.path()).unwrap_or_default();
            (name, content)
        });
        files.collect()
    }

    /// A folder of this sandbox beside the repository.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        let folder = self.place.join(name);
        fs::create_dir_all(&folder).expect("can be made");
        folder
    }
}

impl Run {
    pub(crate) fn changes(&self) -> Vec<&Call> {
        self.calls
            .iter()
            .filter(|call| call.changes_something())
            .collect()
    }
}

/// The output of a shell command; empty if it fails.
pub(crate) fn shell(line: &str) -> String {
    let output = Command::new("bash")
        .args(["-c", line])
        .output()
        .expect("there is bash");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// The output of a program that reads this input. It is written beside the reading, because a program may wait until somebody reads
/// its output.
pub(crate) fn fed(program: &mut Command, input: &[u8]) -> Output {
    let mut child = program
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut stdin = child.stdin.take().expect("is piped");
    thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input).expect("it reads all"));
        child.wait_with_output().expect("ends")
    })
}

/// Copies a folder, without the folders that no script needs.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("can be made");
    for entry in fs::read_dir(from)
        .expect("can be read")
        .filter_map(Result::ok)
    {
        let (path, name) = (entry.path(), entry.file_name());
        if !path.is_dir() {
            let _ = fs::copy(&path, to.join(name));
        } else if !LEFT_OUT.iter().any(|left_out| name == *left_out)
            && !path.join("CACHEDIR.TAG").exists()
        {
            copy(&path, &to.join(name));
        }
    }
}

/// In the order of their names, which begin with the time.
fn records(folder: &Path) -> (Vec<Call>, Vec<String>) {
    let entries = fs::read_dir(folder)
        .expect("can be read")
        .filter_map(Result::ok);
    let mut places: Vec<_> = entries.map(|entry| entry.path()).collect();
    places.sort();
    let (mut calls, mut programs) = (Vec::new(), Vec::new());
    for place in places {
        let read = |name: &str| fs::read_to_string(place.join(name)).unwrap_or_default();
        let words = |text: String| {
            text.split_terminator('\0')
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let program = words(read("program"));
        if program.is_empty() {
            let objects: Vec<Value> =
                serde_saphyr::from_multiple(&read("objects")).expect("is YAML");
            calls.push(Call::new(
                read("context").trim(),
                words(read("arguments")),
                objects,
            ));
        } else {
            programs.push(program.join(" "));
        }
    }
    (calls, programs)
}
