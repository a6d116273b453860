//! A way to Redis on which some of what subscribers are to hear gets lost, whole messages at a time,
//! as it does where a subscriber is too slow. The connections live on and nobody is told.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::support::choices::Choices;

/// See the module. It ends with this value.
pub(super) struct Lossy {
    address: SocketAddr,
    lost: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl Drop for Lossy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Lossy {
    /// Loses so many of a hundred messages about documents.
    pub(super) async fn start(redis: SocketAddr, percent: usize, mut choices: Choices) -> Lossy {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let lost = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&lost);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (choices, count) = (choices.fork(), Arc::clone(&count));
                tokio::spawn(async move {
                    // A connection that ends is a connection that ends.
                    let _ = pass(client, redis, percent, choices, &count).await;
                });
            }
        });
        Lossy { address, lost, accepting }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Messages lost so far.
    pub(super) fn lost(&self) -> usize {
        self.lost.load(Ordering::Relaxed)
    }
}

async fn pass(
    client: TcpStream,
    redis: SocketAddr,
    percent: usize,
    mut choices: Choices,
    lost: &AtomicUsize,
) -> std::io::Result<()> {
    let server = TcpStream::connect(redis).await?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
    }
    let (mut from_client, mut to_client) = client.into_split();
    let (from_server, mut to_server) = server.into_split();
    let down = async {
        let mut from_server = BufReader::new(from_server);
        loop {
            let reply = reply(&mut from_server).await?;
            let is_message = reply.starts_with(b"*3\r\n$7\r\nmessage\r\n");
            let is_of_document = reply.windows(3).take(120).any(|window| window == b":d:");
            if is_message && is_of_document && choices.below(100) < percent {
                lost.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            to_client.write_all(&reply).await?;
        }
    };
    tokio::select! {
        copied = tokio::io::copy(&mut from_client, &mut to_server) => copied.map(drop),
        ended = down => ended,
    }
}

/// One reply of Redis, to its last byte.
async fn reply(from: &mut BufReader<OwnedReadHalf>) -> std::io::Result<Vec<u8>> {
    let mut whole = Vec::new();
    let mut parts = 1;
    while parts > 0 {
        parts -= 1;
        let begin = whole.len();
        if from.read_until(b'\n', &mut whole).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let line = String::from_utf8_lossy(&whole[begin..]).trim_end().to_owned();
        let count = line.get(1..).and_then(|rest| rest.parse::<i64>().ok()).unwrap_or(-1);
        match line.as_bytes()[0] {
            b'*' | b'>' if count > 0 => parts += count,
            b'%' if count > 0 => parts += 2 * count,
            b'$' if count >= 0 => {
                let start = whole.len();
                let len = usize::try_from(count).expect("not negative") + 2;
                whole.resize(start + len, 0);
                from.read_exact(&mut whole[start..]).await?;
            }
            _ => {}
        }
    }
    Ok(whole)
}
