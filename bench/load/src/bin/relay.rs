//! The floor that servers are measured against: a broadcast room, as tutorials build it with axum. No operations, no
//! text. `relay <address> [--read-buffer <bytes>] [--durable <file>]`.
//!
//! With `--durable` every message goes into an SQLite log (WAL, synchronous FULL), the messages that wait in one
//! transaction, and is relayed once that is committed.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use axum::serve::ListenerExt;
use clap::Parser;
use futures_util::{SinkExt, StreamExt};
use rusqlite::Connection;
use tokio::net::TcpListener;
use tokio::sync::broadcast;

/// Messages that a slow reader may be behind.
const ROOM_LEN: usize = 65_536;

/// Messages committed together.
const GROUP_MAX: usize = 256;

#[derive(Parser)]
struct Arguments {
    /// Where to listen
    address: String,
    /// The read buffer of each connection, in bytes; the library's own unless given
    #[arg(long)]
    read_buffer: Option<usize>,
    /// A new SQLite file that takes every message before it is relayed
    #[arg(long)]
    durable: Option<PathBuf>,
}

type Room = broadcast::Sender<Utf8Bytes>;

struct Relay {
    rooms: Mutex<HashMap<String, Room>>,
    read_buffer: Option<usize>,
    log: Option<mpsc::SyncSender<(Room, Utf8Bytes)>>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let log = match arguments.durable {
        Some(file) => {
            let (entries, waiting) = mpsc::sync_channel(65_536);
            let connection = open(&file).context("the log does not open")?;
            thread::spawn(move || {
                write(connection, &waiting).expect("the log can be written");
            });
            Some(entries)
        }
        None => None,
    };
    let read_buffer = arguments.read_buffer;
    let relay = Arc::new(Relay { rooms: Mutex::default(), read_buffer, log });
    let app = Router::new().route("/{room}", get(upgrade)).with_state(relay);
    let listener = TcpListener::bind(&arguments.address).await?.tap_io(|stream| {
        // Else a frame waits for the acknowledgement of the one before, for 40 ms.
        drop(stream.set_nodelay(true));
    });
    axum::serve(listener, app).await?;
    Ok(())
}

fn open(file: &std::path::Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(file)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.execute("create table log (number integer primary key, entry text not null)", [])?;
    Ok(connection)
}

/// Commits what waits, then relays it.
fn write(
    mut connection: Connection,
    waiting: &mpsc::Receiver<(Room, Utf8Bytes)>,
) -> rusqlite::Result<()> {
    while let Ok(first) = waiting.recv() {
        let group: Vec<_> =
            std::iter::once(first).chain(waiting.try_iter().take(GROUP_MAX - 1)).collect();
        let transaction = connection.transaction()?;
        {
            let mut insert = transaction.prepare_cached("insert into log (entry) values (?)")?;
            for (_, entry) in &group {
                insert.execute([entry.as_str()])?;
            }
        }
        transaction.commit()?;
        for (room, entry) in group {
            // Nobody may be left in the room.
            let _ = room.send(entry);
        }
    }
    Ok(())
}

async fn upgrade(
    upgrade: WebSocketUpgrade,
    Path(name): Path<String>,
    State(relay): State<Arc<Relay>>,
) -> Response {
    let upgrade = match relay.read_buffer {
        Some(bytes) => upgrade.read_buffer_size(bytes),
        None => upgrade,
    };
    upgrade.on_upgrade(move |socket| serve(socket, name, relay))
}

async fn serve(socket: WebSocket, name: String, relay: Arc<Relay>) {
    let room = {
        let mut rooms = relay.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.entry(name).or_insert_with(|| broadcast::channel(ROOM_LEN).0).clone()
    };
    let mut news = room.subscribe();
    let (mut sender, mut receiver) = socket.split();
    let sending = tokio::spawn(async move {
        while let Ok(message) = news.recv().await {
            if sender.send(Message::Text(message)).await.is_err() {
                break;
            }
        }
    });
    while let Some(Ok(message)) = receiver.next().await {
        let Message::Text(text) = message else { continue };
        match &relay.log {
            Some(log) => drop(log.send((room.clone(), text))),
            None => drop(room.send(text)),
        }
    }
    sending.abort();
}
