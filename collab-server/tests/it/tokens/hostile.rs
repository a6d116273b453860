//! Tokens that prove nobody, each as header of a request, header of an upgrade and first message
//! of a connection, to servers with each kind of key. Whatever is wrong, the answer is the same.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use super::{PROTOCOL, greeted, me};
use crate::support::fallback::{FallbackSession, Form};
use crate::support::http::Request;
use crate::support::server::TestServer;
use crate::support::socket::RawSocket;
use crate::support::token::{
    AUDIENCE, ISSUER, SECRET, SECRET_FLAGS, Signer, bearer, claims, claims_with, ed25519_x,
    key_file, key_set, key_text, now_s,
};

type Case = (&'static str, String);

/// A good token's parts.
fn parts(token: &str) -> (&str, &str, &str) {
    let (message, signature) = token.rsplit_once('.').expect("a token");
    let (header, payload) = message.split_once('.').expect("a token");
    (header, payload, signature)
}

fn encoded(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// Damage to the form, and to the signature.
fn forms(signer: &Signer) -> Vec<Case> {
    let good = signer.token(&claims("ada"));
    let other = signer.token(&claims("bob"));
    let (header, payload, signature) = parts(&good);
    let flipped = if signature.starts_with('A') { "B" } else { "A" };
    let last = signature.chars().last().expect("a signature");
    let unused_bits = char::from_u32(u32::from(last) + 1).expect("a character");
    let payload_text = claims("ada").to_string();
    // One whose signature has a digit that the alphabets differ in.
    let mut numbered = (0..).map(|id| signer.token(&claims_with("ada", json!({ "id": id }))));
    let plain = |token: &String| parts(token).2.contains(['-', '_']);
    let told_apart = numbered.find(plain).expect("one of many");
    let (header_of, rest) = told_apart.split_once('.').expect("a token");
    let in_the_other = format!("{header_of}.{}", rest.replace('-', "+").replace('_', "/"));
    vec![
        ("empty", String::new()),
        ("a word", "made-up".to_owned()),
        ("dots", "..".to_owned()),
        ("two parts", format!("{header}.{payload}")),
        ("four parts", format!("{good}.{signature}")),
        ("five parts, as encrypted ones", format!("{good}.{header}.{payload}")),
        ("no signature", format!("{header}.{payload}.")),
        ("signature cut", good[..good.len() - 4].to_owned()),
        ("signature longer", format!("{good}AAAA")),
        ("signature changed", format!("{header}.{payload}.{flipped}{}", &signature[1..])),
        ("signature with other unused bits", format!("{}{unused_bits}", &good[..good.len() - 1])),
        ("signature of another token", format!("{header}.{payload}.{}", parts(&other).2)),
        ("payload of another token", format!("{header}.{}.{signature}", parts(&other).1)),
        ("payload changed", format!("{header}.{payload}AAAA.{signature}")),
        ("padding", format!("{header}.{payload}.{signature}=")),
        ("the other base64 alphabet", in_the_other),
        ("bad base64", format!("{header}.%%%.{signature}")),
        ("a space inside", format!("{header}. {payload}.{signature}")),
        ("letters from elsewhere", format!("{header}.{payload}é.{signature}")),
        ("header no JSON", signer.raw(b"alg", payload_text.as_bytes())),
        ("header a list", signer.raw(b"[]", payload_text.as_bytes())),
        (
            "header twice in one",
            signer.raw(b"{\"alg\":\"HS256\",\"alg\":\"HS256\"}", payload_text.as_bytes()),
        ),
        ("payload no JSON", signer.raw(signer.header().to_string().as_bytes(), b"sub=ada")),
        ("payload a list", signer.raw(signer.header().to_string().as_bytes(), b"[]")),
        (
            "payload not UTF-8",
            signer.raw(signer.header().to_string().as_bytes(), b"{\"sub\":\"\xff\"}"),
        ),
        (
            "bytes behind the payload",
            signer.raw(
                signer.header().to_string().as_bytes(),
                format!("{payload_text}}}").as_bytes(),
            ),
        ),
        ("huge", signer.token(&claims_with("ada", json!({"x": "x".repeat(3_500)})))),
    ]
}

/// Headers that would change what is checked.
fn headers(signer: &Signer) -> Vec<Case> {
    let jwk = json!({"kty": "oct", "k": encoded(SECRET)});
    let with = |more: Value| signer.token_with_header("ada", more);
    vec![
        ("crit", with(json!({"crit": ["exp"]}))),
        ("crit that is unknown", with(json!({"crit": ["x-mfa"], "x-mfa": true}))),
        ("b64", with(json!({"b64": false}))),
        ("its own key", with(json!({"jwk": jwk}))),
        ("an address of keys", with(json!({"jku": "https://evil.example/keys"}))),
        ("an address of certificates", with(json!({"x5u": "https://evil.example/x5u"}))),
        ("its own certificate", with(json!({"x5c": ["MIIB"]}))),
        ("encryption", with(json!({"enc": "A256GCM"}))),
        ("compression", with(json!({"zip": "DEF"}))),
        ("a token inside", with(json!({"cty": "JWT"}))),
        ("another kind", with(json!({"typ": "JWE"}))),
        ("a key id that is a number", with(json!({"kid": 1}))),
        ("no algorithm", signer.raw(b"{\"typ\":\"JWT\"}", claims("ada").to_string().as_bytes())),
        ("an unknown algorithm", with(json!({"alg": "HS1"}))),
        ("an algorithm that is a list", with(json!({"alg": ["HS256"]}))),
    ]
}

/// Tokens that nobody signed.
fn unsigned() -> Vec<Case> {
    let payload = encoded(&claims("ada").to_string());
    let signed = Signer::secret(SECRET.as_bytes()).token(&claims("ada"));
    let none = |alg: &str| encoded(&json!({"alg": alg, "typ": "JWT"}).to_string());
    vec![
        ("alg none", format!("{}.{payload}.", none("none"))),
        ("alg None", format!("{}.{payload}.", none("None"))),
        ("alg NONE", format!("{}.{payload}.", none("NONE"))),
        ("alg none and a signature", format!("{}.{payload}.{}", none("none"), parts(&signed).2)),
        ("alg empty", format!("{}.{payload}.", none(""))),
    ]
}

/// Times that are missing, of another type, or past or to come.
fn times() -> Vec<(&'static str, Value)> {
    let now = now_s();
    vec![
        ("no exp", json!({"exp": null})),
        ("exp a text", json!({"exp": (now + 60).to_string()})),
        ("exp a fraction", json!({"exp": now as f64 + 60.5})),
        ("exp negative", json!({"exp": -1})),
        ("exp 0", json!({"exp": 0})),
        ("exp true", json!({"exp": true})),
        ("exp a list", json!({"exp": [now + 60]})),
        ("exp beyond every calendar", json!({"exp": 253_402_300_800_i64})),
        ("exp at the end of numbers", json!({"exp": u64::MAX})),
        ("exp in milliseconds", json!({"exp": (now + 60) * 1_000})),
        ("expired yesterday", json!({"exp": now - 86_400})),
        ("expired before the leeway", json!({"exp": now - 3})),
        ("nbf tomorrow", json!({"nbf": now + 86_400})),
        ("nbf a text", json!({"nbf": "0"})),
        ("nbf negative", json!({"nbf": -1})),
        ("iat tomorrow", json!({"iat": now + 86_400})),
        ("iat a fraction", json!({"iat": now as f64 - 0.5})),
    ]
}

/// Other claims that are missing, of another type, or of another value.
fn names() -> Vec<(&'static str, Value)> {
    let long = "x".repeat(65);
    vec![
        ("no iss", json!({"iss": null})),
        ("no aud", json!({"aud": null})),
        ("no sub", json!({"sub": null})),
        ("another issuer", json!({"iss": "https://evil.example"})),
        ("an issuer that begins alike", json!({"iss": format!("{ISSUER}.evil.example")})),
        ("an issuer in capitals", json!({"iss": ISSUER.to_uppercase()})),
        ("issuers", json!({"iss": [ISSUER]})),
        ("another audience", json!({"aud": "billing"})),
        ("an audience that begins alike", json!({"aud": format!("{AUDIENCE}-admin")})),
        ("audiences without ours", json!({"aud": ["billing", "mail"]})),
        ("no audience among none", json!({"aud": []})),
        ("audiences of other types", json!({"aud": [AUDIENCE, 1]})),
        ("an audience inside another", json!({"aud": [[AUDIENCE]]})),
        ("an audience that is an object", json!({"aud": {"concord": true}})),
        ("sub empty", json!({"sub": ""})),
        ("sub too long", json!({"sub": long})),
        ("sub with a space", json!({"sub": "ada lovelace"})),
        ("sub with a control character", json!({"sub": "ada\u{0}"})),
        ("sub with a line's end", json!({"sub": "ada\n"})),
        ("sub with letters from elsewhere", json!({"sub": "adа"})),
        ("sub of a guest", json!({"sub": "g_5f2c8d0e9b7a4c31a2e4d6f8091b3c5d"})),
        ("sub a number", json!({"sub": 42})),
        ("sub a list", json!({"sub": ["ada"]})),
        ("tenant a number", json!({"tenant": 1})),
        ("tenant too long", json!({"tenant": long})),
        ("tenant with a space", json!({"tenant": "a b"})),
        ("service a text", json!({"service": "true"})),
        ("service a number", json!({"service": 1})),
        ("colour 12", json!({"color": 12})),
        ("colour negative", json!({"color": -1})),
        ("colour a text", json!({"color": "red"})),
        ("name a number", json!({"name": 7})),
        ("name of a novel", json!({"name": "x".repeat(513)})),
    ]
}

/// Claims that are wrong, or there twice.
fn claimed(signer: &Signer) -> Vec<Case> {
    let now = now_s();
    let values = [times(), names()].concat();
    let mut cases: Vec<Case> = values
        .into_iter()
        .map(|(name, changes)| (name, signer.token(&claims_with("ada", changes))))
        .collect();
    let good = claims("ada").to_string();
    let raw = |text: String| signer.raw(signer.header().to_string().as_bytes(), text.as_bytes());
    let and = |more: &str| raw(format!("{{{more},{}", &good[1..]));
    cases.extend([
        ("exp twice", and(&format!("\"exp\":{}", now + 9_999))),
        ("sub twice", and("\"sub\":\"bob\"")),
        ("aud twice", and("\"aud\":\"billing\"")),
        ("tenant null", and("\"tenant\":null")),
        ("name null", and("\"name\":null")),
        ("service null", and("\"service\":null")),
        ("exp not a number", raw(good.replace("\"exp\":", "\"exp\":NaN,\"x\":"))),
        ("exp with an exponent", raw(good.replace("\"exp\":", "\"exp\":1e11,\"x\":"))),
        (
            "exp of twenty digits",
            raw(good.replace("\"exp\":", "\"exp\":18446744073709551616,\"x\":")),
        ),
    ]);
    cases
}

/// Keys that are not the server's, though it has a secret.
fn of_other_secrets() -> Vec<Case> {
    let signed = |signer: Signer| signer.token(&claims("ada"));
    let secret = || Signer::secret(SECRET.as_bytes());
    vec![
        ("another secret", signed(Signer::secret(b"another secret of the tests, 32 bytes"))),
        ("an empty secret", signed(Signer::secret(b""))),
        ("HS384 by the secret", signed(secret().by(Algorithm::HS384, "HS384"))),
        ("HS512 by the secret", signed(secret().by(Algorithm::HS512, "HS512"))),
        ("HS384 that says HS256", signed(secret().by(Algorithm::HS384, "HS256"))),
        ("HS256 that says RS256", signed(secret().by(Algorithm::HS256, "RS256"))),
        ("EdDSA by somebody's key", signed(Signer::ed25519("ed25519_other.pem", None))),
    ]
}

/// Keys that are not the server's, though it has a public one of RSA.
fn of_other_rsa_keys() -> Vec<Case> {
    let signed = |signer: Signer| signer.token(&claims("ada"));
    let pem = key_text("rsa.pub.pem");
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = STANDARD.decode(body).expect("base64");
    let rsa = || Signer::rsa("rsa.pem");
    let header = encoded(&rsa().header().to_string());
    let payload = encoded(&claims("ada").to_string());
    let zeros = URL_SAFE_NO_PAD.encode([0; 256]);
    vec![
        ("HS256 by the public key", signed(Signer::secret(pem.as_bytes()))),
        ("HS256 by the public key, trimmed", signed(Signer::secret(pem.trim_end().as_bytes()))),
        ("HS256 by the public key's bytes", signed(Signer::secret(&der))),
        ("RS256 by another key", signed(Signer::rsa("rsa_other.pem"))),
        ("RS512 by the key", signed(rsa().by(Algorithm::RS512, "RS512"))),
        ("PS256 by the key", signed(rsa().by(Algorithm::PS256, "PS256"))),
        ("RS512 that says RS256", signed(rsa().by(Algorithm::RS512, "RS256"))),
        ("RS256 that says EdDSA", signed(rsa().by(Algorithm::RS256, "EdDSA"))),
        ("a signature of zeros", format!("{header}.{payload}.{zeros}")),
    ]
}

/// Keys that are not the server's, though it has a set.
fn of_other_sets() -> Vec<Case> {
    let by = |file: &str, kid| Signer::ed25519(file, kid).token(&claims("ada"));
    let neutral = URL_SAFE_NO_PAD.encode([&[1_u8][..], &[0; 63]].concat());
    let header = encoded(&json!({"alg": "EdDSA", "kid": "a"}).to_string());
    let payload = encoded(&claims("ada").to_string());
    let public = ed25519_x("ed25519.pub.pem");
    let as_secret = URL_SAFE_NO_PAD.decode(public).expect("base64");
    let mut swapped = Signer::secret(&as_secret);
    swapped.kid = Some("a");
    vec![
        ("no key id", by("ed25519.pem", None)),
        ("an unknown key id", by("ed25519.pem", Some("c"))),
        ("an empty key id", by("ed25519.pem", Some(""))),
        ("a key id in capitals", by("ed25519.pem", Some("A"))),
        ("another key's id", by("ed25519.pem", Some("b"))),
        ("a path for a key id", by("ed25519.pem", Some("../../a"))),
        ("HS256 by the public key, with its id", swapped.token(&claims("ada"))),
        ("a signature that fits weak keys", format!("{header}.{payload}.{neutral}")),
    ]
}

/// Opens a session over HTTP whose first message is `auth`; what the server says to that.
async fn greeted_over_http(server: &TestServer, token: &str) -> (FallbackSession, Value) {
    let mut session = FallbackSession::open(server.address(), "", Form::Poll).await;
    session.say(json!({"type": "auth", "token": token})).await;
    let greeting = session.next().await;
    (session, greeting)
}

/// Sends each in each way, holds the answers against each other, and prints what came.
async fn refuses_all(server: &TestServer, cases: &[Case]) {
    let constant = me(server, "made-up").await;
    assert_eq!((constant.status, constant.code().as_str()), (401, "unauthenticated"));
    for (name, token) in cases {
        let request = me(server, token).await;
        assert_eq!(request.status, 401, "{name}");
        assert_eq!(request.body, constant.body, "{name}: nobody is told why");
        let line = bearer(token);
        // What no client puts into a header is sent by hand.
        let upgrade = Request::get("/api/socket")
            .header("authorization", &line)
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
            .header(PROTOCOL.0, PROTOCOL.1);
        let upgrade = upgrade.send(server.address()).await;
        assert_eq!((upgrade.status, &upgrade.body), (401, &constant.body), "{name}");
        let (mut socket, greeting) = greeted(server, token).await;
        let told = json!({"type": "error", "code": "unauthenticated", "fatal": true});
        assert_eq!(greeting, told, "{name}");
        assert_eq!(socket.closed().await, 4401, "{name}");
        let open = Request::post("/api/session").header("authorization", &line);
        let open = open.json(&json!({"subprotocol": "concord.v1"})).send(server.address()).await;
        assert_eq!((open.status, &open.body), (401, &constant.body), "{name}");
        let (mut session, greeting) = greeted_over_http(server, token).await;
        assert_eq!(greeting, told, "{name}");
        assert_eq!(session.closed().await, 4401, "{name}");
        println!(
            "{name:<40} | request 401 | upgrade 401 | first message 4401 | session 401 | its first \
             message 4401"
        );
    }
}

/// A server takes the good token, in each way, and none of the bad ones.
async fn check(flags: &[&str], good: &str, cases: Vec<Case>) -> usize {
    let server = TestServer::start_with(flags).await;
    assert_eq!(me(&server, good).await.status, 200, "the control");
    let line = bearer(good);
    let headers = [PROTOCOL, ("authorization", &*line)];
    let mut socket = RawSocket::open(server.address(), &headers).await.expect("the control");
    assert_eq!(socket.next().await["type"], "welcome", "the control");
    assert_eq!(greeted(&server, good).await.1["type"], "welcome", "the control");
    let open = Request::post("/api/session").header("authorization", &line);
    let open = open.json(&json!({"subprotocol": "concord.v1"})).send(server.address()).await;
    assert_eq!(open.status, 201, "the control");
    assert_eq!(greeted_over_http(&server, good).await.1["type"], "welcome", "the control");
    refuses_all(&server, &cases).await;
    let metrics = Request::get("/metrics").send(server.address()).await.text();
    let refused = metrics.lines().filter(|line| line.starts_with("concord_tokens_refused_total"));
    refused.for_each(|line| println!("{line}"));
    server.stop().await;
    cases.len()
}

#[tokio::test]
async fn hostile_tokens_prove_nobody_to_a_server_with_a_secret() {
    let signer = Signer::secret(SECRET.as_bytes());
    let cases =
        [forms(&signer), headers(&signer), unsigned(), claimed(&signer), of_other_secrets()]
            .concat();
    let count = check(&SECRET_FLAGS, &signer.token(&claims("ada")), cases).await;
    println!("{count} tokens refused, each in 5 ways");
    assert!(count >= 40);
}

#[tokio::test]
async fn hostile_tokens_prove_nobody_to_a_server_with_a_public_key() {
    let file = key_file("rsa.pub.pem");
    let flags =
        ["--token-public-key-file", &file, "--token-issuer", ISSUER, "--token-audience", AUDIENCE];
    let good = Signer::rsa("rsa.pem").token(&claims("ada"));
    let count = check(&flags, &good, [unsigned(), of_other_rsa_keys()].concat()).await;
    println!("{count} tokens refused, each in 5 ways");
}

#[tokio::test]
async fn hostile_tokens_prove_nobody_to_a_server_with_a_key_set() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("keys.json");
    let set = key_set(&[("a", "ed25519.pub.pem"), ("b", "ed25519_other.pub.pem")]);
    std::fs::write(&file, set).expect("a file");
    let file = file.to_str().expect("UTF-8");
    let flags = ["--token-jwks-file", file, "--token-issuer", ISSUER, "--token-audience", AUDIENCE];
    let signer = Signer::ed25519("ed25519.pem", Some("a"));
    let cases = [forms(&signer), unsigned(), of_other_sets()].concat();
    let count = check(&flags, &signer.token(&claims("ada")), cases).await;
    println!("{count} tokens refused, each in 5 ways");
}

#[tokio::test]
async fn odd_but_honest_tokens_are_taken() {
    let server = TestServer::start_with(&SECRET_FLAGS).await;
    let signer = Signer::secret(SECRET.as_bytes());
    let with = |changes| signer.token(&claims_with("auth0|5f2c", changes));
    for (name, token) in [
        ("one of several audiences", with(json!({"aud": ["billing", AUDIENCE]}))),
        ("claims of others", with(json!({"email": "ada@example.org", "roles": ["x"], "jti": "1"}))),
        ("within the leeway", with(json!({"nbf": now_s() + 1, "iat": now_s() + 1}))),
        ("a tenant", with(json!({"tenant": "acme"}))),
        ("the default tenant", with(json!({"tenant": ""}))),
        ("a service", with(json!({"service": true}))),
        ("a long name", with(json!({"name": "é".repeat(200)}))),
        ("the last second", with(json!({"exp": 253_402_300_799_i64}))),
        ("an access token", signer.token_with_header("ada", json!({"typ": "at+jwt"}))),
        ("a key id where there is one key", signer.token_with_header("ada", json!({"kid": "1"}))),
        ("a certificate's name", signer.token_with_header("ada", json!({"x5t": "abc"}))),
        ("no kind", signer.raw(b"{\"alg\":\"HS256\"}", claims("ada").to_string().as_bytes())),
    ] {
        assert_eq!(me(&server, &token).await.status, 200, "{name}");
    }
    server.stop().await;
}
