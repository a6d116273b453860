//! People as others see them: a name and a colour, chosen or drawn from the id.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use collab_protocol::{COLOR_COUNT, NAME_CHARS_MAX, UserId};

use crate::auth::{Identity, default_profile, is_guest};
use crate::clock::Clock;
use crate::document::Participant;
use crate::error::ApiError;
use crate::registry::Registry;
use crate::store::{PersonRecord, Store, StoreError};

/// Looks people up and keeps what they choose.
pub(crate) struct People {
    store: Arc<dyn Store>,
    registry: Arc<Registry>,
    clock: Arc<dyn Clock>,
}

/// A person, and whether the database knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Profile {
    pub(crate) identity: Identity,
    pub(crate) participant: Participant,
    pub(crate) created_ms: Option<i64>,
    /// Whether the database has this very name and colour.
    is_kept: bool,
    /// How many changes of anybody there had been when it was read.
    as_of: u64,
}

impl People {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        registry: Arc<Registry>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        People { store, registry, clock }
    }

    /// A person's name and colour.
    pub(crate) async fn profile(&self, identity: &Identity) -> Result<Profile, StoreError> {
        let user = &identity.user;
        let as_of = self.registry.person_changes();
        let stored = self.store.people(vec![user.clone()]).await?.pop();
        let (mut name, mut color) = match &stored {
            Some(record) => (record.name.clone(), record.color),
            None => default_profile(user),
        };
        if let Some(given) = identity.name.as_deref().and_then(shown_name) {
            name = given;
        }
        color = identity.color.unwrap_or(color);
        let is_kept =
            stored.as_ref().is_some_and(|record| record.name == name && record.color == color);
        let participant = Participant { user: user.clone(), name, color };
        let created_ms = stored.map(|record| record.created_ms);
        Ok(Profile { identity: identity.clone(), participant, created_ms, is_kept, as_of })
    }

    /// Reads a profile again, if anybody on this server has changed theirs since.
    pub(crate) async fn refresh(&self, profile: &mut Profile) -> Result<(), StoreError> {
        if self.registry.person_changes() != profile.as_of {
            *profile = self.profile(&profile.identity).await?;
        }
        Ok(())
    }

    /// Several people's names and colours, each once, by id.
    pub(crate) async fn participants(
        &self,
        users: impl IntoIterator<Item = UserId>,
    ) -> Result<Vec<Participant>, StoreError> {
        participants(&*self.store, users).await
    }

    /// Sees to it that the database knows a person before something of theirs is stored. Who is new
    /// keeps the name and colour that everybody sees already, so nobody is told; who comes with
    /// another name in their token is shown anew.
    pub(crate) async fn keep(&self, profile: &mut Profile) -> Result<(), StoreError> {
        if profile.is_kept {
            return Ok(());
        }
        let record = self.record(profile);
        let created_ms = record.created_ms;
        match profile.created_ms {
            None => self.store.put_person(record).await?,
            Some(_) => self.registry.put_person(record).await?,
        }
        (profile.created_ms, profile.is_kept) = (Some(created_ms), true);
        Ok(())
    }

    /// Gives a person another name, another colour, or both. Who writes with them sees it at once.
    pub(crate) async fn change(
        &self,
        identity: &Identity,
        name: Option<&str>,
        color: Option<u8>,
    ) -> Result<Participant, ApiError> {
        let mut profile = self.profile(identity).await?;
        if (name.is_some() && identity.name.is_some())
            || (color.is_some() && identity.color.is_some())
        {
            let told = "the name and colour that come with the sign-in are changed there";
            return Err(ApiError::bad_request(told));
        }
        if let Some(name) = name {
            profile.participant.name = clean_name(name)?;
        }
        if let Some(color) = color {
            if color >= COLOR_COUNT {
                return Err(ApiError::bad_request("color must be from 0 to 11"));
            }
            profile.participant.color = color;
        }
        self.registry.put_person(self.record(&profile)).await?;
        Ok(profile.participant)
    }

    fn record(&self, profile: &Profile) -> PersonRecord {
        let created_ms = profile.created_ms.unwrap_or_else(|| self.clock.now_ms());
        let Participant { user, name, color } = profile.participant.clone();
        PersonRecord { id: user, name, color, created_ms }
    }
}

/// Several people's names and colours, each once, by id.
pub(crate) async fn participants(
    store: &dyn Store,
    users: impl IntoIterator<Item = UserId>,
) -> Result<Vec<Participant>, StoreError> {
    let users: BTreeSet<UserId> = users.into_iter().collect();
    let stored = store.people(users.iter().cloned().collect()).await?;
    let mut stored: HashMap<UserId, PersonRecord> =
        stored.into_iter().map(|person| (person.id.clone(), person)).collect();
    let participant = |user: UserId| {
        let known = stored.remove(&user).map(Participant::from);
        known.unwrap_or_else(|| stranger(user))
    };
    Ok(users.into_iter().map(participant).collect())
}

/// Somebody who was not here yet. Of who signs in, an invented name would tell nothing.
pub(crate) fn stranger(user: UserId) -> Participant {
    let (mut name, color) = default_profile(&user);
    if !is_guest(&user) {
        name = user.as_str().chars().take(NAME_CHARS_MAX).collect();
    }
    Participant { user, name, color }
}

/// A name as it may stand beside a caret: one line, nothing invisible, not empty, not too long.
fn clean_name(name: &str) -> Result<String, ApiError> {
    let name = one_line(name);
    if name.is_empty() {
        return Err(ApiError::bad_request("name must not be empty"));
    }
    if name.chars().count() > NAME_CHARS_MAX {
        return Err(ApiError::bad_request("name must have at most 40 characters"));
    }
    Ok(name)
}

/// The name that a token gives, as it may stand beside a caret: cut where it is too long; none where
/// nothing of it is visible.
fn shown_name(given: &str) -> Option<String> {
    let name: String = one_line(given).chars().take(NAME_CHARS_MAX).collect();
    let name = name.trim_end();
    (!name.is_empty()).then(|| name.to_owned())
}

/// The text on one line: white space folded, control and direction characters left out.
pub(crate) fn one_line(text: &str) -> String {
    let visible: String = text.chars().filter(|c| c.is_whitespace() || !is_invisible(*c)).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Characters that show nothing but change how others show. The joiner U+200D stays: emoji of
/// several parts need it.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::document::DocumentConfig;
    use crate::store::MemoryStore;

    fn people() -> People {
        let (store, clock) = (Arc::new(MemoryStore::default()), Arc::new(SystemClock));
        let registry = Registry::new(store.clone(), DocumentConfig::default(), clock.clone());
        People::new(store, registry, clock)
    }

    #[tokio::test]
    async fn only_who_changes_name_or_colour_is_shown_anew() {
        let people = people();
        let user = Identity::guest("g_1".parse().expect("an id"));
        let mut profile = people.profile(&user).await.expect("read");
        people.keep(&mut profile).await.expect("kept");
        assert_eq!(people.registry.person_changes(), 0, "a first visit is no change");
        let kept = people.profile(&user).await.expect("read");
        assert_eq!(kept, profile, "the name is the one that was shown");
        assert!(kept.created_ms.is_some());

        people.change(&user, Some("Ada"), None).await.expect("changed");
        assert_eq!(people.registry.person_changes(), 1);
        people.refresh(&mut profile).await.expect("read");
        assert_eq!(profile.participant.name, "Ada");
        assert_eq!(profile.created_ms, kept.created_ms);
    }

    #[tokio::test]
    async fn a_name_that_comes_with_a_token_is_shown_and_kept_and_not_chosen() {
        let people = people();
        let guest = Identity::guest("ada".parse().expect("an id"));
        let named = |name: &str| Identity { name: Some(name.to_owned()), ..guest.clone() };
        let mut profile = people.profile(&named("Ada\nLovelace")).await.expect("read");
        assert_eq!(profile.participant.name, "Ada Lovelace");
        people.keep(&mut profile).await.expect("kept");
        assert_eq!(people.registry.person_changes(), 0, "nobody has seen another name");
        let of_all = people.participants([guest.user.clone()]).await.expect("read");
        assert_eq!(of_all[0].name, "Ada Lovelace");

        let mut later = people.profile(&named("Countess")).await.expect("read");
        people.keep(&mut later).await.expect("kept");
        assert_eq!(people.registry.person_changes(), 1, "who writes with her sees it");
        assert!(people.change(&named("Countess"), Some("X"), None).await.is_err());
        let changed = people.change(&named("Countess"), None, Some(3)).await.expect("changed");
        assert_eq!((changed.name.as_str(), changed.color), ("Countess", 3));

        let invisible = people.profile(&named(" \u{200b}")).await.expect("read");
        assert_eq!(invisible.participant.name, "Countess", "as it was");
        let long = people.profile(&named(&"é".repeat(100))).await.expect("read");
        assert_eq!(long.participant.name, "é".repeat(40));
    }

    #[test]
    fn a_name_is_one_visible_line_of_bounded_length() {
        assert_eq!(clean_name("  Ada \n Lovelace\t").expect("a name"), "Ada Lovelace");
        assert_eq!(clean_name("a\u{202e}b\u{0}c").expect("a name"), "abc");
        assert_eq!(clean_name("👩\u{200d}🔬").expect("a name"), "👩\u{200d}🔬");
        assert!(clean_name(" \u{200b}\n").is_err());
        assert!(clean_name(&"é".repeat(40)).is_ok());
        assert!(clean_name(&"é".repeat(41)).is_err());
    }
}
