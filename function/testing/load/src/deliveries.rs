//! Signed pushes, generated before the measurement starts. Each has a unique id and signature, because
//! webhook-app deduplicates deliveries. All have the same body.

use fakes::gitlab::{Delivery, SAMPLE_KEY};
use serde_json::{Value, json};

/// The heads of all requests, and their common body.
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

    /// The number of deliveries.
    pub(crate) fn len(&self) -> usize {
        self.heads.len()
    }

    /// The head and the body of one request.
    pub(crate) fn get(&self, index: usize) -> (&[u8], &[u8]) {
        (&self.heads[index], &self.body)
    }
}

fn head(body: &[u8], host: &str, path: &str) -> Vec<u8> {
    let delivery = Delivery::new("Push Hook", body).signed_with(SAMPLE_KEY);
    let length = body.len();
    let mut head = format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n")
        .into_bytes();
    // Keep-alive, because most deployments have a proxy with a connection pool in front of webhook-app.
    for (name, value) in delivery.without("Connection").headers() {
        head.extend_from_slice(name.as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(&value);
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head
}

/// The sample push with more commits and longer messages, to make up about `size` bytes.
pub(crate) fn push(size: usize) -> Vec<u8> {
    let sample = Delivery::push_sample();
    let Ok(mut push) = serde_json::from_slice::<Value>(sample.body()) else {
        return sample.body().to_vec();
    };
    let commit = push["commits"][0].clone();
    let length = |push: &Value| push.to_string().len();
    // GitLab lists at most 20 commits in a push; a longer commit message makes up the rest.
    while length(&push) + length(&commit) < size
        && push["commits"].as_array().map_or(0, Vec::len) < 20
    {
        if let Some(commits) = push["commits"].as_array_mut() {
            commits.push(commit.clone());
        }
    }
    let line = "A line of a message, as \"people\" write it.\n";
    // The length in JSON, with escapes but without the quotes.
    let written = json!(line).to_string().len() - 2;
    let missing = size.saturating_sub(length(&push));
    push["commits"][0]["message"] = json!(line.repeat(missing / written));
    push.to_string().into_bytes()
}
