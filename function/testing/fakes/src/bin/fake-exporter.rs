//! The metrics of a server that does not run, as a program, for test clusters: answers every GET with the content of a file in the
//! text format of Prometheus, which it reads each time. Prints its address as one line of JSON.

use std::convert::Infallible;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, file] = arguments.as_slice() else {
        print_error("expected an address and a file; usage: fake-exporter ADDRESS:PORT FILE");
        return ExitCode::FAILURE;
    };
    match serve(address, PathBuf::from(file)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print_error(&format!("cannot serve {file} on {address}: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn serve(address: &str, file: PathBuf) -> io::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    // A mistake in the path ends it at once.
    std::fs::metadata(&file)?;
    let listener = TcpListener::bind(address).await?;
    let listening = format!("http://{}", listener.local_addr()?);
    writeln!(io::stdout().lock(), "{}", json!({ "listening": listening }))?;
    tokio::select! {
        ended = accept(&listener, Arc::new(file)) => ended,
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminated.recv() => Ok(()),
    }
}

async fn accept(listener: &TcpListener, file: Arc<PathBuf>) -> io::Result<()> {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted?;
                connections.spawn(connection(stream, Arc::clone(&file)));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, file: Arc<PathBuf>) {
    let service = service_fn(|request| {
        let (method, file) = (hyper::Request::method(&request).clone(), Arc::clone(&file));
        async move { Ok::<_, Infallible>(respond(&method, &file)) }
    });
    // The client may close its connection at any time.
    let _ended = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

fn respond(method: &Method, file: &PathBuf) -> Response<Full<Bytes>> {
    let (status, body) = if method == Method::GET {
        match std::fs::read(file) {
            Ok(content) => (StatusCode::OK, content),
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string().into()),
        }
    } else {
        (StatusCode::METHOD_NOT_ALLOWED, Vec::new())
    };
    let response = Response::builder()
        .status(status)
        .header(CONTENT_TYPE, "text/plain; version=0.0.4");
    response.body(Full::new(body.into())).unwrap_or_default()
}

#[expect(clippy::print_stderr, reason = "a program prints its errors")]
fn print_error(problem: &str) {
    eprintln!("{problem}");
}
