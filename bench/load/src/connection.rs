//! A connection that has opened its document.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use futures_util::{FutureExt, SinkExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::driver::{Brought, Driver};

/// How long opening a document may take.
const JOIN_MAX: Duration = Duration::from_secs(60);

/// Connections opened at the same time.
const AT_ONCE: usize = 64;

/// See the module.
pub(crate) struct Connection {
    pub(crate) socket: WebSocketStream<TcpStream>,
    pub(crate) driver: Box<dyn Driver>,
    /// From the question for the document to its answer.
    pub(crate) joined_in: Duration,
    /// Bytes received for it.
    pub(crate) joined_bytes: usize,
}

impl Connection {
    /// Connects from a loopback address and opens the driver's document.
    pub(crate) async fn open(
        address: SocketAddr,
        from: Ipv4Addr,
        driver: Box<dyn Driver>,
    ) -> Result<Connection> {
        tokio::time::timeout(JOIN_MAX, Self::open_at_last(address, from, driver))
            .await
            .context("a document did not open in time")?
    }

    async fn open_at_last(
        address: SocketAddr,
        from: Ipv4Addr,
        mut driver: Box<dyn Driver>,
    ) -> Result<Connection> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((from, 0).into())?;
        let stream = socket.connect(address).await?;
        stream.set_nodelay(true)?;
        let (path, headers) = driver.upgrade();
        let mut request = format!("ws://{address}{path}").into_client_request()?;
        for (name, value) in headers {
            request.headers_mut().insert(name, value.parse()?);
        }
        let config = WebSocketConfig::default()
            .read_buffer_size(8 * 1024)
            .write_buffer_size(0)
            .max_message_size(None)
            .max_frame_size(None);
        let upgraded =
            tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await?;
        let mut socket = upgraded.0;
        let asked = Instant::now();
        for message in driver.opening() {
            socket.send(message).await?;
        }
        let mut joined_bytes = 0;
        loop {
            let message = socket.next().await.context("closed before the document was open")??;
            if let Message::Close(frame) = &message {
                bail!("closed before the document was open: {frame:?}");
            }
            joined_bytes += message.len();
            let mut brought = Brought::default();
            driver.receive(&message, &mut brought)?;
            for reply in brought.replies {
                socket.send(reply).await?;
            }
            if brought.joined {
                return Ok(Connection { socket, driver, joined_in: asked.elapsed(), joined_bytes });
            }
        }
    }

    /// Opens many.
    pub(crate) async fn open_all(
        address: SocketAddr,
        from: Ipv4Addr,
        drivers: Vec<Box<dyn Driver>>,
    ) -> Result<Vec<Connection>> {
        let opening =
            drivers.into_iter().map(|driver| Self::open(address, from, driver).boxed_local());
        stream::iter(opening).buffered(AT_ONCE).try_collect().await
    }
}
