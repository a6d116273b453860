//! Who may do what with a document: the bodies of `/api/documents/{id}/sharing` and `…/people`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::code::UnknownCode;
use crate::id::UserId;
use crate::server_message::Role;

/// What a document's link gives to somebody who is not among its people. The link is the
/// document's id, which nobody can guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum LinkAccess {
    /// Nothing.
    Off,
    /// To read.
    View,
    /// To read and edit.
    Edit,
}

/// What a person is given by name. It holds whatever the link gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum GivenRole {
    /// Everything, deletion and sharing included. Each document has one owner.
    Owner,
    /// To read and edit.
    Editor,
    /// To read and comment.
    Commenter,
    /// To read.
    Viewer,
    /// Nothing, not even by the link.
    None,
}

/// Where somebody's role comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum AccessBy {
    /// The document is theirs.
    Owner,
    /// The owner named them.
    Member,
    /// They opened its link.
    Link,
}

/// One of those who may open a document, or who are kept out by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SharingPerson {
    /// The person's id.
    pub user: UserId,
    /// The person's name.
    pub name: String,
    /// The person's colour, 0 to 11.
    pub color: u8,
    /// What they may do.
    pub role: GivenRole,
    /// Where that comes from.
    pub by: AccessBy,
}

/// With whom a document is shared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Sharing {
    /// What the link gives.
    pub link: LinkAccess,
    /// The owner, then who was named, then who opened the link, each by name. Who is kept out is
    /// told to the owner only.
    pub people: Vec<SharingPerson>,
    /// What the asking person may do.
    pub role: Role,
}

/// The body of `PUT /api/documents/{id}/sharing`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdateSharing {
    /// What the link gives from now on.
    pub link: LinkAccess,
}

/// The body of `PUT /api/documents/{id}/people/{user}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SetPerson {
    /// What the person is given; `owner` hands the document over to them.
    pub role: GivenRole,
}

impl LinkAccess {
    /// Every kind of link, from nothing to most.
    pub const ALL: &'static [LinkAccess] = &[LinkAccess::Off, LinkAccess::View, LinkAccess::Edit];

    /// The word on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            LinkAccess::Off => "off",
            LinkAccess::View => "view",
            LinkAccess::Edit => "edit",
        }
    }
}

impl GivenRole {
    /// Every role that can be given, from most to nothing.
    pub const ALL: &'static [GivenRole] = &[
        GivenRole::Owner,
        GivenRole::Editor,
        GivenRole::Commenter,
        GivenRole::Viewer,
        GivenRole::None,
    ];

    /// The word on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            GivenRole::Owner => "owner",
            GivenRole::Editor => "editor",
            GivenRole::Commenter => "commenter",
            GivenRole::Viewer => "viewer",
            GivenRole::None => "none",
        }
    }

    /// What this lets a person do; `None` who is kept out.
    pub const fn role(self) -> Option<Role> {
        match self {
            GivenRole::Owner => Some(Role::Owner),
            GivenRole::Editor => Some(Role::Editor),
            GivenRole::Commenter => Some(Role::Commenter),
            GivenRole::Viewer => Some(Role::Viewer),
            GivenRole::None => None,
        }
    }
}

impl From<Role> for GivenRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Owner => GivenRole::Owner,
            Role::Editor => GivenRole::Editor,
            Role::Commenter => GivenRole::Commenter,
            Role::Viewer => GivenRole::Viewer,
        }
    }
}

macro_rules! word {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownCode;

            fn from_str(text: &str) -> Result<Self, UnknownCode> {
                let mut all = $name::ALL.iter().copied();
                all.find(|one| one.as_str() == text).ok_or_else(|| UnknownCode::new(text))
            }
        }
    };
}

word!(LinkAccess);
word!(GivenRole);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_the_same_in_json_and_in_the_database() {
        for link in LinkAccess::ALL {
            assert_eq!(serde_json::to_value(link).expect("JSON"), link.as_str());
            assert_eq!(link.as_str().parse(), Ok(*link));
        }
        for role in GivenRole::ALL {
            assert_eq!(serde_json::to_value(role).expect("JSON"), role.as_str());
            assert_eq!(role.as_str().parse(), Ok(*role));
            assert_eq!(role.role().map_or(GivenRole::None, GivenRole::from), *role);
        }
        assert!("Edit".parse::<LinkAccess>().is_err());
        assert!("".parse::<GivenRole>().is_err());
    }
}
