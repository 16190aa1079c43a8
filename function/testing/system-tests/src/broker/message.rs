//! An event as a message of AMQP. Owns the names of the headers, which are those of the AMQP binding of CloudEvents.

use fakes::broker::Event;
use lapin::BasicProperties;
use lapin::message::Delivery;
use lapin::types::{AMQPValue, FieldTable, ShortString};

const PREFIX: &str = "cloudEvents:";

/// RabbitMQ writes the message to disk.
const PERSISTENT: u8 = 2;

/// The properties of the message. Its content is that of the event.
pub(super) fn properties(event: &Event) -> BasicProperties {
    let mut headers = FieldTable::default();
    for (name, value) in &event.attributes {
        let value = AMQPValue::LongString(value.as_str().into());
        headers.insert(format!("{PREFIX}{name}").as_str().into(), value);
    }
    BasicProperties::default()
        .with_content_type(event.content_type.as_str().into())
        .with_delivery_mode(PERSISTENT)
        .with_headers(headers)
}

/// The event of a message that [`properties`] describes.
pub(super) fn event(delivery: &Delivery) -> Event {
    let headers = delivery.properties.headers().iter();
    let headers = headers.flat_map(FieldTable::inner);
    let attribute = |(name, value): (&ShortString, &AMQPValue)| {
        let name = name.as_str().strip_prefix(PREFIX)?;
        let AMQPValue::LongString(value) = value else {
            return None;
        };
        Some((name.to_owned(), value.to_string()))
    };
    let content_type = delivery.properties.content_type().as_ref();
    Event {
        attributes: headers.filter_map(attribute).collect(),
        content_type: content_type.map(ToString::to_string).unwrap_or_default(),
        data: delivery.data.clone(),
    }
}
