//! How many bytes of large bodies may be in memory at the same time: those of one person, and all
//! together.
//!
//! A place is taken for what has come of a body, not for what its head says will, and is kept until
//! the request is answered. Whoever finds none is asked to come again.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::app::{UserConnection, UserConnections};
use crate::auth::{Identity, Kind};
use crate::config::Config;

/// Large bodies of one person that may be under way. A back end of the product sends more.
const EACH_MAX: u32 = 2;

/// What room is counted in, in bytes: bodies come in pieces of some kilobytes.
const UNIT: usize = 1_024;

/// How soon to ask again who found no room.
pub(crate) const RETRY: Duration = Duration::from_secs(1);

/// See the module.
pub(crate) struct Uploads {
    room: Arc<Semaphore>,
    people: Arc<UserConnections>,
}

/// Why a body cannot be taken now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoRoom {
    /// This person sends as many as one may.
    Person,
    /// All together send as much as the server takes.
    Server,
}

impl Uploads {
    /// There is room for one body of `body_bytes_max`, whatever the settings say.
    pub(crate) fn new(config: &Config, body_bytes_max: usize) -> Self {
        let bytes = (config.uploads_bytes_max as usize).max(body_bytes_max);
        let room = Arc::new(Semaphore::new(bytes.div_ceil(UNIT)));
        Uploads { room, people: UserConnections::new(EACH_MAX) }
    }

    /// Begins a large body.
    ///
    /// # Errors
    /// [`NoRoom::Person`].
    pub(crate) fn begin(&self, identity: &Identity) -> Result<Upload, NoRoom> {
        let person = match identity.kind {
            Kind::Service => None,
            Kind::Guest | Kind::Person => Some(self.people.enter(identity).ok_or(NoRoom::Person)?),
        };
        Ok(Upload { room: Arc::clone(&self.room), held: None, _person: person })
    }
}

/// The place of one large body, given back when dropped.
#[derive(Debug)]
pub(crate) struct Upload {
    room: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
    _person: Option<UserConnection>,
}

impl Upload {
    /// Makes room for a body that has grown to so many bytes.
    ///
    /// # Errors
    /// [`NoRoom::Server`]; what it had it keeps.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), NoRoom> {
        let held = self.held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let more = bytes.div_ceil(UNIT).saturating_sub(held);
        let more = u32::try_from(more).map_err(|_| NoRoom::Server)?;
        let permit = Arc::clone(&self.room).try_acquire_many_owned(more);
        let permit = permit.map_err(|_| NoRoom::Server)?;
        match &mut self.held {
            Some(held) => held.merge(permit),
            None => self.held = Some(permit),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Sources;

    fn uploads(bytes: &str) -> Uploads {
        let mut sources = Sources::default();
        sources.flag("uploads_bytes_max", bytes.to_owned());
        Uploads::new(&sources.resolve().expect("settings"), 1_024)
    }

    fn person(id: &str) -> Identity {
        Identity::guest(id.parse().expect("a user id"))
    }

    #[test]
    fn bodies_have_so_much_room_together_and_give_it_back() {
        let uploads = uploads("102400");
        let mut first = uploads.begin(&person("g_1")).expect("a place");
        let mut second = uploads.begin(&person("g_2")).expect("a place");
        for bytes in [0, 1, 30_000, 61_440] {
            assert_eq!(first.grow(bytes), Ok(()));
        }
        assert_eq!(second.grow(40_960), Ok(()));
        assert_eq!(second.grow(40_961), Err(NoRoom::Server));
        drop(first);
        assert_eq!(second.grow(102_400), Ok(()));
        assert_eq!(second.grow(102_401), Err(NoRoom::Server));
    }

    #[test]
    fn a_person_sends_so_many_at_once_and_a_back_end_more() {
        let uploads = uploads("102400");
        let held = [(); 2].map(|()| uploads.begin(&person("g_1")).expect("a place"));
        assert_eq!(uploads.begin(&person("g_1")).err(), Some(NoRoom::Person));
        assert!(uploads.begin(&person("g_2")).is_ok(), "another person is not bound");
        drop(held);
        assert!(uploads.begin(&person("g_1")).is_ok());
        let service = Identity { kind: Kind::Service, ..person("backend") };
        let held: Vec<_> = (0..20).map(|_| uploads.begin(&service)).collect();
        assert!(held.iter().all(Result::is_ok));
    }
}
