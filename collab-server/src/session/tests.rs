//! Connections over a pipe in memory, to a server whose database fails or stalls when told to. The
//! clock stands still and jumps where nobody has anything to do.

mod figures;
mod framing;
mod names;
mod overload;
mod storage;

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use collab_protocol::{ClientId, DocumentId, Epoch};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::DuplexStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::app::App;
use crate::cli::{self, Invocation};
use crate::clock::FragileClock;
use crate::store::faulty::{FaultyStore, Stalled};
use crate::store::{NewDocument, Store, TextKey};

/// Long enough that only a test about to fail waits for it.
const PATIENCE: Duration = Duration::from_secs(600);

/// What the pipe holds in each direction, in bytes.
const PIPE_BYTES: usize = 64 << 10;

struct Server {
    app: Arc<App>,
    store: FaultyStore,
    clock: Arc<FragileClock>,
}

impl Server {
    /// With these flags of `collab-server`.
    async fn start(flags: &[&str]) -> Server {
        let own = ["collab-server", "--web-dir", env!("CARGO_MANIFEST_DIR")];
        let arguments = own.iter().chain(flags).map(OsString::from);
        let config = match cli::parse(arguments, |_| None) {
            Ok(Invocation::Serve(config)) => *config,
            other => panic!("{other:?}"),
        };
        let store = FaultyStore::new();
        let clock = Arc::new(FragileClock::default());
        let app = crate::server::assemble(config, Arc::new(store.clone()), clock.clone())
            .await
            .expect("the parts fit");
        Server { app, store, clock }
    }

    /// A document with this number and text.
    async fn create(&self, number: u128, text: &str) {
        let new = NewDocument {
            id: DocumentId::new(number),
            title: "Notes".to_owned(),
            owner: "g_1".parse().expect("an id"),
            tenant: collab_protocol::TenantId::default(),
            link: collab_protocol::LinkAccess::Edit,
            epoch: Epoch::new(7),
            text_key: TextKey::from_bytes([3; 32]),
            created_ms: 1,
            text: text.to_owned(),
            client: ClientId::new(0xfff),
        };
        self.store.create_document(new).await.expect("created");
    }

    /// A connection of the person with this number, which has taken its welcome.
    async fn connect(&self, person: u32) -> Peer {
        let mut peer = self.dial(person);
        assert_eq!(peer.next().await["type"], "welcome");
        peer
    }

    /// A connection that has read nothing.
    fn dial(&self, person: u32) -> Peer {
        self.dial_with(person, Bytes::new())
    }

    /// One behind whose upgrade this came at once.
    fn dial_with(&self, person: u32, ahead: Bytes) -> Peer {
        let (ours, theirs) = tokio::io::duplex(PIPE_BYTES);
        let user = crate::auth::Identity::guest(format!("g_{person}").parse().expect("an id"));
        let entrant = Box::new(super::Entrant { identity: Some(user), place: None });
        tokio::spawn(super::serve(Arc::clone(&self.app), theirs, ahead, entrant));
        Peer { pipe: Some(ours), inner: None }
    }
}

/// The other end of a connection.
struct Peer {
    pipe: Option<DuplexStream>,
    inner: Option<WebSocketStream<DuplexStream>>,
}

impl Peer {
    async fn socket(&mut self) -> &mut WebSocketStream<DuplexStream> {
        if let Some(pipe) = self.pipe.take() {
            self.inner = Some(WebSocketStream::from_raw_socket(pipe, Role::Client, None).await);
        }
        self.inner.as_mut().expect("made from the pipe")
    }

    async fn say(&mut self, message: Value) {
        let message = Message::text(message.to_string());
        self.socket().await.send(message).await.expect("the frame is taken");
    }

    /// The next text message; the code of the close if there is none.
    async fn any(&mut self) -> Result<Value, u16> {
        let socket = self.socket().await;
        let reading = async {
            loop {
                match socket.next().await {
                    Some(Ok(Message::Text(text))) => {
                        return Ok(serde_json::from_str(&text).expect("JSON"));
                    }
                    Some(Ok(Message::Close(Some(frame)))) => return Err(frame.code.into()),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return Err(1006),
                }
            }
        };
        tokio::time::timeout(PATIENCE, reading).await.expect("a message in time")
    }

    /// The next message that is neither presence nor a mere check.
    async fn next(&mut self) -> Value {
        loop {
            let message = self.any().await.unwrap_or_else(|code| panic!("closed with {code}"));
            let entries = message["ops"].as_array();
            let is_check =
                entries.is_some_and(|ops| ops.iter().all(|entry| entry.get("check").is_some()));
            if message["type"] != "presence" && !is_check {
                return message;
            }
        }
    }

    /// Joins a document as the client with its person's number; the answer.
    async fn join(&mut self, document: u128, client: u32, since: Option<u64>) -> Value {
        let (doc, client) = (DocumentId::new(document), ClientId::new(client.into()));
        let mut join = json!({"type": "join", "doc": doc, "client": client});
        if let Some(since) = since {
            join["since"] = json!(since);
            join["epoch"] = json!(Epoch::new(7));
        }
        self.say(join).await;
        self.next().await
    }

    async fn submit(&mut self, ch: u64, seq: u64, rev: u64, op: Value) -> Value {
        self.say(json!({"type": "submit", "ch": ch, "seq": seq, "rev": rev, "op": op})).await;
        self.next().await
    }

    /// The server answers a ping.
    async fn is_served(&mut self) {
        self.say(json!({"type": "ping", "t": 7})).await;
        assert_eq!(self.next().await, json!({"type": "pong", "t": 7.0}));
    }
}
