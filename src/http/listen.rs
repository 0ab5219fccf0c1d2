//! Accepting connections, bounded: how many, how long a head may take, how much of it there may be, and how long a reader
//! may take nothing. What is wrong with one connection never ends the loop.
//!
//! HTTP/1.1 without TLS: what stands in front of us ends TLS and speaks HTTP/2 with browsers.

use axum::{Router, body::Body, extract::ConnectInfo};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Deserialize;
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_io_timeout::TimeoutStream;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

/// `[server.connections]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionSettings {
    /// Open at once; the next ones wait in the system's queue.
    pub most: usize,
    /// Seconds until a request's head must be whole; also how long a connection may be idle between requests.
    pub head_seconds: u64,
    /// Bytes of a head.
    pub head_bytes: usize,
    /// Seconds after which a reader that takes nothing is dropped.
    pub slow_reader_seconds: u64,
}

/// After an error of the system that will not be gone at once, such as too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until `shutdown`; then each connection finishes what it is doing. The tasks are tracked in `tasks`.
pub async fn listen(
    listener: TcpListener,
    router: Router,
    settings: ConnectionSettings,
    shutdown: CancellationToken,
    tasks: TaskTracker,
) {
    let places = Arc::new(Semaphore::new(settings.most));
    let settings = Arc::new(settings);
    loop {
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            accepted = accepted => accepted,
            () = shutdown.cancelled() => return,
        };
        match (place, accepted) {
            (Ok(place), Ok((stream, peer))) => {
                let connection = serve(stream, peer, router.clone(), Arc::clone(&settings), shutdown.clone(), place);
                tasks.spawn(connection);
            }
            (_, Err(error)) if is_of_one_connection(&error) => {}
            (_, Err(error)) => {
                tracing::error!(%error, "cannot accept connections");
                tokio::time::sleep(PAUSE).await;
            }
            (Err(_), Ok(_)) => return,
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    )
}

async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    settings: Arc<ConnectionSettings>,
    shutdown: CancellationToken,
    _place: OwnedSemaphorePermit,
) {
    // What is pushed is small and wanted at once.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(Duration::from_secs(settings.slow_reader_seconds)));
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(settings.head_seconds))
        .max_buf_size(settings.head_bytes)
        .serve_connection(TokioIo::new(Box::pin(stream)), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "a connection broke off");
    }
}
