//! The settings of the broker that keeps undelivered messages. Owns which of two names of its address is read:
//! `K_SINK`, `K_CA_CERTS` and `K_CE_OVERRIDES` are what a SinkBinding of Knative sets. What is handed off is decided in
//! [`hand_off`](crate::hand_off).

use url::Url;

use super::env::EnvReader;
use super::{authorities, clear_text, repeats_scheme};
use crate::dead_letters::{DeadLetters, Folder};
use crate::hand_off::{Extensions, ReceiverSettings, SinkSettings};
use crate::limits::LIMITS;
use crate::notifier::routing;
use crate::proxy::Proxies;

/// The name that a person sets, and the one that Knative sets.
const ADDRESSES: [&str; 2] = ["SINK_URL", "K_SINK"];

/// Reads every setting, so that all errors are reported together. `delivery` is `DELIVERY_TIMEOUT_SECONDS`.
pub(super) fn read(
    reader: &mut EnvReader,
    proxies: &Proxies,
    delivery: u64,
) -> Option<SinkSettings> {
    let [ours, knative] =
        ADDRESSES.map(|name| reader.optional(name, address).map(|url| (name, url)));
    if let (Some((name, ours)), Some((other, knative))) = (&ours, &knative)
        && ours != knative
    {
        reader.error(
            name,
            format_args!(
                "expected the same address as in {other}, found another one; remove {name}"
            ),
        );
    }
    let authorities = reader.optional("K_CA_CERTS", authorities::parse);
    let extensions = reader.optional("K_CE_OVERRIDES", Extensions::parse);
    let dead_letter_sink = dead_letter_sink(reader, proxies);
    let (name, url) = ours.or(knative)?;
    reader.warn_all(clear_text::warning(
        name,
        &url,
        "messages that are handed off",
    ));
    let least = LIMITS.hand_off.min_delivery_timeout_seconds;
    if delivery < least {
        reader.error(
            "DELIVERY_TIMEOUT_SECONDS",
            format_args!(
                "expected at least {least} with {name}, because the last second is for the broker"
            ),
        );
    }
    if !reader.has_value("MESSAGE_ID_SECRET") {
        reader.warn(
            name,
            "is set without MESSAGE_ID_SECRET, so a new ROCKETCHAT_AUTH_TOKEN makes the messages in the broker undeliverable; set MESSAGE_ID_SECRET",
        );
    }
    Some(SinkSettings {
        receiver: ReceiverSettings {
            proxy: proxies.of(&url),
            url,
            authorities: authorities.unwrap_or_default(),
        },
        extensions: extensions.unwrap_or_default(),
        dead_letter_sink,
    })
}

/// Where the function posts what cannot be delivered.
fn dead_letter_sink(reader: &mut EnvReader, proxies: &Proxies) -> Option<ReceiverSettings> {
    const NAME: &str = "DEAD_LETTER_SINK";
    let url = reader.optional(NAME, dead_letter_address)?;
    reader.warn_all(clear_text::warning(
        NAME,
        &url,
        "messages that cannot be delivered",
    ));
    Some(ReceiverSettings {
        proxy: proxies.of(&url),
        url,
        authorities: Vec::new(),
    })
}

/// The settings of the process that stores what the broker puts aside.
pub(super) fn dead_letters(reader: &mut EnvReader) -> Option<DeadLetters> {
    let folder = reader.path("DEAD_LETTERS_FOLDER", Folder::parse);
    let report_to = reader.optional("DEAD_LETTERS_TO", routing::destination);
    if folder.is_none() && report_to.is_some() {
        reader.warn(
            "DEAD_LETTERS_TO",
            "has no effect without DEAD_LETTERS_FOLDER",
        );
    }
    Some(DeadLetters {
        folder: folder?,
        report_to,
    })
}

fn address(text: &str) -> Result<Url, &'static str> {
    event_address(
        text,
        "expected the address of a broker that accepts CloudEvents over HTTP, such as http://broker-ingress.knative-eventing.svc/webhook-app/default",
    )
}

fn dead_letter_address(text: &str) -> Result<Url, &'static str> {
    event_address(
        text,
        "expected the address of the service that stores dead letters, such as http://webhook-app-dead-letters/dead-letters",
    )
}

fn event_address(text: &str, expected: &'static str) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| expected)?;
    if repeats_scheme(&url) {
        return Err("expected an address with one scheme, found two; remove one");
    }
    let is_usable = matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none();
    is_usable.then_some(url).ok_or(expected)
}
