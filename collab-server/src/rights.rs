//! Who may do what: one table of rules for everything that clients say and ask.
//!
//! Pure. A person's role in a document follows from the document's owner, the people it was given
//! to by name, and its link; what a role may do follows from the table in `action`. Sessions,
//! documents and the REST interface ask here and nowhere else. docs/rights.md shows the table.

mod action;
mod route;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use collab_protocol::{ClientId, GivenRole, LinkAccess, Role, TenantId, UserId};

pub(crate) use action::{Action, Needs, allows, may_see_server, may_tell};
pub(crate) use route::Route;

/// Who stands at a document's door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visitor {
    /// The person.
    pub user: UserId,
    /// The tenant they belong to.
    pub tenant: TenantId,
    /// Whether it is a back end of the product, which may do everything within its tenant.
    pub is_service: bool,
}

impl From<UserId> for Visitor {
    /// A person of the default tenant.
    fn from(user: UserId) -> Self {
        Visitor { user, tenant: TenantId::default(), is_service: false }
    }
}

/// What decides over everybody's role in one document but the people named in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Door<'a> {
    pub(crate) tenant: &'a TenantId,
    pub(crate) owner: &'a UserId,
    pub(crate) link: LinkAccess,
}

impl Door<'_> {
    /// What a visitor may be called here, with the role that was given to them by name, if any was;
    /// `None` for who must not learn that there is such a document.
    ///
    /// The wall between tenants comes first. Then the owner, then what was given by name, which
    /// holds whatever the link gives, and then the link.
    pub(crate) fn role_of(self, visitor: &Visitor, given: Option<GivenRole>) -> Option<Role> {
        if *self.tenant != visitor.tenant {
            return None;
        }
        if visitor.is_service || *self.owner == visitor.user {
            return Some(Role::Owner);
        }
        match (given, self.link) {
            (Some(given), _) => given.role(),
            (None, LinkAccess::Edit) => Some(Role::Editor),
            (None, LinkAccess::View) => Some(Role::Viewer),
            (None, LinkAccess::Off) => None,
        }
    }
}

/// Everything that decides over roles in one document.
///
/// Invariant: no member is the owner or has [`GivenRole::Owner`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    /// Counts the changes of all below, from 0.
    pub version: u64,
    /// The tenant that the document belongs to, for ever.
    pub tenant: TenantId,
    /// Whose it is.
    pub owner: UserId,
    /// What its link gives.
    pub link: LinkAccess,
    /// Who was given a role by name.
    pub members: BTreeMap<UserId, GivenRole>,
    /// Clients that began anew, with the version as of which they did: what a server received of
    /// them under an older one is not committed any more. Those of the latest thousand versions.
    pub fences: BTreeMap<ClientId, u64>,
}

/// Versions of the rights for which fences are kept.
pub(crate) const FENCES_MAX: u64 = 1_000;

/// A change of a document's [`Rights`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RightsChange {
    /// The link gives this from now on.
    Link(LinkAccess),
    /// A person who is not the owner is given a role other than the owner's.
    Give {
        /// The person.
        person: UserId,
        /// The role.
        role: GivenRole,
        /// Who gives it.
        by: UserId,
    },
    /// A person who is not the owner has no role by name any more, and does not find the document
    /// in their list.
    Forget {
        /// The person.
        person: UserId,
    },
    /// A person who is not the owner does not find the document in their list. A role by name that
    /// may be lower than what the link gives, now or later, stays: nobody gains by leaving.
    Leave {
        /// The person.
        person: UserId,
    },
    /// Another person owns the document. Who did edits it from now on.
    HandOver {
        /// Who owns it; if somebody else does meanwhile, nothing changes.
        from: UserId,
        /// Who will.
        to: UserId,
    },
    /// A client begins anew: see [`Rights::fences`].
    Fence {
        /// The client.
        client: ClientId,
        /// The version of its fence that is known where it begins anew, 0 for none; if there is a
        /// newer one, nothing changes.
        known: u64,
    },
}

impl Rights {
    /// Those of a new document.
    #[must_use]
    pub fn new(tenant: TenantId, owner: UserId, link: LinkAccess) -> Rights {
        let (members, fences) = (BTreeMap::new(), BTreeMap::new());
        Rights { version: 0, tenant, owner, link, members, fences }
    }

    /// The version as of which a client began anew, 0 for one that did not.
    pub(crate) fn fence_of(&self, client: ClientId) -> u64 {
        self.fences.get(&client).copied().unwrap_or(0)
    }

    /// What a visitor may do over REST; `None` for who must not learn of the document.
    #[must_use]
    pub fn role_of(&self, visitor: &Visitor) -> Option<Role> {
        let door = Door { tenant: &self.tenant, owner: &self.owner, link: self.link };
        door.role_of(visitor, self.members.get(&visitor.user).copied())
    }

    /// What a visitor may do with the document open. A back end edits; what owners do is REST's.
    #[must_use]
    pub fn session_role_of(&self, visitor: &Visitor) -> Option<Role> {
        let role = self.role_of(visitor);
        if visitor.is_service && self.owner != visitor.user {
            return role.map(|_| Role::Editor);
        }
        role
    }

    /// The rights after a change; `None` when it does not apply to these. One that changes nothing
    /// is not counted: whoever may ask for it cannot hold up those who write.
    #[must_use]
    pub fn changed(&self, change: &RightsChange) -> Option<Rights> {
        let mut next = self.clone();
        match change {
            RightsChange::Link(link) => next.link = *link,
            RightsChange::Give { person, role, .. } => {
                if *person == self.owner || *role == GivenRole::Owner {
                    return None;
                }
                next.members.insert(person.clone(), *role);
            }
            RightsChange::Forget { person } => {
                if *person == self.owner {
                    return None;
                }
                next.members.remove(person);
            }
            RightsChange::Leave { person } => {
                if *person == self.owner {
                    return None;
                }
                if next.members.get(person) == Some(&GivenRole::Editor) {
                    next.members.remove(person);
                }
            }
            RightsChange::HandOver { from, to } => {
                if *from != self.owner || from == to {
                    return None;
                }
                next.members.remove(to);
                next.members.insert(from.clone(), GivenRole::Editor);
                next.owner = to.clone();
            }
            RightsChange::Fence { client, known } => {
                if self.fence_of(*client) > *known {
                    return None;
                }
                let version = self.version + 1;
                next.fences.insert(*client, version);
                next.fences.retain(|_, fence| *fence + FENCES_MAX > version);
            }
        }
        if next != *self {
            next.version += 1;
        }
        Some(next)
    }
}
