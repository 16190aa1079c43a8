//! `lambda`: a minimal Lambda Runtime API that serves signed pushes and measures the time from starting the
//! program to its first poll (init), to its first response, and of each warm response. The protocol is
//! validated by the tests of webhook-app, not here.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use fakes::gitlab::{Delivery, SAMPLE_KEY};
use serde_json::{Map, Value, json};

use crate::cold::Running;
use crate::deliveries::push;
use crate::options::Options;

/// Warm invocations per start.
const WARM: usize = 10;

/// How long a response may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Starts the program after `--` `--runs` times, with a Runtime API at `--address`.
pub(crate) fn run(options: &Options) -> Result<Value, String> {
    let address = options.text("address", "127.0.0.1:9001");
    let size = options.number("size", 4096)?;
    let listener = TcpListener::bind(address);
    let listener = listener.map_err(|error| format!("could not listen on {address}: {error}"))?;
    let [mut init, mut first, mut warm] = [const { Vec::new() }; 3];
    for _ in 0..options.number("runs", 20)? {
        let times = once(&options.program, &listener, size)
            .map_err(|error| format!("the Lambda program did not respond: {error}"))?;
        init.push(times[0]);
        first.push(times[1]);
        warm.extend_from_slice(&times[2..]);
    }
    Ok(json!({
        "init_ms": median(&mut init),
        "first_ms": median(&mut first),
        "warm_ms": median(&mut warm),
    }))
}

/// Milliseconds to the first poll, then of the first invocation and of each warm one.
fn once(program: &[String], listener: &TcpListener, size: usize) -> std::io::Result<Vec<f64>> {
    let started = Instant::now();
    let _running = Running::start(program)?;
    let mut times = Vec::new();
    let mut served_at = started;
    let mut connection = accept(listener)?;
    while times.len() < WARM + 2 {
        let Some(request) = read(&mut connection)? else {
            connection = accept(listener)?;
            continue;
        };
        if request.starts_with("GET ") {
            if times.is_empty() {
                times.push(ms(started));
            }
            let event = event(size).to_string();
            served_at = Instant::now();
            write(&mut connection, "200 OK", &event)?;
        } else {
            times.push(ms(served_at));
            write(&mut connection, "202 Accepted", "")?;
        }
    }
    Ok(times)
}

fn accept(listener: &TcpListener) -> std::io::Result<BufReader<TcpStream>> {
    let (stream, _) = listener.accept()?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    Ok(BufReader::new(stream))
}

/// The request line of the next request; its body is discarded.
fn read(connection: &mut BufReader<TcpStream>) -> std::io::Result<Option<String>> {
    let mut first_line = String::new();
    if connection.read_line(&mut first_line)? == 0 {
        return Ok(None);
    }
    let mut length = 0;
    let mut line = String::new();
    while connection.read_line(&mut line)? > 2 {
        let value = line.to_ascii_lowercase();
        if let Some(value) = value.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or_default();
        }
        line.clear();
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body)?;
    Ok(Some(first_line))
}

fn write(connection: &mut BufReader<TcpStream>, status: &str, body: &str) -> std::io::Result<()> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let deadline = since.unwrap_or_default().as_millis() + TIMEOUT.as_millis();
    let length = body.len();
    let response = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         lambda-runtime-aws-request-id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\n\
         lambda-runtime-deadline-ms: {deadline}\r\n\
         lambda-runtime-invoked-function-arn: arn:aws:lambda:eu-central-1:123456789012:function:webhook-app\r\n\
         lambda-runtime-trace-id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700\r\n\r\n{body}"
    );
    connection.get_mut().write_all(response.as_bytes())
}

/// A push in the event format of a function URL.
fn event(size: usize) -> Value {
    let delivery = Delivery::new("Push Hook", push(size)).signed_with(SAMPLE_KEY);
    let headers = delivery.headers().into_iter();
    let headers: Map<String, Value> = headers
        .map(|(name, value)| (name.to_lowercase(), json!(String::from_utf8_lossy(&value))))
        .collect();
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": "/webhook", "rawQueryString": "",
        "headers": headers,
        "requestContext": {
            "accountId": "anonymous", "apiId": "abcdefghij", "requestId": "e1506fd5-9e7b-434f-bd42-4f8fa224b599",
            "http": { "method": "POST", "path": "/webhook", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "GitLab/19.3.0" },
            "routeKey": "$default", "stage": "$default",
            "time": "20/Nov/2026:10:00:00 +0000", "timeEpoch": 1_795_168_800_000_u64,
        },
        "body": String::from_utf8_lossy(delivery.body()),
        "isBase64Encoded": false,
    })
}

fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

fn median(times: &mut [f64]) -> Option<f64> {
    times.sort_unstable_by(f64::total_cmp);
    times.get(times.len() / 2).copied()
}
