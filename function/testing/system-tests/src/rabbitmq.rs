//! A cluster of three nodes of RabbitMQ on this machine. Owns its files, its processes and how a node is restarted; what
//! is stored in it is decided in [`broker`](crate::broker).

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::time;

use crate::ports;

/// The start script of the package. The one in PATH requires a certain user and one folder for all.
const SERVER: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";

/// Nodes: with one of them gone, most are left.
const NODES: usize = 3;

/// A node needs 8 s on an idle machine.
const START_TIMEOUT: Duration = Duration::from_secs(90);

/// How a node is stopped.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stop {
    /// SIGTERM, as at an update.
    Terminate,
    /// SIGKILL, as the kernel does when memory runs out.
    Kill,
}

/// The running nodes; killed when dropped.
pub(crate) struct RabbitMq {
    folder: PathBuf,
    /// The daemon by which the nodes find each other.
    names: Child,
    names_port: u16,
    nodes: Vec<Node>,
}

struct Node {
    name: String,
    port: u16,
    cluster_port: u16,
    child: Option<Child>,
}

impl RabbitMq {
    /// Starts the nodes and waits until they are a cluster; `None` if RabbitMQ is not installed.
    pub(crate) async fn start() -> Option<Self> {
        if !Path::new(SERVER).exists() {
            return None;
        }
        let names_port = ports::reserve();
        let folder = std::env::temp_dir().join(format!("system-tests-rabbitmq-{names_port}"));
        std::fs::create_dir_all(&folder).expect("a temporary folder can be created");
        let names = Command::new("epmd")
            .args(["-address", "127.0.0.1", "-port", &names_port.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let nodes = (0..NODES).map(|_| {
            let port = ports::reserve();
            Node {
                name: format!("node{port}@localhost"),
                port,
                cluster_port: ports::reserve(),
                child: None,
            }
        });
        let mut cluster = Self {
            folder,
            names: names.expect("epmd is installed with RabbitMQ"),
            names_port,
            nodes: nodes.collect(),
        };
        cluster.configure();
        // Nodes that start at the same time may form several clusters, so the others join the first one.
        cluster.start_node(0);
        cluster.wait_for(0).await;
        for node in 1..NODES {
            cluster.start_node(node);
        }
        for node in 1..NODES {
            cluster.wait_for(node).await;
        }
        Some(cluster)
    }

    /// The ports of the nodes.
    pub(crate) fn ports(&self) -> Vec<u16> {
        self.nodes.iter().map(|node| node.port).collect()
    }

    /// Stops a node and starts it again; returns when it accepts connections.
    pub(crate) async fn restart(&mut self, node: usize, stop: Stop) {
        let signal = match stop {
            Stop::Terminate => "-TERM",
            Stop::Kill => "-KILL",
        };
        if let Some(mut child) = self.nodes[node].child.take() {
            signal_group(&child, signal);
            while matches!(child.try_wait(), Ok(None)) {
                time::sleep(Duration::from_millis(20)).await;
            }
            // A terminated start script may leave the node behind for a moment.
            while TcpStream::connect(("127.0.0.1", self.nodes[node].port))
                .await
                .is_ok()
            {
                time::sleep(Duration::from_millis(20)).await;
            }
            signal_group(&child, "-KILL");
        }
        self.start_node(node);
        self.wait_for(node).await;
    }

    fn configure(&self) {
        let write = |name: &str, text: &str| {
            let written = std::fs::write(self.folder.join(name), text);
            written.expect("a temporary file can be written");
        };
        let first = &self.nodes[0].name;
        write(
            "rabbitmq.conf",
            &format!(
                "cluster_formation.peer_discovery_backend = classic_config\ncluster_formation.classic_config.nodes.1 = {first}\n"
            ),
        );
        // No plugins.
        write("plugins", "[].");
    }

    fn start_node(&mut self, node: usize) {
        let folder = &self.folder;
        let node = &mut self.nodes[node];
        let log = std::fs::File::create(folder.join(format!("{}.log", node.name)));
        let log = log.expect("a temporary file can be written");
        let child = Command::new(SERVER)
            // The nodes share a secret in this folder.
            .env("HOME", folder)
            .env("ERL_EPMD_PORT", self.names_port.to_string())
            .env("RABBITMQ_NODENAME", &node.name)
            .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_NODE_PORT", node.port.to_string())
            .env("RABBITMQ_DIST_PORT", node.cluster_port.to_string())
            .env("RABBITMQ_MNESIA_BASE", folder.join("data"))
            .env("RABBITMQ_LOG_BASE", folder.join("log"))
            .env("RABBITMQ_CONFIG_FILE", folder.join("rabbitmq.conf"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", folder.join("plugins"))
            // Idle threads sleep at once.
            .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "+sbwt none")
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("is open"))
            .stderr(log)
            // The script starts further processes.
            .process_group(0)
            .spawn();
        node.child = Some(child.expect("the script can be run"));
    }

    async fn wait_for(&mut self, node: usize) {
        let Node {
            name, port, child, ..
        } = &mut self.nodes[node];
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", *port)).await.is_err() {
            let runs = child
                .as_mut()
                .is_some_and(|child| matches!(child.try_wait(), Ok(None)));
            assert!(
                runs && began.elapsed() < START_TIMEOUT,
                "{name} does not start: {}",
                std::fs::read_to_string(self.folder.join(format!("{name}.log")))
                    .unwrap_or_default()
            );
            time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for RabbitMq {
    fn drop(&mut self) {
        for child in self.nodes.iter_mut().filter_map(|node| node.child.as_mut()) {
            signal_group(child, "-KILL");
            let _ = child.wait();
        }
        let _ = self.names.kill();
        let _ = self.names.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Sends a signal to a process and those that it started.
fn signal_group(child: &Child, signal: &str) {
    let group = format!("-{}", child.id());
    let _ = Command::new("kill")
        .args([signal, "--", &group])
        .stderr(Stdio::null())
        .status();
}
