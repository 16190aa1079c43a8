//! The objects of a kustomization as a cluster would get them. Owns the call of `kubectl` and the lookup of
//! objects; the other files check them.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{LazyLock, Mutex};

use serde_json::Value;

use crate::skipped::report_skipped;

/// The kustomizations that are applied as they are, or are named as a resource by an overlay.
pub(crate) const BASES: &[&str] = &[
    "k8s-base",
    "k8s-base/edge/static",
    "k8s-base/gateway",
    "k8s-base/gitlab",
    "k8s-base/rocketchat",
    "k8s-base/rocketchat/backup",
    "k8s-base/rocketchat/mongodb",
    "k8s-base/rocketchat/restore",
    "k8s-base/rocketchat/server",
    "k8s-base/rocketchat/setup",
    "k8s-base/setup",
    "k8s-base/setup/deployer",
    "knative",
    "monitoring",
    "monitoring/logs",
    "monitoring/monitors",
    "monitoring/probes",
    "monitoring/standalone",
    "monitoring/traces",
];

/// Folders whose members are kustomizations. Each Component has an overlay here for every base that it fits.
const OVERLAYS: &[&str] = &[
    "function/tests/manifests/overlays",
    "k8s-base/examples",
    "knative/examples",
];

/// Every kustomization that can be applied: the bases, the examples, and the overlays that use the Components.
pub(crate) fn all() -> Vec<String> {
    let overlays = OVERLAYS.iter().flat_map(|folder| {
        let entries = std::fs::read_dir(repository().join(folder));
        let entries = entries.into_iter().flatten().map(move |entry| {
            let name = entry.expect("a readable entry").file_name();
            format!("{folder}/{}", name.to_string_lossy())
        });
        entries.filter(|path| repository().join(path).join("kustomization.yaml").exists())
    });
    let bases = BASES.iter().map(|base| (*base).to_owned());
    bases.chain(overlays).collect()
}

/// The overlay of this name that uses a Component.
pub(crate) fn overlay(name: &str) -> String {
    format!("function/tests/manifests/overlays/{name}")
}

/// The rendered objects of a folder; returns from the test if `kubectl` is not installed.
macro_rules! rendered {
    ($folder:expr) => {
        match $crate::rendered::Rendered::of(($folder).as_ref()) {
            Some(rendered) => rendered,
            None => return,
        }
    };
}
pub(crate) use rendered;

pub(crate) struct Rendered(pub(crate) Vec<Value>);

impl Rendered {
    pub(crate) fn of(folder: &str) -> Option<Self> {
        // Many tests look at all folders, and rendering one takes a tenth of a second.
        static RENDERED: LazyLock<Mutex<HashMap<String, Vec<Value>>>> =
            LazyLock::new(Mutex::default);
        let known = || RENDERED.lock().expect("no test holds it");
        if let Some(objects) = known().get(folder) {
            return Some(Self(objects.clone()));
        }
        let yaml = kustomize(folder)?.expect("the kustomization builds");
        let objects = yaml_documents(&yaml);
        known().insert(folder.to_owned(), objects.clone());
        Some(Self(objects))
    }

    /// The only object of a kind, such as `apps/Deployment` or `/Service`.
    pub(crate) fn one(&self, group_and_kind: &str) -> &Value {
        let found = self.every(group_and_kind);
        assert_eq!(found.len(), 1, "objects of {group_and_kind}");
        found[0]
    }

    /// The object of a kind with this name.
    pub(crate) fn named(&self, group_and_kind: &str, name: &str) -> &Value {
        let found = self.every(group_and_kind);
        let found = found.iter().find(|it| text(it, "/metadata/name") == name);
        found.unwrap_or_else(|| panic!("no {group_and_kind} {name}"))
    }

    /// The Deployments, Knative Services and `CronJobs`.
    pub(crate) fn workloads(&self) -> Vec<&Value> {
        let kinds = [
            "apps/Deployment",
            "serving.knative.dev/Service",
            "batch/CronJob",
        ];
        kinds.iter().flat_map(|kind| self.every(kind)).collect()
    }

    /// Whether there is an object of a kind with this name.
    pub(crate) fn has(&self, group_and_kind: &str, name: &str) -> bool {
        let objects = self.every(group_and_kind);
        let mut names = objects.iter().map(|object| text(object, "/metadata/name"));
        names.any(|found| found == name)
    }

    pub(crate) fn every(&self, group_and_kind: &str) -> Vec<&Value> {
        let (group, kind) = group_and_kind.split_once('/').expect("group/kind");
        let is_match = |object: &&Value| {
            let version = text(object, "/apiVersion");
            let found = version.rsplit_once('/').map_or("", |(group, _)| group);
            found == group && text(object, "/kind") == kind
        };
        self.0.iter().filter(is_match).collect()
    }
}

/// Renders a folder with `kubectl kustomize`: its output or its error; `None` if `kubectl` is not installed.
pub(crate) fn kustomize(folder: &str) -> Option<Result<String, String>> {
    // An address has a scheme and stays as it is.
    let place = if folder.contains("://") {
        PathBuf::from(folder)
    } else {
        repository().join(folder)
    };
    let output = match Command::new("kubectl").arg("kustomize").arg(place).output() {
        Ok(output) => output,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            report_skipped(&format!("kubectl is not installed; it renders {folder}"));
            return None;
        }
        Err(error) => panic!("kubectl does not start: {error}"),
    };
    let utf8 = |bytes| String::from_utf8(bytes).expect("kubectl writes UTF-8");
    Some(if output.status.success() {
        Ok(utf8(output.stdout))
    } else {
        Err(utf8(output.stderr))
    })
}

pub(crate) fn yaml_documents(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).expect("is YAML")
}

/// Parses a YAML file of the repository.
pub(crate) fn yaml_file(path: &str) -> Value {
    serde_saphyr::from_str(&file(path)).expect("the file is YAML")
}

pub(crate) fn file(path: &str) -> String {
    std::fs::read_to_string(repository().join(path)).expect("the file is there")
}

pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The pod template of a workload.
pub(crate) fn template(workload: &Value) -> &Value {
    let of_job = workload.pointer("/spec/jobTemplate/spec/template");
    of_job.unwrap_or_else(|| at(workload, "/spec/template"))
}

/// The part of an object that a JSON pointer leads to.
pub(crate) fn at<'a>(object: &'a Value, pointer: &str) -> &'a Value {
    object
        .pointer(pointer)
        .unwrap_or_else(|| panic!("{pointer} is missing in {object:#}"))
}

pub(crate) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    at(object, pointer).as_str().expect("a text")
}

pub(crate) fn number(object: &Value, pointer: &str) -> u64 {
    at(object, pointer).as_u64().expect("a number")
}

/// The members of a list; none if there is no list.
pub(crate) fn list<'a>(object: &'a Value, pointer: &str) -> Vec<&'a Value> {
    let found = object.pointer(pointer).and_then(Value::as_array);
    found.into_iter().flatten().collect()
}

/// The keys of a map; none if there is no map.
pub(crate) fn keys<'a>(object: &'a Value, pointer: &str) -> Vec<&'a str> {
    let found = object.pointer(pointer).and_then(Value::as_object);
    found
        .into_iter()
        .flatten()
        .map(|(key, _)| key.as_str())
        .collect()
}

/// Sets the value at a JSON pointer.
pub(crate) fn set(object: &mut Value, pointer: &str, value: Value) {
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    match object.pointer_mut(parent).expect("its parent") {
        Value::Array(list) => list[key.parse::<usize>().expect("an index")] = value,
        map => map[key] = value,
    }
}

/// The files of a folder and its folders, as paths from the repository.
pub(crate) fn files_below(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(repository().join(folder)).expect("the folder is there");
    let paths = entries.map(|entry| {
        let entry = entry.expect("a readable entry");
        let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
        (entry.path().is_dir(), name)
    });
    paths
        .flat_map(|(is_folder, path)| {
            if is_folder {
                files_below(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

/// The member of a list with this name.
pub(crate) fn named<'a>(members: &[&'a Value], name: &str) -> &'a Value {
    let found = members.iter().find(|member| member["name"] == name);
    found.unwrap_or_else(|| panic!("{name} is missing in {members:#?}"))
}
