//! What clients need to know before they come: their document and who they are.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use collab_protocol::{ClientId, DocumentId, Join};
use serde_json::json;

use super::{Running, Subject};
use crate::driver::{Concord, Driver, Hocuspocus, Relay, ShareDb, YWebsocket};
use crate::http;
use crate::random::Random;

/// Characters that every document begins with.
pub(crate) const TEXT_LEN: u64 = 10_000;

/// See the module.
#[derive(Debug)]
pub(crate) struct Setup {
    subject: Subject,
    address: SocketAddr,
    /// Of Concord: the documents' names and the people's cookies.
    documents: Vec<DocumentId>,
    cookies: Vec<String>,
}

impl Setup {
    /// Makes documents and people ready; the peers' documents are there from the start.
    pub(crate) async fn new(running: &Running, documents: usize, people: usize) -> Result<Setup> {
        let Running { subject, address, .. } = *running;
        let mut setup = Setup { subject, address, documents: Vec::new(), cookies: Vec::new() };
        if subject.is_concord() {
            for _ in 0..people {
                let (cookie, _) = http::ask(address, "GET /api/me", "", None).await?;
                setup.cookies.push(cookie.context("a guest has a cookie")?);
            }
            for _ in 0..documents {
                setup.create(&"x".repeat(usize::try_from(TEXT_LEN)?)).await?;
            }
        }
        Ok(setup)
    }

    /// The same documents and people on a server that was started anew.
    pub(crate) fn moved_to(mut self, running: &Running) -> Setup {
        self.address = running.address;
        self
    }

    /// Creates one more document in Concord, with a text.
    pub(crate) async fn create(&mut self, text: &str) -> Result<()> {
        let body = json!({ "text": text });
        let owner = self.cookies.first().context("somebody owns documents")?;
        let asked = http::ask(self.address, "POST /api/documents", owner, Some(&body)).await?;
        let id = asked.1["id"].as_str().context("a document has an id")?;
        self.documents.push(id.parse()?);
        Ok(())
    }

    /// Who does not come by themselves: person `index` in document `document`.
    pub(crate) fn driver(&self, index: usize, document: usize) -> Box<dyn Driver> {
        match self.subject {
            Subject::Concord | Subject::ConcordPostgres => {
                let client = ClientId::new(Random::fresh().wide());
                let doc = self.documents[document];
                let join = Join { doc, client, since: None, epoch: None };
                Box::new(Concord::new(self.cookie(index), join))
            }
            Subject::Relay | Subject::Relay4k | Subject::DurableRelay | Subject::WsRelay => {
                Box::new(Relay { room: document, text_len: TEXT_LEN })
            }
            Subject::YWebsocket => Box::new(YWebsocket::new(index, document, TEXT_LEN)),
            Subject::Hocuspocus => Box::new(Hocuspocus::new(index, document, TEXT_LEN)),
            Subject::ShareDb | Subject::ShareDbPostgres => Box::new(ShareDb::new(document)),
        }
    }

    /// The cookie of one of the people.
    pub(crate) fn cookie(&self, index: usize) -> &str {
        &self.cookies[index % self.cookies.len()]
    }

    pub(crate) fn documents(&self) -> &[DocumentId] {
        &self.documents
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}
