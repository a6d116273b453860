//! Key sets as products publish them (RFC 7517): the keys that can be used are, others are passed
//! over, as the format asks.

use std::collections::BTreeSet;

use jsonwebtoken::DecodingKey;
use serde::Deserialize;
use serde_json::Value;

use super::{Key, ed25519_key, rsa_key};

/// More keys than a rotation ever has at once.
const KEYS_MAX: usize = 64;

/// The longest key id, in bytes.
const ID_BYTES_MAX: usize = 256;

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct KeyFields {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    /// What only who signs may have.
    d: Option<Value>,
}

/// The usable keys of a set. The error completes "… :".
pub(super) fn keys(text: &[u8]) -> Result<Vec<Key>, String> {
    let set: KeySet = serde_json::from_slice(text)
        .map_err(|_| "the file must be a JSON Web Key Set: {\"keys\":[…]}")?;
    if set.keys.len() > KEYS_MAX {
        return Err(format!("the set has {} keys, at most {KEYS_MAX} are read", set.keys.len()));
    }
    let mut keys = Vec::new();
    for value in set.keys {
        let fields: KeyFields =
            serde_json::from_value(value).map_err(|_| "a key of the set is malformed")?;
        keys.extend(key(fields)?);
    }
    if keys.is_empty() {
        return Err("the set has no key for checking RS256 or EdDSA".to_owned());
    }
    let ids: BTreeSet<&str> = keys.iter().filter_map(|key| key.id.as_deref()).collect();
    if keys.len() > 1 && ids.len() < keys.len() {
        return Err("the set has several keys, so each needs a kid of its own".to_owned());
    }
    Ok(keys)
}

/// The key of an entry; none where it is for something else.
fn key(fields: KeyFields) -> Result<Option<Key>, String> {
    let KeyFields { kty, kid, alg, purpose, key_ops, crv, n, e, x, d } = fields;
    if kty == "oct" || d.is_some() {
        return Err("the set holds a secret or private key, which has no place in it".to_owned());
    }
    if kid.as_ref().is_some_and(|kid| kid.is_empty() || kid.len() > ID_BYTES_MAX) {
        return Err(format!("a kid must have from 1 to {ID_BYTES_MAX} bytes"));
    }
    let is_for_checking = purpose.is_none_or(|purpose| purpose == "sig")
        && key_ops.is_none_or(|operations| operations.iter().any(|one| one == "verify"));
    let is_for = |algorithms: &[&str]| alg.as_ref().is_none_or(|alg| algorithms.contains(&&**alg));
    let named = |reason: String| match &kid {
        Some(kid) => format!("key {kid:?}: {reason}"),
        None => reason,
    };
    let lacking = |name: &str| named(format!("{name} is missing"));
    match (kty.as_str(), crv.as_deref()) {
        _ if !is_for_checking => Ok(None),
        ("RSA", _) if is_for(&["RS256"]) => {
            let (n, e) = (n.ok_or_else(|| lacking("n"))?, e.ok_or_else(|| lacking("e"))?);
            let decoding = DecodingKey::from_rsa_components(&n, &e)
                .map_err(|_| named("n and e must be base64url".to_owned()))?;
            rsa_key(kid.clone(), &decoding).map(Some).map_err(named)
        }
        ("OKP", Some("Ed25519")) if is_for(&["EdDSA", "Ed25519"]) => {
            let x = x.ok_or_else(|| lacking("x"))?;
            let decoding = DecodingKey::from_ed_components(&x)
                .map_err(|_| named("x must be base64url".to_owned()))?;
            ed25519_key(kid.clone(), decoding).map(Some).map_err(named)
        }
        _ => Ok(None),
    }
}
