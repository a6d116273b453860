//! A network between a client and a server that can be made to fail: a TCP proxy in the test.
//!
//! TCP neither reorders nor loses bytes within a connection that lives on, so neither does this:
//! what is held comes later, and what is lost is lost together with the connection. Where a
//! direction is *dead*, the bytes are taken and never arrive, as with a peer that is gone.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What one direction of a network does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// Passes everything on at once.
    Pass,
    /// Passes nothing on until it is set to something else.
    Hold,
    /// Takes everything and passes nothing on, ever, on the connections of now.
    Dead,
    /// Passes everything on, each piece this much later.
    Delay(Duration),
    /// Passes on so many bytes a second.
    Throttle(usize),
    /// Passes on so many further bytes, then cuts the connection, in a frame or between two.
    CutAfter(usize),
}

/// Both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    /// From the client to the server.
    pub(crate) up: Flow,
    /// From the server to the client.
    pub(crate) down: Flow,
}

impl Network {
    pub(crate) const GOOD: Network = Network { up: Flow::Pass, down: Flow::Pass };
}

/// What is to be lost once: the connection that carries these bytes to the server.
#[derive(Clone, Debug)]
pub(crate) struct Trap {
    /// Bytes that the client sends.
    pub(crate) needle: Vec<u8>,
    /// Whether they reach the server; if so, the connection is cut when the server answers.
    pub(crate) delivers: bool,
}

#[derive(Debug)]
struct Shared {
    target: Mutex<Option<SocketAddr>>,
    network: watch::Sender<Network>,
    /// Counts cuts; every change ends the connections of before.
    cuts: watch::Sender<u64>,
    trap: Mutex<Option<Trap>>,
    attempts: Mutex<Vec<Instant>>,
}

/// A listening proxy, which ends with this value.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

impl Proxy {
    /// Listens on a free port and passes on to `target`.
    pub(crate) async fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let shared = Arc::new(Shared {
            target: Mutex::new(Some(target)),
            network: watch::channel(Network::GOOD).0,
            cuts: watch::channel(0).0,
            trap: Mutex::new(None),
            attempts: Mutex::new(Vec::new()),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Proxy { address, shared, accepting }
    }

    /// Where clients connect.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where new connections go; none are taken without a target.
    pub(crate) fn aim(&self, target: Option<SocketAddr>) {
        *lock(&self.shared.target) = target;
    }

    /// What the network does from now on, to open connections too.
    pub(crate) fn set(&self, network: Network) {
        self.shared.network.send_replace(network);
    }

    /// Ends every open connection without a word.
    pub(crate) fn cut(&self) {
        self.shared.cuts.send_modify(|count| *count += 1);
    }

    /// Sets a trap. It closes once.
    pub(crate) fn trap(&self, trap: Trap) {
        *lock(&self.shared.trap) = Some(trap);
    }

    /// Whether the trap is still open.
    pub(crate) fn is_set(&self) -> bool {
        lock(&self.shared.trap).is_some()
    }

    /// When connections were asked for, whatever became of them; forgotten here.
    pub(crate) fn take_attempts(&self) -> Vec<Instant> {
        std::mem::take(&mut *lock(&self.shared.attempts))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let Ok((client, _)) = listener.accept().await else { continue };
        lock(&shared.attempts).push(Instant::now());
        let Some(target) = *lock(&shared.target) else { continue };
        tokio::spawn(connect(client, target, Arc::clone(&shared)));
    }
}

async fn connect(client: TcpStream, target: SocketAddr, shared: Arc<Shared>) {
    let mut cuts = shared.cuts.subscribe();
    let Ok(server) = TcpStream::connect(target).await else { return };
    for stream in [&client, &server] {
        let _ = stream.set_nodelay(true);
    }
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let is_trapped = watch::channel(false).0;
    let up = Pump { is_up: true, shared: Arc::clone(&shared), is_trapped: is_trapped.clone() };
    let down = Pump { is_up: false, shared, is_trapped };
    // Whichever ends first takes both halves with it.
    tokio::select! {
        () = up.run(from_client, to_server) => {}
        () = down.run(from_server, to_client) => {}
        _ = cuts.changed() => {}
    }
}

struct Pump {
    is_up: bool,
    shared: Arc<Shared>,
    /// Whether the trap has closed on this connection, which is to end with the server's answer.
    is_trapped: watch::Sender<bool>,
}

impl Pump {
    async fn run(self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let mut network = self.shared.network.subscribe();
        let mut buffer = vec![0; 16 * 1_024];
        let mut is_dead = false;
        while let Ok(read @ 1..) = from.read(&mut buffer).await {
            let mut rest = &buffer[..read];
            if !self.passes_trap(rest) {
                return;
            }
            while !rest.is_empty() {
                let flow = self.flow(*network.borrow_and_update());
                is_dead |= flow == Flow::Dead;
                let piece = match flow {
                    _ if is_dead => break,
                    Flow::Hold => {
                        if network.changed().await.is_err() {
                            return;
                        }
                        continue;
                    }
                    Flow::Delay(delay) => {
                        tokio::time::sleep(delay).await;
                        rest.len()
                    }
                    Flow::Throttle(per_s) => {
                        tokio::time::sleep(Duration::from_millis(10)).await;
                        rest.len().min((per_s / 100).max(1))
                    }
                    Flow::CutAfter(bytes) => {
                        let _ = to.write_all(&rest[..rest.len().min(bytes)]).await;
                        if rest.len() >= bytes {
                            return;
                        }
                        self.spend(rest.len());
                        break;
                    }
                    Flow::Pass | Flow::Dead => rest.len(),
                };
                if to.write_all(&rest[..piece]).await.is_err() {
                    return;
                }
                rest = &rest[piece..];
            }
        }
    }

    fn flow(&self, network: Network) -> Flow {
        if self.is_up { network.up } else { network.down }
    }

    /// So many bytes fewer until the cut.
    fn spend(&self, bytes: usize) {
        self.shared.network.send_modify(|network| {
            let flow = if self.is_up { &mut network.up } else { &mut network.down };
            if let Flow::CutAfter(left) = flow {
                *left = left.saturating_sub(bytes);
            }
        });
    }

    /// Whether these bytes may go on; the trap closes on what is not to be delivered, and on the
    /// answer to what is.
    fn passes_trap(&self, bytes: &[u8]) -> bool {
        if !self.is_up {
            return !*self.is_trapped.borrow();
        }
        let mut trap = lock(&self.shared.trap);
        let closes = trap
            .take_if(|trap| bytes.windows(trap.needle.len()).any(|window| window == trap.needle));
        if closes.is_some() {
            self.is_trapped.send_replace(true);
        }
        closes.is_none_or(|trap| trap.delivers)
    }
}
