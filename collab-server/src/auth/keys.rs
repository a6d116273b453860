//! The keys that tokens are checked with: read, weighed, and tried before anybody relies on them.

mod jwks;
mod watch;

use std::fmt;
use std::io::{self, Read};
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::VerifyingKey;
use jsonwebtoken::crypto;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind, EncodingKey};

pub(super) use watch::watch;

use crate::config::{Config, Secret};

/// The shortest secret, in bytes: what HMAC-SHA-256 makes of it has as many.
const SECRET_BYTES_MIN: usize = 32;

/// A secret with fewer different bytes than this was typed, not drawn.
const SECRET_VARIETY_MIN: usize = 8;

/// RSA moduli, in bits: less can be broken, and more is refused by what checks signatures.
const RSA_BITS_MIN: usize = 2_048;
const RSA_BITS_MAX: usize = 4_096;

/// The smallest public exponent of RSA. Below 3 everybody can sign; everybody uses this one.
const RSA_EXPONENT_MIN: u64 = 65_537;

/// The length of an Ed25519 key, and of half a signature, in bytes.
const ED25519_BYTES: usize = 32;

/// The largest key file, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Why tokens cannot be checked with what is configured.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("cannot read {place}")]
    Unreadable {
        /// The file.
        place: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It is no key, or one that would not hold.
    #[error("{place}: {reason}")]
    Unfit {
        /// The setting or the file.
        place: String,
        /// What is wrong, and what would do.
        reason: String,
    },
}

/// Where the keys come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum KeySource {
    Secret(Secret),
    SecretFile(PathBuf),
    PublicKeyFile(PathBuf),
    JwksFile(PathBuf),
}

/// A key, and the one algorithm that it is for.
pub(super) struct Key {
    pub(super) id: Option<String>,
    pub(super) algorithm: Algorithm,
    pub(super) decoding: DecodingKey,
}

/// Invariant: at least one key; of several, each has an id of its own.
pub(super) struct Keys(Vec<Key>);

impl KeySource {
    /// What the settings name; they name one at most.
    pub(super) fn of(config: &Config) -> Option<Self> {
        let secret = config.token_secret.clone().map(KeySource::Secret);
        secret
            .or_else(|| config.token_secret_file.clone().map(KeySource::SecretFile))
            .or_else(|| config.token_public_key_file.clone().map(KeySource::PublicKeyFile))
            .or_else(|| config.token_jwks_file.clone().map(KeySource::JwksFile))
    }

    /// The secret, where there is one: it signs as well.
    pub(super) fn secret(&self) -> Result<Option<EncodingKey>, KeyError> {
        match self {
            KeySource::Secret(_) | KeySource::SecretFile(_) => {
                Ok(Some(EncodingKey::from_secret(trimmed(&self.bytes()?))))
            }
            KeySource::PublicKeyFile(_) | KeySource::JwksFile(_) => Ok(None),
        }
    }

    /// What is there to be read.
    pub(super) fn bytes(&self) -> Result<Vec<u8>, KeyError> {
        let path = match self {
            KeySource::Secret(secret) => return Ok(secret.expose().as_bytes().to_vec()),
            KeySource::SecretFile(path)
            | KeySource::PublicKeyFile(path)
            | KeySource::JwksFile(path) => path,
        };
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path);
        let read = file.and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes));
        read.map_err(|source| KeyError::Unreadable { place: self.to_string(), source })?;
        if bytes.len() as u64 > FILE_BYTES_MAX {
            return Err(self.unfit("the file is too large for a key"));
        }
        Ok(bytes)
    }

    /// The keys in what was read, each of them tried.
    pub(super) fn keys(&self, bytes: &[u8]) -> Result<Keys, KeyError> {
        let keys = match self {
            KeySource::Secret(_) | KeySource::SecretFile(_) => {
                secret_key(trimmed(bytes)).map(|key| vec![key])
            }
            KeySource::PublicKeyFile(_) => public_key(bytes).map(|key| vec![key]),
            KeySource::JwksFile(_) => jwks::keys(bytes),
        };
        keys.map(Keys).map_err(|reason| self.unfit(reason))
    }

    fn unfit(&self, reason: impl Into<String>) -> KeyError {
        KeyError::Unfit { place: self.to_string(), reason: reason.into() }
    }
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeySource::Secret(_) => f.write_str("token_secret"),
            KeySource::SecretFile(path) => write!(f, "token_secret_file {}", path.display()),
            KeySource::PublicKeyFile(path) => {
                write!(f, "token_public_key_file {}", path.display())
            }
            KeySource::JwksFile(path) => write!(f, "token_jwks_file {}", path.display()),
        }
    }
}

impl Keys {
    /// The key for a token that names `id`, or names none. A key without an id is for all.
    pub(super) fn find(&self, id: Option<&str>) -> Option<&Key> {
        match (self.0.as_slice(), id) {
            ([only], None) => Some(only),
            ([only], Some(_)) if only.id.is_none() => Some(only),
            (keys, Some(_)) => keys.iter().find(|key| key.id.as_deref() == id),
            (_, None) => None,
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Key> {
        self.0.iter()
    }
}

/// A secret as a file holds it: without the line's end.
fn trimmed(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.strip_suffix(b"\r").unwrap_or(bytes)
}

fn secret_key(secret: &[u8]) -> Result<Key, String> {
    let advice = "make one with `openssl rand -base64 48`";
    if secret.starts_with(b"-----BEGIN") {
        return Err("this is a key in PEM, not a secret: everybody may have a public key. \
                    Name its file in token_public_key_file"
            .to_owned());
    }
    if secret.len() < SECRET_BYTES_MIN {
        let found = secret.len();
        return Err(format!(
            "the secret has {found} bytes, but must have at least {SECRET_BYTES_MIN}: {advice}"
        ));
    }
    let different: std::collections::BTreeSet<&u8> = secret.iter().collect();
    if different.len() < SECRET_VARIETY_MIN {
        return Err(format!("the secret can be guessed: {advice}"));
    }
    let key =
        Key { id: None, algorithm: Algorithm::HS256, decoding: DecodingKey::from_secret(secret) };
    try_secret(&key, &EncodingKey::from_secret(secret)).ok_or("checking signatures fails")?;
    Ok(key)
}

/// What was signed with the secret passes, and nothing else does.
fn try_secret(key: &Key, signing: &EncodingKey) -> Option<()> {
    let probe = b"concord.probe";
    let signature = crypto::sign(probe, signing, key.algorithm).ok()?;
    let passes = |signature: &str, message: &[u8]| {
        crypto::verify(signature, message, &key.decoding, key.algorithm).ok()
    };
    let none = "A".repeat(signature.len());
    let holds = passes(&signature, probe)?
        && !passes(&signature, b"concord.other")?
        && !passes(&none, probe)?;
    holds.then_some(())
}

fn public_key(pem: &[u8]) -> Result<Key, String> {
    let text = std::str::from_utf8(pem).map_err(|_| "the file is not a key in PEM")?;
    if text.contains("PRIVATE KEY-----") {
        return Err("the file holds a private key, which only signs: keep it where tokens are \
                    made, and give the server the public key (`openssl pkey -pubout`)"
            .to_owned());
    }
    if text.contains("CERTIFICATE-----") {
        return Err("the file holds a certificate: take the public key out of it \
                    (`openssl x509 -pubkey -noout`)"
            .to_owned());
    }
    if text.matches("-----BEGIN ").count() != 1 {
        return Err("the file must hold one public key in PEM; several go into a JWKS".to_owned());
    }
    if let Ok(decoding) = DecodingKey::from_rsa_pem(pem) {
        return rsa_key(None, &decoding);
    }
    if let Ok(decoding) = DecodingKey::from_ed_pem(pem) {
        return ed25519_key(None, decoding);
    }
    Err("the file must hold a public key in PEM, RSA or Ed25519".to_owned())
}

/// A key of RSA, for RS256.
fn rsa_key(id: Option<String>, decoding: &DecodingKey) -> Result<Key, String> {
    let malformed = |_| "the RSA key is malformed";
    let jwk = Jwk::from_decoding_key(decoding, None).map_err(malformed)?;
    let decoding = DecodingKey::from_jwk(&jwk).map_err(malformed)?;
    let DecodingKeyKind::RsaModulusExponent { n, e } = decoding.kind() else {
        return Err("the RSA key is malformed".to_owned());
    };
    let bits = bit_len(n);
    if !(RSA_BITS_MIN..=RSA_BITS_MAX).contains(&bits) {
        return Err(format!(
            "the RSA key has {bits} bits, but must have from {RSA_BITS_MIN} to {RSA_BITS_MAX}"
        ));
    }
    let exponent = e.iter().try_fold(0_u64, |value, byte| {
        value.checked_mul(256).map(|value| value + u64::from(*byte))
    });
    let is_good = |exponent: u64| (RSA_EXPONENT_MIN..1 << 33).contains(&exponent);
    if !exponent.is_some_and(|exponent| is_good(exponent) && exponent % 2 == 1) {
        return Err(format!("the RSA key's exponent must be {RSA_EXPONENT_MIN}"));
    }
    let len = bits.div_ceil(8);
    let key = Key { id, algorithm: Algorithm::RS256, decoding };
    let of = |last: u8| {
        let mut signature = vec![0; len];
        signature[len - 1] = last;
        signature
    };
    try_public(&key, &[of(0), of(1)])?;
    Ok(key)
}

/// A key of Ed25519, for EdDSA.
fn ed25519_key(id: Option<String>, decoding: DecodingKey) -> Result<Key, String> {
    // What checks signatures takes it for granted that it has as many.
    let bytes = decoding.try_get_as_bytes().ok();
    let bytes: [u8; ED25519_BYTES] = bytes
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| format!("an Ed25519 key has {ED25519_BYTES} bytes"))?;
    let point = VerifyingKey::from_bytes(&bytes).map_err(|_| "the Ed25519 key is malformed")?;
    if point.is_weak() {
        return Err("the Ed25519 key is one that anybody can sign for".to_owned());
    }
    let key = Key { id, algorithm: Algorithm::EdDSA, decoding };
    try_public(&key, &[vec![0; 2 * ED25519_BYTES]])?;
    Ok(key)
}

/// The key can be used, and does not take signatures that anybody can make.
fn try_public(key: &Key, forgeries: &[Vec<u8>]) -> Result<(), String> {
    for forgery in forgeries {
        let forgery = URL_SAFE_NO_PAD.encode(forgery);
        match crypto::verify(&forgery, b"concord.probe", &key.decoding, key.algorithm) {
            Ok(false) => {}
            Ok(true) => return Err("the key is one that anybody can sign for".to_owned()),
            Err(_) => return Err("the key is malformed".to_owned()),
        }
    }
    Ok(())
}

fn bit_len(number: &[u8]) -> usize {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let number = &number[zeros..];
    number.first().map_or(0, |first| 8 * number.len() - first.leading_zeros() as usize)
}
