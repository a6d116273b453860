//! Who somebody was proved to be.

use collab_protocol::{TenantId, UserId};

/// Who is behind a request or a session. It says nothing of what they may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) user: UserId,
    /// The default one for guests.
    pub(crate) tenant: TenantId,
    pub(crate) kind: Kind,
    /// The name that their token gives them; they cannot choose another then.
    pub(crate) name: Option<String>,
    /// The colour that their token gives them, 0 to 11; likewise.
    pub(crate) color: Option<u8>,
    /// Whether they run the server: they may see how much goes on there.
    pub(crate) is_operator: bool,
    /// Until when this holds, in milliseconds since 1970; a guest's has no end.
    pub(crate) expires_ms: Option<i64>,
}

/// What somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// Known by a cookie of this server alone.
    Guest,
    /// Signed in by the product that signs the tokens.
    Person,
    /// A back end of that product.
    Service,
}

impl Identity {
    /// A guest of the default tenant.
    pub(crate) fn guest(user: UserId) -> Self {
        Identity {
            user,
            tenant: TenantId::default(),
            kind: Kind::Guest,
            name: None,
            color: None,
            is_operator: false,
            expires_ms: None,
        }
    }

    /// Whether both are the same somebody, whatever they are called and however long it holds.
    pub(crate) fn is_same(&self, other: &Identity) -> bool {
        let who = |identity: &Identity| (identity.kind, identity.is_operator);
        (&self.user, &self.tenant, who(self)) == (&other.user, &other.tenant, who(other))
    }
}
