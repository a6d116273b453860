//! Makes tokens for development, as the product would.

use collab_protocol::{TenantId, UserId};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};

use super::guest::is_guest;
use super::keys::{KeyError, KeySource};
use super::token::{Minted, TIME_S_MAX, Tokens};
use crate::config::Config;

/// Whom a token is to prove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Minting {
    /// The person, or the back end.
    pub user: UserId,
    /// Their tenant; the default one without it.
    pub tenant: Option<TenantId>,
    /// The name that others see.
    pub name: Option<String>,
    /// The colour that others see, 0 to 11.
    pub color: Option<u8>,
    /// Whether it is a back end.
    pub service: bool,
    /// Whether they run the server.
    pub operator: bool,
    /// For how long, in seconds.
    pub ttl_s: u32,
}

/// Why no token was made.
#[derive(Debug, thiserror::Error)]
pub enum MintError {
    /// The settings name no key, so no token would prove anything.
    #[error(
        "no key is configured: set token_secret (or token_public_key_file or token_jwks_file), \
         token_issuer and token_audience as the server has them"
    )]
    NoKey,
    /// Only public keys are configured.
    #[error("the server has only a public key: give the private one with --private-key-file")]
    NoPrivateKey,
    /// A private key beside a secret.
    #[error("with a secret configured tokens are signed by it: leave --private-key-file out")]
    NeedlessKey,
    /// The configured keys.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The private key.
    #[error("the private key must be in PEM, RSA or Ed25519")]
    BadPrivateKey,
    /// It is not the other half of any configured key.
    #[error("the server would refuse this token: the private key belongs to none of its keys")]
    OtherKey,
    /// The token would be refused for what it says.
    #[error("the server would refuse this token: {0}")]
    Refused(&'static str),
}

/// Makes a token that a server of these settings takes, and makes sure that it does.
///
/// # Errors
/// [`MintError`], for the person at the terminal.
pub(crate) fn mint(
    config: &Config,
    minting: &Minting,
    private_key: Option<&[u8]>,
    now_ms: i64,
) -> Result<String, MintError> {
    if is_guest(&minting.user) {
        return Err(MintError::Refused("ids that begin with g_ are guests'"));
    }
    let tokens = Tokens::load(KeySource::of(config).ok_or(MintError::NoKey)?, config)?;
    let (signing, algorithm) = match (tokens.signing_key()?, private_key) {
        (Some(secret), None) => (secret, Algorithm::HS256),
        (Some(_), Some(_)) => return Err(MintError::NeedlessKey),
        (None, None) => return Err(MintError::NoPrivateKey),
        (None, Some(pem)) => private(pem)?,
    };
    let now_s = u64::try_from(now_ms / 1_000).unwrap_or_default();
    let rules = tokens.rules();
    let claims = Minted {
        iss: &rules.issuer,
        aud: &rules.audience,
        sub: &minting.user,
        iat: now_s,
        exp: (now_s + u64::from(minting.ttl_s)).min(TIME_S_MAX),
        tenant: minting.tenant.as_ref(),
        name: minting.name.as_deref(),
        color: minting.color,
        service: minting.service,
        operator: minting.operator,
    };
    let mut fault = None;
    for key in tokens.keys().iter().filter(|key| key.algorithm == algorithm) {
        let header = Header { kid: key.id.clone(), ..Header::new(algorithm) };
        let token = encode(&header, &claims, &signing).map_err(|_| MintError::BadPrivateKey)?;
        match tokens.check(&token, now_ms) {
            Ok(_) => return Ok(token),
            Err(found) => fault = Some(found),
        }
    }
    Err(match fault {
        None | Some(super::TokenFault::Signature) => MintError::OtherKey,
        Some(fault) => MintError::Refused(fault.as_str()),
    })
}

fn private(pem: &[u8]) -> Result<(EncodingKey, Algorithm), MintError> {
    let rsa = EncodingKey::from_rsa_pem(pem).map(|key| (key, Algorithm::RS256));
    rsa.or_else(|_| EncodingKey::from_ed_pem(pem).map(|key| (key, Algorithm::EdDSA)))
        .map_err(|_| MintError::BadPrivateKey)
}
