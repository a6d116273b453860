//! What a token claims, and what of it must hold.

use collab_protocol::{COLOR_COUNT, TenantId, UserId};
use serde::{Deserialize, Deserializer, Serialize};

use super::{Rules, TokenFault};
use crate::auth::guest::is_guest;
use crate::auth::{Identity, Kind};

/// The latest time that a token may name, in seconds since 1970: the end of the year 9999.
pub(in crate::auth) const TIME_S_MAX: u64 = 253_402_300_799;

/// The longest name, in bytes. A name that is too long to show is cut where it is shown.
const NAME_BYTES_MAX: usize = 512;

/// The claims that are read; times are seconds since 1970. Others are ignored, and none of these
/// may be there twice or be `null`.
#[derive(Deserialize)]
pub(super) struct Claims {
    iss: String,
    aud: Audience,
    sub: String,
    exp: u64,
    #[serde(default, deserialize_with = "given")]
    nbf: Option<u64>,
    #[serde(default, deserialize_with = "given")]
    iat: Option<u64>,
    #[serde(default, deserialize_with = "given")]
    tenant: Option<String>,
    #[serde(default, deserialize_with = "given")]
    name: Option<String>,
    #[serde(default, deserialize_with = "given")]
    color: Option<u8>,
    #[serde(default, deserialize_with = "given")]
    service: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    operator: Option<bool>,
}

/// One audience, or several of which one is meant (RFC 7519, section 4.1.3).
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn names(&self, expected: &str) -> bool {
        match self {
            Audience::One(found) => found == expected,
            Audience::Several(found) => found.iter().any(|found| found == expected),
        }
    }
}

/// A claim that may be left out, but is not `null`.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// The claims of a token that is made here.
#[derive(Clone, Debug, Serialize)]
pub(in crate::auth) struct Minted<'a> {
    pub(in crate::auth) iss: &'a str,
    pub(in crate::auth) aud: &'a str,
    pub(in crate::auth) sub: &'a UserId,
    pub(in crate::auth) iat: u64,
    pub(in crate::auth) exp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::auth) tenant: Option<&'a TenantId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::auth) name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::auth) color: Option<u8>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::auth) service: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::auth) operator: bool,
}

impl Claims {
    /// Who that is, if it holds at `now_ms`.
    pub(super) fn check(self, rules: &Rules, now_ms: i64) -> Result<Identity, TokenFault> {
        if self.iss != rules.issuer {
            return Err(TokenFault::Issuer);
        }
        if !self.aud.names(&rules.audience) {
            return Err(TokenFault::Audience);
        }
        let expires_ms = time_ms(self.exp)? + rules.leeway_ms;
        if now_ms >= expires_ms {
            return Err(TokenFault::Expired);
        }
        for begins in [self.nbf, self.iat].into_iter().flatten() {
            if now_ms < time_ms(begins)? - rules.leeway_ms {
                return Err(TokenFault::NotYet);
            }
        }
        let user: UserId = self.sub.parse().map_err(|_| TokenFault::Subject)?;
        if is_guest(&user) {
            return Err(TokenFault::Subject);
        }
        let tenant: TenantId =
            self.tenant.unwrap_or_default().parse().map_err(|_| TokenFault::Claims)?;
        let is_named_well = self.name.as_ref().is_none_or(|name| name.len() <= NAME_BYTES_MAX);
        if !is_named_well || self.color.is_some_and(|color| color >= COLOR_COUNT) {
            return Err(TokenFault::Claims);
        }
        let kind = if self.service == Some(true) { Kind::Service } else { Kind::Person };
        Ok(Identity {
            user,
            tenant,
            kind,
            name: self.name,
            color: self.color,
            is_operator: self.operator == Some(true),
            expires_ms: Some(expires_ms),
        })
    }
}

fn time_ms(seconds: u64) -> Result<i64, TokenFault> {
    if seconds > TIME_S_MAX {
        return Err(TokenFault::Claims);
    }
    Ok(seconds as i64 * 1_000)
}
