//! The sessions over HTTP, by their ids.
//!
//! An id is a secret: who knows it and is the person who opened the session, where that can be shown
//! again, may use it. It is drawn
//! from 244 random bits, travels in a header and never in an address, and is not logged.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;

use super::pipe::{Pipe, PipeLink};
use super::{Entrant, serve_link};
use crate::address::AddressPlace;
use crate::app::App;
use crate::auth::Identity;

/// Sessions that may wait for their first stream or poll. A WebSocket costs whoever opens it a
/// connection; a session over HTTP costs nothing until somebody receives, so these are few.
const UNCLAIMED_MAX: usize = 512;

/// See the module.
pub(crate) struct Pipes {
    open: Mutex<HashMap<String, Entry>>,
    unclaimed: Arc<Semaphore>,
}

struct Entry {
    pipe: Arc<Pipe>,
    /// Who opened it, if they can show so again; else knowing the id is all there is.
    opener: Option<Identity>,
}

impl Default for Pipes {
    fn default() -> Self {
        let unclaimed = Arc::new(Semaphore::new(UNCLAIMED_MAX));
        Pipes { open: Mutex::default(), unclaimed }
    }
}

impl Pipes {
    fn entries(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session with this id, and the person who opened it, who alone may use it.
    pub(crate) fn find(&self, id: &str) -> Option<(Arc<Pipe>, Option<Identity>)> {
        let entries = self.entries();
        let Entry { pipe, opener } = entries.get(id)?;
        Some((Arc::clone(pipe), opener.clone()))
    }
}

/// Opens a session, which a task of the server runs; its id. `None` when too many wait for somebody
/// to receive. `opener` is who alone may use it, `None` where knowing the id is enough; `place` is a guest's, or of somebody who is yet to say who they are.
pub(crate) fn open_pipe(
    app: &Arc<App>,
    identity: Option<Identity>,
    opener: Option<Identity>,
    place: Option<AddressPlace>,
) -> Option<String> {
    let unclaimed = Arc::clone(&app.pipes.unclaimed).try_acquire_owned().ok()?;
    let pipe = Pipe::new(&app.config, &app.metrics, unclaimed);
    let [first, second] = [uuid::Uuid::new_v4(), uuid::Uuid::new_v4()];
    let id = format!("{}{}", first.simple(), second.simple());
    if let Some(identity) = &identity {
        pipe.known(identity.kind);
    }
    app.pipes.entries().insert(id.clone(), Entry { pipe: Arc::clone(&pipe), opener });
    let (app, key) = (Arc::clone(app), id.clone());
    let tasks = app.shutdown.tasks.clone();
    let entrant = Box::new(Entrant { identity, place });
    tasks.spawn(async move {
        let _listed = Listed { app: Arc::clone(&app), key };
        serve_link(app, PipeLink::new(pipe), entrant).await;
    });
    Some(id)
}

/// Takes a session off the list when it ends, however it does.
struct Listed {
    app: Arc<App>,
    key: String,
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.app.pipes.entries().remove(&self.key);
    }
}
