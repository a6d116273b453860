//! Tokens as the product around the server signs them, and as nobody should.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::{Value, json};

/// Keys made for these tests and used nowhere else.
const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/tokens/keys");

/// What the servers of these tests ask of a token.
pub(crate) const ISSUER: &str = "https://product.example";
pub(crate) const AUDIENCE: &str = "concord";

/// The secret of the servers that have one.
pub(crate) const SECRET: &str = "a secret of the tests alone, 40 bytes: x";

/// The flags of a server that checks tokens with that secret.
pub(crate) const SECRET_FLAGS: [&str; 6] =
    ["--token-secret", SECRET, "--token-issuer", ISSUER, "--token-audience", AUDIENCE];

pub(crate) fn key_file(name: &str) -> String {
    let path = Path::new(KEYS).join(name);
    path.to_str().expect("UTF-8").to_owned()
}

pub(crate) fn key_text(name: &str) -> String {
    std::fs::read_to_string(key_file(name)).expect("a key of the tests")
}

/// A public key of Ed25519 as a set has it: the end of what is in its PEM.
pub(crate) fn ed25519_x(name: &str) -> String {
    let text = key_text(name);
    let body = text.lines().nth(1).expect("one line of base64");
    let der = base64::engine::general_purpose::STANDARD.decode(body).expect("base64");
    URL_SAFE_NO_PAD.encode(&der[der.len() - 32..])
}

/// A key set with these keys of Ed25519, by id and file.
pub(crate) fn key_set(keys: &[(&str, &str)]) -> String {
    let key = |(kid, file): &(&str, &str)| {
        json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": kid,
               "x": ed25519_x(file)})
    };
    json!({ "keys": keys.iter().map(key).collect::<Vec<_>>() }).to_string()
}

/// Seconds since 1970.
pub(crate) fn now_s() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(now.as_secs()).expect("a time")
}

/// What a good token of this person says, for an hour.
pub(crate) fn claims(user: &str) -> Value {
    json!({"iss": ISSUER, "aud": AUDIENCE, "sub": user, "iat": now_s(), "exp": now_s() + 3_600})
}

/// Those claims, some of them changed; `null` leaves one out.
pub(crate) fn claims_with(user: &str, changes: Value) -> Value {
    let mut claims = claims(user);
    for (name, value) in changes.as_object().expect("an object") {
        match value {
            Value::Null => claims.as_object_mut().expect("an object").remove(name),
            value => claims.as_object_mut().expect("an object").insert(name.clone(), value.clone()),
        };
    }
    claims
}

/// Who signs, and how.
pub(crate) struct Signer {
    pub(crate) algorithm: Algorithm,
    pub(crate) name: &'static str,
    pub(crate) kid: Option<&'static str>,
    key: EncodingKey,
}

impl Signer {
    pub(crate) fn secret(secret: &[u8]) -> Self {
        let key = EncodingKey::from_secret(secret);
        Signer { algorithm: Algorithm::HS256, name: "HS256", kid: None, key }
    }

    pub(crate) fn rsa(file: &str) -> Self {
        let key = EncodingKey::from_rsa_pem(key_text(file).as_bytes()).expect("a private key");
        Signer { algorithm: Algorithm::RS256, name: "RS256", kid: None, key }
    }

    pub(crate) fn ed25519(file: &str, kid: Option<&'static str>) -> Self {
        let key = EncodingKey::from_ed_pem(key_text(file).as_bytes()).expect("a private key");
        Signer { algorithm: Algorithm::EdDSA, name: "EdDSA", kid, key }
    }

    /// The same key, put to another algorithm.
    pub(crate) fn by(self, algorithm: Algorithm, name: &'static str) -> Self {
        Signer { algorithm, name, ..self }
    }

    pub(crate) fn header(&self) -> Value {
        let mut header = json!({"alg": self.name, "typ": "JWT"});
        if let Some(kid) = self.kid {
            header["kid"] = json!(kid);
        }
        header
    }

    pub(crate) fn token(&self, claims: &Value) -> String {
        self.raw(self.header().to_string().as_bytes(), claims.to_string().as_bytes())
    }

    /// A good token whose header says this besides.
    pub(crate) fn token_with_header(&self, user: &str, more: Value) -> String {
        let mut header = self.header();
        for (name, value) in more.as_object().expect("an object") {
            header[name] = value.clone();
        }
        self.raw(header.to_string().as_bytes(), claims(user).to_string().as_bytes())
    }

    /// These very bytes, signed.
    pub(crate) fn raw(&self, header: &[u8], payload: &[u8]) -> String {
        let message =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let signature =
            crypto::sign(message.as_bytes(), &self.key, self.algorithm).expect("signed");
        format!("{message}.{signature}")
    }
}

/// A token of the servers that have the secret.
pub(crate) fn token(claims: &Value) -> String {
    Signer::secret(SECRET.as_bytes()).token(claims)
}

/// The header of a request that brings a token.
pub(crate) fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}
