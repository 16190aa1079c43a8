//! Signed pushes, made before the clock starts: every one has an id and a signature of its own,
//! because a function that sends each delivery once must not be asked twice for the same. All share
//! one body.

use fakes::gitlab::{Delivery, SAMPLE_KEY};
use serde_json::{Value, json};

/// One request: its head, and the body it shares with the others.
#[derive(Debug)]
pub(crate) struct Deliveries {
    heads: Vec<Vec<u8>>,
    body: Vec<u8>,
}

impl Deliveries {
    /// Signs `count` pushes of about `size` bytes for `host` and `path`.
    pub(crate) fn sign(count: usize, size: usize, host: &str, path: &str) -> Self {
        let body = push(size);
        let heads = (0..count).map(|_| head(&body, host, path)).collect();
        Self { heads, body }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.heads.len()
    }

    /// The head and the body of one.
    pub(crate) fn get(&self, index: usize) -> (&[u8], &[u8]) {
        (&self.heads[index], &self.body)
    }
}

fn head(body: &[u8], host: &str, path: &str) -> Vec<u8> {
    let delivery = Delivery::new("Push Hook", body).signed_with(SAMPLE_KEY);
    let length = body.len();
    let mut head = format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n")
        .into_bytes();
    // Kept open: a pool of connections stands between most GitLabs and most functions.
    for (name, value) in delivery.without("Connection").headers() {
        head.extend_from_slice(name.as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(&value);
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head
}

/// The sample push with as many commits and long messages as make up the size.
pub(crate) fn push(size: usize) -> Vec<u8> {
    let sample = Delivery::push_sample();
    let Ok(mut push) = serde_json::from_slice::<Value>(sample.body()) else {
        return sample.body().to_vec();
    };
    let commit = push["commits"][0].clone();
    let length = |push: &Value| push.to_string().len();
    // Twenty commits at most stand in a push; the rest is in their messages.
    while length(&push) + length(&commit) < size
        && push["commits"].as_array().map_or(0, Vec::len) < 20
    {
        if let Some(commits) = push["commits"].as_array_mut() {
            commits.push(commit.clone());
        }
    }
    let line = "A line of a message, as \"people\" write it.\n";
    // As it stands in JSON, escapes and all, but without its quotes.
    let written = json!(line).to_string().len() - 2;
    let missing = size.saturating_sub(length(&push));
    push["commits"][0]["message"] = json!(line.repeat(missing / written));
    push.to_string().into_bytes()
}
