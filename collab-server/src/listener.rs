//! Takes connections, with what axum's own loop lacks: TLS, caps, deadlines for handshakes, heads
//! and readers, small buffers, and an end that waits for every connection.

mod stream;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use collab_protocol::ErrorCode;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::ServiceExt;

pub(crate) use self::stream::Stream;
use crate::address::{AddressKey, AddressPlace, Addresses, Class};
use crate::error::bare_answer;
use crate::metrics::{Limit, Metrics, TlsFailure};
use crate::shutdown::Shutdown;
use crate::tls::Tls;

/// What a request's head may take, in bytes; hyper's smallest.
const HEAD_BYTES_MAX: usize = 8 * 1024;

/// How long to wait before the next accept after one failed, as when file handles have run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What a session gets, beyond the time in which it is sure to notice, before the connection itself
/// is given up because nothing of what is to be sent is taken: the session closes with a code of
/// its own.
const STALL_GRACE: Duration = Duration::from_secs(2);

/// The first byte of a TLS handshake.
const HANDSHAKE: u8 = 22;

/// A connection's place under the cap. A WebSocket session holds on to it after its upgrade.
#[derive(Clone)]
pub(crate) struct ConnectionPermit(Arc<Held>);

struct Held {
    _permit: OwnedSemaphorePermit,
    /// Whether a proxy holds it, over which come requests of many.
    is_proxys: bool,
    /// Its place among those of its address, unless somebody with a token is known over it.
    place: Mutex<Option<AddressPlace>>,
    metrics: Arc<Metrics>,
}

impl ConnectionPermit {
    /// Whether it is counted by its address.
    pub(crate) fn is_counted(&self) -> bool {
        self.place().is_some()
    }

    /// Whether a proxy holds it: then it is requests that are counted, by who asked the proxy.
    pub(crate) fn is_proxys(&self) -> bool {
        self.0.is_proxys
    }

    /// Somebody who is counted by no address is known over this connection, or whoever comes has a
    /// place of another kind.
    pub(crate) fn free(&self) {
        self.place().take();
    }

    /// Counts the connection as one of this class from now on, whatever it was before; that of a
    /// guest stays a guest's. `false` when its address has as many as one may.
    pub(crate) fn count_as(
        &self,
        addresses: &Arc<Addresses>,
        address: AddressKey,
        class: Class,
    ) -> bool {
        let mut place = self.place();
        let is_enough = |place: &AddressPlace| [class, Class::Guest].contains(&place.class());
        if !place.as_ref().is_some_and(is_enough) {
            match addresses.enter(address, class) {
                Some(entered) => *place = Some(entered),
                None => return false,
            }
        }
        true
    }

    fn place(&self) -> MutexGuard<'_, Option<AddressPlace>> {
        self.0.place.lock().unwrap_or_else(PoisonError::into_inner)
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
    pub(crate) tls: Option<Tls>,
    pub(crate) addresses: Arc<Addresses>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) shutdown: Shutdown,
    pub(crate) connections_max: usize,
    /// What the handshake of TLS may take, and then the head of each request.
    pub(crate) header_timeout: Duration,
    /// How long a connection may take nothing of what is to be sent to it.
    pub(crate) stall_max: Duration,
}

impl Listener {
    /// Accepts until the server stops; connections go on in tasks of their own.
    pub(crate) async fn run(self, listener: TcpListener) {
        let places = Arc::new(Semaphore::new(self.connections_max));
        let listening = Arc::new(self);
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = listening.shutdown.stopping.cancelled() => return,
            };
            match accepted {
                Ok((stream, peer)) => listening.take(stream, peer, &places),
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn take(self: &Arc<Self>, stream: TcpStream, peer: SocketAddr, places: &Arc<Semaphore>) {
        let Ok(permit) = Arc::clone(places).try_acquire_owned() else {
            self.metrics.connections_refused.inc();
            return self.turn_away(&stream, ErrorCode::Overloaded);
        };
        let peer = peer.ip();
        let is_proxys = self.addresses.is_proxy(peer);
        let place = match is_proxys {
            // Its people are told apart by request.
            true => None,
            false => match self.addresses.enter(peer.into(), Class::Unknown) {
                Some(place) => Some(place),
                None => {
                    self.metrics.limited(Limit::AddressConnections);
                    return self.turn_away(&stream, ErrorCode::SlowDown);
                }
            },
        };
        self.metrics.connections.inc();
        let metrics = Arc::clone(&self.metrics);
        let held = Held { _permit: permit, is_proxys, place: Mutex::new(place), metrics };
        let permit = ConnectionPermit(Arc::new(held));
        // Small frames must not wait for the acknowledgement of the ones before them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot set TCP_NODELAY");
        }
        self.shutdown.tasks.spawn(Arc::clone(self).greet(stream, peer, permit));
    }

    /// Tells a connection that there is no place for it, without waiting for anything. Over TLS
    /// there is nothing to be said before a handshake.
    fn turn_away(&self, stream: &TcpStream, code: ErrorCode) {
        if self.tls.is_some() {
            return;
        }
        if let Err(error) = stream.try_write(&bare_answer(code)) {
            tracing::debug!(%error, "a connection over the cap went unanswered");
        }
    }

    /// A session looks once in `stall_max` whether anything was taken since, so it may take twice
    /// as long to notice that nothing is.
    fn give_up_after(&self) -> Duration {
        2 * self.stall_max + STALL_GRACE
    }

    /// Makes the connection secure, where it is to be, and serves it.
    async fn greet(self: Arc<Self>, stream: TcpStream, peer: IpAddr, permit: ConnectionPermit) {
        let stream = match &self.tls {
            None => Stream::plain(stream, self.give_up_after()),
            Some(tls) => {
                let handshake = tokio::time::timeout(self.header_timeout, shake_hands(tls, stream));
                let shaken = tokio::select! {
                    shaken = handshake => shaken.unwrap_or(Err(TlsFailure::Slow)),
                    () = self.shutdown.stopping.cancelled() => return,
                };
                match shaken {
                    Ok(stream) => Stream::tls(stream, self.give_up_after()),
                    Err(failure) => return self.metrics.tls_failed(failure),
                }
            }
        };
        // Boxed, so that the handshake's room is not kept for as long as the connection lives.
        Box::pin(self.serve(stream, peer, permit)).await;
    }

    async fn serve(self: Arc<Self>, stream: Stream, peer: IpAddr, permit: ConnectionPermit) {
        let (app, addresses) = (self.app.clone(), Arc::clone(&self.addresses));
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            let address: AddressKey = addresses.of(peer, request.headers());
            request.extensions_mut().insert(permit.clone());
            request.extensions_mut().insert(address);
            app.clone().oneshot(request)
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.header_timeout)
            .max_buf_size(HEAD_BYTES_MAX)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        tokio::pin!(connection);
        let result = tokio::select! {
            result = connection.as_mut() => result,
            () = self.shutdown.stopping.cancelled() => {
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    result = connection.as_mut() => result,
                    () = self.shutdown.overdue.cancelled() => return,
                }
            }
        };
        if let Err(error) = result {
            tracing::debug!(%error, "an HTTP connection ended early");
        }
    }
}

/// The handshake of TLS. Who speaks plain HTTP is told so.
async fn shake_hands(
    tls: &Tls,
    stream: TcpStream,
) -> Result<tokio_rustls::server::TlsStream<TcpStream>, TlsFailure> {
    let mut first = [0];
    match stream.peek(&mut first).await {
        Ok(1) if first[0] != HANDSHAKE => {
            say_https(stream).await;
            return Err(TlsFailure::Plain);
        }
        Ok(1) => {}
        Ok(_) | Err(_) => return Err(TlsFailure::Refused),
    }
    tls.acceptor().accept(stream).await.map_err(|error: io::Error| {
        tracing::debug!(%error, "a TLS handshake failed");
        TlsFailure::Refused
    })
}

/// Answers plain HTTP at a place for https, and lets the other side read it.
async fn say_https(mut stream: TcpStream) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    const ANSWER: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\n\
        content-length: 35\r\nconnection: close\r\n\r\nThis address speaks https, not http";
    let mut sink = [0; 1024];
    if stream.write_all(ANSWER).await.is_ok() && stream.shutdown().await.is_ok() {
        // To drop it with bytes unread would reset it before the answer is read.
        while stream.read(&mut sink).await.is_ok_and(|read| read > 0) {}
    }
}
