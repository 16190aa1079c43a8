//! The queue in RabbitMQ. Owns its arguments, the connection, and what counts as stored. RabbitMQ is a cluster, and
//! every node of it gives access to the queue.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use lapin::options::{
    BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
    QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Confirmation, Connection, ConnectionProperties, Consumer};
use tokio::sync::Mutex;
use tokio::time;

use super::message;
use fakes::broker::Event;

/// A node that is being restarted accepts connections before it is ready.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// How often RabbitMQ sends an event again that a consumer did not acknowledge. Each kill of the dispatcher counts for
/// all events that it had; the default of RabbitMQ 4 is 20.
const DELIVERY_LIMIT: i32 = 100;

/// The name of the queue, how many events it may contain, and the ports of the nodes of RabbitMQ.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    pub(crate) name: String,
    pub(crate) max_length: i32,
    pub(crate) nodes: Vec<u16>,
}

/// An open channel to one node, on which the queues exist.
pub(crate) struct Session {
    /// Dropping it closes the channel.
    _connection: Connection,
    channel: Channel,
}

impl Queue {
    /// The queue of events that are not sent any more.
    fn dead_letters(&self) -> String {
        format!("{}.dead", self.name)
    }

    /// Connects to the first node that responds, and declares the queues.
    pub(crate) async fn connect(&self) -> lapin::Result<Session> {
        let mut result = Err(lapin::ErrorKind::MissingHeartbeatError.into());
        for node in &self.nodes {
            match time::timeout(CONNECT_TIMEOUT, self.connect_to(*node)).await {
                Ok(Ok(session)) => return Ok(session),
                Ok(Err(error)) => result = Err(error),
                Err(_) => {}
            }
        }
        result
    }

    async fn connect_to(&self, node: u16) -> lapin::Result<Session> {
        let node = SocketAddr::from((Ipv4Addr::LOCALHOST, node));
        let address = format!("amqp://guest:guest@{node}/%2f?heartbeat=5");
        let connection = Connection::connect(&address, ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        let text = |text: &str| AMQPValue::LongString(text.into());
        let quorum = [("x-queue-type", text("quorum"))];
        // An event leaves the queue only after the other one has confirmed it, and a full queue refuses further events.
        let others = [
            ("x-delivery-limit", AMQPValue::LongInt(DELIVERY_LIMIT)),
            ("x-max-length", AMQPValue::LongInt(self.max_length)),
            ("x-overflow", text("reject-publish")),
            ("x-dead-letter-strategy", text("at-least-once")),
            ("x-dead-letter-exchange", text("")),
            ("x-dead-letter-routing-key", text(&self.dead_letters())),
        ];
        let all = quorum.iter().chain(&others).cloned();
        for (name, arguments) in [
            (self.dead_letters(), table(quorum.iter().cloned())),
            (self.name.clone(), table(all)),
        ] {
            let options = QueueDeclareOptions::durable();
            let declared = channel.queue_declare(name.as_str().into(), options, arguments);
            declared.await?;
        }
        Ok(Session {
            _connection: connection,
            channel,
        })
    }

    /// How many events wait in the queue, and how many are dead letters.
    pub(crate) async fn lengths(&self) -> lapin::Result<(u32, u32)> {
        let session = self.connect().await?;
        let passive = QueueDeclareOptions {
            passive: true,
            ..QueueDeclareOptions::durable()
        };
        let length = async |name: String| {
            let declared =
                session
                    .channel
                    .queue_declare(name.as_str().into(), passive, FieldTable::default());
            declared.await.map(|queue| queue.message_count())
        };
        Ok((
            length(self.name.clone()).await?,
            length(self.dead_letters()).await?,
        ))
    }

    /// A consumer that gets up to `at_once` events before it acknowledges one, and its session.
    pub(super) async fn consume(&self, at_once: u16) -> lapin::Result<(Session, Consumer)> {
        let session = self.connect().await?;
        let channel = &session.channel;
        channel
            .basic_qos(at_once, BasicQosOptions::default())
            .await?;
        let options = BasicConsumeOptions::default();
        let consumer = channel.basic_consume(
            self.name.as_str().into(),
            "dispatcher".into(),
            options,
            FieldTable::default(),
        );
        let consumer = consumer.await?;
        Ok((session, consumer))
    }
}

fn table(arguments: impl Iterator<Item = (&'static str, AMQPValue)>) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in arguments {
        table.insert(name.into(), value);
    }
    table
}

/// Stores events in a queue.
pub(super) struct Publisher {
    queue: Queue,
    session: Mutex<Option<Session>>,
}

impl Publisher {
    pub(super) fn new(queue: Queue) -> Self {
        Self {
            queue,
            session: Mutex::default(),
        }
    }

    /// Whether RabbitMQ has confirmed that it keeps the event. It does so after most nodes have written it to disk.
    pub(super) async fn store(&self, event: &Event) -> lapin::Result<bool> {
        let channel = self.channel().await?;
        let options = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        let published = channel.basic_publish(
            "".into(),
            self.queue.name.as_str().into(),
            options,
            &event.data,
            message::properties(event),
        );
        // A message that comes back was in no queue.
        Ok(published.await?.await? == Confirmation::Ack(None))
    }

    /// The open channel, or a new one if its node is gone.
    async fn channel(&self) -> lapin::Result<Channel> {
        let mut current = self.session.lock().await;
        if let Some(session) = &*current
            && session.channel.status().connected()
        {
            return Ok(session.channel.clone());
        }
        let session = self.queue.connect().await?;
        let channel = session.channel.clone();
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .await?;
        *current = Some(session);
        Ok(channel)
    }
}
