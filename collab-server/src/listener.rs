//! Takes connections, with what axum's own loop lacks: a cap, a deadline for a request's head, small
//! buffers, and an end that waits for every connection.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::ServiceExt;

use crate::metrics::Metrics;
use crate::shutdown::Shutdown;

/// What a request's head may take, in bytes; hyper's smallest.
const HEAD_BYTES_MAX: usize = 8 * 1024;

/// How long to wait before the next accept after one failed, as when file handles have run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A connection's place under the cap. A WebSocket session holds on to it after its upgrade.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionPermit {
    _held: Arc<Held>,
}

struct Held {
    _permit: OwnedSemaphorePermit,
    metrics: Arc<Metrics>,
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Held")
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.metrics.connections.dec();
    }
}

/// Serves `app` until the server stops.
pub(crate) struct Listener {
    pub(crate) app: Router,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) shutdown: Shutdown,
    pub(crate) connections_max: usize,
    pub(crate) header_timeout: Duration,
}

impl Listener {
    /// Accepts until the server stops; connections go on in tasks of their own.
    pub(crate) async fn run(self, listener: TcpListener) {
        let places = Arc::new(Semaphore::new(self.connections_max));
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = self.shutdown.stopping.cancelled() => return,
            };
            match accepted {
                Ok((stream, _)) => self.take(stream, &places),
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn take(&self, stream: TcpStream, places: &Arc<Semaphore>) {
        let Ok(permit) = Arc::clone(places).try_acquire_owned() else {
            self.metrics.connections_refused.inc();
            turn_away(&stream);
            return;
        };
        self.metrics.connections.inc();
        let held = Held { _permit: permit, metrics: Arc::clone(&self.metrics) };
        let permit = ConnectionPermit { _held: Arc::new(held) };
        // Small frames must not wait for the acknowledgement of the ones before them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot set TCP_NODELAY");
        }
        self.shutdown.tasks.spawn(serve(
            stream,
            self.app.clone(),
            permit,
            self.shutdown.clone(),
            self.header_timeout,
        ));
    }
}

/// Tells a connection that there is no place for it, without waiting for anything.
fn turn_away(stream: &TcpStream) {
    const ANSWER: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\n\
        content-length: 0\r\nconnection: close\r\n\r\n";
    if let Err(error) = stream.try_write(ANSWER) {
        tracing::debug!(%error, "a connection over the cap went unanswered");
    }
}

async fn serve(
    stream: TcpStream,
    app: Router,
    permit: ConnectionPermit,
    shutdown: Shutdown,
    header_timeout: Duration,
) {
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(permit.clone());
        app.clone().oneshot(request)
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(connection);
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = shutdown.stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                result = connection.as_mut() => result,
                () = shutdown.overdue.cancelled() => return,
            }
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "an HTTP connection ended early");
    }
}
