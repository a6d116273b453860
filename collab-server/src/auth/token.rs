//! Tokens: JSON Web Tokens (RFC 7519) that the product around Concord signs for its people.
//!
//! A token proves who somebody is until when, and nothing of what they may do. It is read in this
//! order: its size, its header, the key that the header names, the signature under that key's one
//! algorithm; only then what it claims. A token whose header asks for anything that would change
//! what is checked (`crit`, a key or certificate of its own, encryption) is refused.

mod claims;

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{EncodingKey, Header, Validation, decode, decode_header};

use self::claims::Claims;
use super::Identity;
use super::keys::{KeyError, KeySource, Keys};
use crate::config::Config;

pub(super) use claims::{Minted, TIME_S_MAX};

/// The longest token, in bytes: as long as a cookie may be, and half of a first message.
pub(super) const TOKEN_BYTES_MAX: usize = 4_096;

/// Why a token proves nobody: one word for metrics and log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenFault {
    /// No key is configured.
    NoKey,
    /// It is longer than [`TOKEN_BYTES_MAX`].
    TooLarge,
    /// It is not three parts of base64url, or its header is no JSON of the known form.
    Malformed,
    /// Its header asks for what is not done here.
    Header,
    /// It names no key of ours.
    Key,
    /// It names another algorithm than its key's.
    Algorithm,
    Signature,
    /// A claim is missing, twice there, or of another type or range.
    Claims,
    Issuer,
    Audience,
    /// The subject is no user id, or a guest's.
    Subject,
    Expired,
    /// It is for later, or was made later than now.
    NotYet,
}

impl TokenFault {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            TokenFault::NoKey => "no_key",
            TokenFault::TooLarge => "too_large",
            TokenFault::Malformed => "malformed",
            TokenFault::Header => "header",
            TokenFault::Key => "key",
            TokenFault::Algorithm => "algorithm",
            TokenFault::Signature => "signature",
            TokenFault::Claims => "claims",
            TokenFault::Issuer => "issuer",
            TokenFault::Audience => "audience",
            TokenFault::Subject => "subject",
            TokenFault::Expired => "expired",
            TokenFault::NotYet => "not_yet",
        }
    }
}

/// What a token has to say besides being signed.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) issuer: String,
    pub(super) audience: String,
    /// How far the clocks may be apart.
    pub(super) leeway_ms: i64,
}

/// Checks tokens with the keys that are configured.
pub(super) struct Tokens {
    source: KeySource,
    /// What the keys were read from last, good or not, and the good ones.
    read: RwLock<(Vec<u8>, Arc<Keys>)>,
    /// Why they cannot be read, as it was reported; `None` while they can.
    unreadable: Mutex<Option<String>>,
    rules: Rules,
}

impl Tokens {
    /// Reads and tries the keys.
    pub(super) fn load(source: KeySource, config: &Config) -> Result<Self, KeyError> {
        let bytes = source.bytes()?;
        let keys = Arc::new(source.keys(&bytes)?);
        let rules = Rules {
            issuer: config.token_issuer.clone().unwrap_or_default(),
            audience: config.token_audience.clone().unwrap_or_default(),
            leeway_ms: i64::from(config.token_leeway_s) * 1_000,
        };
        let read = RwLock::new((bytes, keys));
        Ok(Tokens { source, read, unreadable: Mutex::default(), rules })
    }

    pub(super) fn is_in_file(&self) -> bool {
        !matches!(self.source, KeySource::Secret(_))
    }

    pub(super) fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.read.read().unwrap_or_else(PoisonError::into_inner).1)
    }

    pub(super) fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The key that signs, where it is the one that checks.
    pub(super) fn signing_key(&self) -> Result<Option<EncodingKey>, KeyError> {
        self.source.secret()
    }

    /// Reads the keys again, if their file has changed. The keys before one that is no good stay: a
    /// slip must not lock everybody out.
    ///
    /// # Errors
    /// Why it is no good, once for each slip; `Ok` says whether the keys are others now.
    pub(super) fn reload(&self) -> Result<bool, KeyError> {
        let read = self.source.bytes();
        let mut unreadable = self.unreadable.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = read.as_ref().err().map(ToString::to_string);
        let is_news = *unreadable != fault;
        *unreadable = fault;
        drop(unreadable);
        let bytes = match read {
            Ok(bytes) => bytes,
            Err(error) if is_news => return Err(error),
            Err(_) => return Ok(false),
        };
        if self.read.read().unwrap_or_else(PoisonError::into_inner).0 == bytes {
            return Ok(false);
        }
        let keys = self.source.keys(&bytes);
        let mut read = self.read.write().unwrap_or_else(PoisonError::into_inner);
        match keys {
            Ok(keys) => *read = (bytes, Arc::new(keys)),
            Err(error) => {
                read.0 = bytes;
                return Err(error);
            }
        }
        Ok(true)
    }

    /// The same, reported in the log.
    pub(super) fn reload_and_tell(&self) {
        match self.reload() {
            Ok(true) => tracing::info!(source = %self.source, "the keys for tokens have changed"),
            Ok(false) => {}
            Err(error) => tracing::error!(%error, "the keys for tokens stay as they are"),
        }
    }

    /// Whom a token proves at `now_ms`.
    pub(super) fn check(&self, token: &str, now_ms: i64) -> Result<Identity, TokenFault> {
        claims_of(token, &self.keys())?.check(&self.rules, now_ms)
    }
}

/// What a token claims, once its signature is found good.
fn claims_of(token: &str, keys: &Keys) -> Result<Claims, TokenFault> {
    if token.len() > TOKEN_BYTES_MAX {
        return Err(TokenFault::TooLarge);
    }
    let header = decode_header(token).map_err(|_| TokenFault::Malformed)?;
    if !is_plain(&header) {
        return Err(TokenFault::Header);
    }
    let key = keys.find(header.kid.as_deref()).ok_or(TokenFault::Key)?;
    if header.alg != key.algorithm {
        return Err(TokenFault::Algorithm);
    }
    let mut validation = Validation::new(key.algorithm);
    // Claims are checked here, against this server's clock.
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let token = decode::<Claims>(token, &key.decoding, &validation);
    token.map(|token| token.claims).map_err(|error| match error.kind() {
        ErrorKind::InvalidSignature => TokenFault::Signature,
        ErrorKind::InvalidAlgorithm => TokenFault::Algorithm,
        ErrorKind::Json(_) => TokenFault::Claims,
        _ => TokenFault::Malformed,
    })
}

/// Whether a header names nothing but its kind, its algorithm and its key, and what says no more
/// than those (`x5t`, and what nobody knows, which RFC 7515 has ignored).
fn is_plain(header: &Header) -> bool {
    let is_token = header.typ.as_deref().is_none_or(|kind| {
        ["jwt", "at+jwt", "application/at+jwt"].iter().any(|known| kind.eq_ignore_ascii_case(known))
    });
    let nothing_else = header.crit.is_none()
        && header.jwk.is_none()
        && header.jku.is_none()
        && header.x5u.is_none()
        && header.x5c.is_none()
        && header.enc.is_none()
        && header.zip.is_none()
        && header.cty.is_none();
    is_token && nothing_else && !header.extras.inner().contains_key("b64")
}

#[cfg(test)]
mod tests;
