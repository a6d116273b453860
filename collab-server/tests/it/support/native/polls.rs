//! A session over HTTP requests, as the browser's fallback has it: long polls down, POST up, both
//! numbered, and a session that the server does not know means that it is to be opened anew.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite;

use crate::support::fallback::{Event, events_of};
use crate::support::http::{Answer, Request};

/// Requests that come to nothing before the session is given up, and the first pause between them
/// (`wasm-client/js/src/fallback/http-socket.ts`).
const MISSES_MAX: u32 = 5;
const PAUSE: Duration = Duration::from_millis(200);

/// How a session that the server does not know is taken: as one that was sent elsewhere.
const UNKNOWN: u16 = 1012;

#[derive(Clone)]
struct About {
    address: SocketAddr,
    cookie: String,
    id: String,
    /// The last event received.
    after: Arc<AtomicU64>,
}

/// See the module. It is let go without a word.
pub(super) struct Polls {
    about: About,
    /// The number of the next message.
    next: u64,
    events: mpsc::UnboundedReceiver<Event>,
    receiving: JoinHandle<()>,
}

impl Drop for Polls {
    fn drop(&mut self) {
        self.receiving.abort();
    }
}

impl Polls {
    pub(super) async fn open(
        address: SocketAddr,
        cookie: &str,
    ) -> Result<Self, tungstenite::Error> {
        let request = Request::post("/api/session")
            .header("cookie", cookie)
            .header("origin", &format!("http://{address}"))
            .json(&json!({ "subprotocol": "concord.v1" }));
        let answer = request.try_send(address).await.filter(|answer| answer.status == 201);
        let answer = answer.ok_or(tungstenite::Error::ConnectionClosed)?;
        let id = answer.json()["session"].as_str().expect("an id").to_owned();
        let about = About { address, cookie: cookie.to_owned(), id, after: Arc::default() };
        let (sender, events) = mpsc::unbounded_channel();
        let receiving = tokio::spawn(receive(about.clone(), sender));
        Ok(Polls { about, next: 1, events, receiving })
    }

    /// The next event; `None` when the session was given up.
    pub(super) async fn next(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// Fails when the session is over, with the code that this means.
    pub(super) async fn send(&mut self, message: String) -> Result<(), Option<u16>> {
        for misses in 0..=MISSES_MAX {
            let path = format!("/api/session/messages?n={}&ack=0", self.next);
            let request = Request::post(&path).body("text/plain", message.clone());
            match self.about.ask(request).await.map(|answer| answer.status) {
                Some(204) => {
                    self.next += 1;
                    return Ok(());
                }
                Some(404) => return Err(Some(UNKNOWN)),
                Some(400) => break,
                _ => tokio::time::sleep(PAUSE * 2_u32.pow(misses)).await,
            }
        }
        Err(None)
    }
}

impl About {
    async fn ask(&self, request: Request) -> Option<Answer> {
        let request = request.header("cookie", &self.cookie).header("concord-session", &self.id);
        request.try_send(self.address).await
    }
}

/// Polls until the session is over or nobody listens.
async fn receive(about: About, sender: mpsc::UnboundedSender<Event>) {
    let mut misses = 0;
    while misses <= MISSES_MAX {
        let after = about.after.load(Ordering::Relaxed);
        let path = format!("/api/session/events?after={after}&poll_ms=25000");
        match about.ask(Request::get(&path)).await {
            Some(answer) if answer.status == 404 => {
                let _ = sender.send(Event::Close(UNKNOWN));
                return;
            }
            Some(answer) if answer.status == 200 => {
                misses = 0;
                for event in events_of(&answer.body) {
                    match event {
                        Event::Message(number, _) if number <= after => continue,
                        Event::Message(number, _) => about.after.store(number, Ordering::Relaxed),
                        Event::Close(_) => {}
                    }
                    if sender.send(event).is_err() {
                        return;
                    }
                }
            }
            _ => {
                tokio::time::sleep(PAUSE * 2_u32.pow(misses)).await;
                misses += 1;
            }
        }
    }
}
