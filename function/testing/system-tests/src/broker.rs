//! A broker of CloudEvents on top of RabbitMQ, as a program that a check can kill: it does what the RabbitMQ broker of
//! Knative does with the events of webhook-app. Owns its command line. Events arrive in [`ingress`], are kept in
//! [`queue`], and go back from [`dispatcher`]; [`message`] is their form in between.

use std::process::ExitCode;

mod dispatcher;
mod ingress;
mod message;
pub(crate) mod queue;

use queue::Queue;

/// This word on the command line starts the broker instead of the checks.
pub(crate) const COMMAND: &str = "broker";

/// What the broker is started with.
#[derive(Clone, Debug)]
pub(crate) struct Arguments {
    /// The port on which events arrive.
    pub(crate) port: u16,
    /// Where events are sent to.
    pub(crate) target: String,
    pub(crate) queue: Queue,
}

impl Arguments {
    /// As words of the command line.
    pub(crate) fn words(&self) -> Vec<String> {
        let mut words = vec![
            COMMAND.to_owned(),
            self.port.to_string(),
            self.target.clone(),
            self.queue.name.clone(),
            self.queue.max_length.to_string(),
        ];
        words.extend(self.queue.nodes.iter().map(u16::to_string));
        words
    }

    fn parse(words: &[String]) -> Option<Self> {
        let [port, target, name, max_length, nodes @ ..] = words else {
            return None;
        };
        let nodes: Result<Vec<u16>, _> = nodes.iter().map(|node| node.parse()).collect();
        Some(Self {
            port: port.parse().ok()?,
            target: target.clone(),
            queue: Queue {
                name: name.clone(),
                max_length: max_length.parse().ok()?,
                nodes: nodes.ok()?,
            },
        })
    }
}

/// Runs the broker until it is killed. `words` are those after [`COMMAND`].
pub(crate) async fn run(words: &[String]) -> ExitCode {
    let Some(arguments) = Arguments::parse(words) else {
        eprintln!(
            "expected PORT TARGET QUEUE MAX-LENGTH RABBITMQ-PORT…, found {}",
            words.join(" ")
        );
        return ExitCode::FAILURE;
    };
    let served = tokio::select! {
        served = ingress::serve(arguments.port, arguments.queue.clone()) => served,
        () = dispatcher::run(&arguments.queue, &arguments.target) => Ok(()),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!(
                "the broker cannot listen on port {}: {error}",
                arguments.port
            );
            ExitCode::FAILURE
        }
    }
}
