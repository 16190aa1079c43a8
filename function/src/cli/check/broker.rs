//! The broker and the service for dead letters: whether they respond, and whether this process can store dead
//! letters. Sends no event.

use super::Finding;
use crate::config::Config;
use crate::hand_off::Receiver;

pub(super) async fn check(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    let sink = config.sink.as_ref();
    // The service for dead letters is this process, which network policies need not admit to itself.
    let is_function = config.dead_letters.is_none();
    let receivers = [
        ("broker", sink.map(|sink| &sink.receiver)),
        (
            "service for dead letters",
            sink.and_then(|sink| sink.dead_letter_sink.as_ref())
                .filter(|_| is_function),
        ),
    ];
    for (what, settings) in receivers {
        let Some(settings) = settings else {
            continue;
        };
        let authorities = &config.rocketchat.authorities;
        findings.push(match Receiver::new(settings.clone(), authorities) {
            Ok(receiver) => responds(config, what, &receiver).await,
            Err(error) => Finding::Failure(error.to_string()),
        });
    }
    let folder = config.dead_letters.as_ref();
    let folder = folder.map(|dead_letters| &dead_letters.folder);
    findings.extend(folder.map(|folder| match folder.try_writing() {
        Ok(()) => Finding::Ok(format!("dead letters can be stored in {folder}")),
        Err(error) => Finding::Failure(error.to_string()),
    }));
    findings
}

async fn responds(config: &Config, what: &str, receiver: &Receiver) -> Finding {
    let address = receiver.address();
    if receiver.responds(config.delivery_timeout).await {
        Finding::Ok(format!("{what} {address} responds"))
    } else {
        Finding::Failure(format!(
            "{what} {address} does not respond; check its address, network policies, and for https:// the authority of its certificate"
        ))
    }
}
