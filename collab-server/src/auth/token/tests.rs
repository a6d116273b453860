//! Whatever comes as a token: nothing of it is a panic, and nothing but a signed one is taken.

use jsonwebtoken::encode;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::config::Sources;

const NOW_MS: i64 = 1_764_000_000_000;

fn tokens() -> Tokens {
    let mut sources = Sources::default();
    for (name, value) in [
        ("token_secret", "a secret of the tests alone, 40 bytes: x"),
        ("token_issuer", "issuer"),
        ("token_audience", "concord"),
    ] {
        sources.flag(name, value.to_owned());
    }
    let config = sources.resolve().expect("settings");
    Tokens::load(KeySource::of(&config).expect("a key"), &config).expect("a good key")
}

fn good(tokens: &Tokens) -> String {
    let exp = NOW_MS / 1_000 + 60;
    let claims = json!({"iss": "issuer", "aud": "concord", "sub": "ada", "exp": exp});
    let signing = tokens.signing_key().expect("read").expect("a secret");
    encode(&Header::default(), &claims, &signing).expect("signed")
}

#[test]
fn a_token_counts_from_its_beginning_to_its_end_and_the_leeway_around() {
    let tokens = tokens();
    let token = good(&tokens);
    let identity = tokens.check(&token, NOW_MS).expect("good");
    assert_eq!(identity.expires_ms, Some(NOW_MS + 62_000));
    assert!(tokens.check(&token, NOW_MS + 61_999).is_ok());
    assert_eq!(tokens.check(&token, NOW_MS + 62_000), Err(TokenFault::Expired));
}

#[test]
fn a_key_file_that_is_gone_is_reported_once_and_again_when_it_is_gone_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("secret");
    std::fs::write(&file, "a secret of the tests alone, 40 bytes: x").expect("a file");
    let mut sources = Sources::default();
    sources.flag("token_secret_file", file.to_str().expect("UTF-8").to_owned());
    sources.flag("token_issuer", "issuer".to_owned());
    sources.flag("token_audience", "concord".to_owned());
    let config = sources.resolve().expect("settings");
    let source = KeySource::of(&config).expect("a key");
    let tokens = Tokens::load(source, &config).expect("a good key");
    let token = good(&tokens);
    for slip in ["too short", "short again"] {
        std::fs::remove_file(&file).expect("removed");
        assert!(tokens.reload().is_err(), "it is news");
        assert!(tokens.reload().is_ok_and(|is_other| !is_other), "it is none");
        std::fs::write(&file, slip).expect("a file");
        assert!(tokens.reload().is_err(), "another slip");
        assert!(tokens.reload().is_ok_and(|is_other| !is_other));
        assert!(tokens.check(&token, NOW_MS).is_ok(), "the keys before it stay");
    }
    std::fs::write(&file, "another secret of the tests, 40 bytes: x").expect("a file");
    assert!(tokens.reload().is_ok_and(|is_other| is_other));
    assert_eq!(tokens.check(&token, NOW_MS), Err(TokenFault::Signature));
}

proptest! {
    #[test]
    fn any_text_is_refused_and_is_no_panic(text in ".{0,300}") {
        prop_assert!(tokens().check(&text, NOW_MS).is_err());
    }

    #[test]
    fn any_three_parts_are_refused(
        header in prop_oneof![
            Just("eyJhbGciOiJIUzI1NiJ9".to_owned()),
            Just("eyJhbGciOiJub25lIn0".to_owned()),
            "[A-Za-z0-9_-]{0,60}",
        ],
        payload in "[A-Za-z0-9_=-]{0,200}",
        signature in "[A-Za-z0-9_-]{0,90}",
    ) {
        let token = format!("{header}.{payload}.{signature}");
        prop_assert!(tokens().check(&token, NOW_MS).is_err());
    }

    #[test]
    fn a_token_with_any_byte_changed_is_refused(at in any::<prop::sample::Index>(), byte in 32_u8..127) {
        let tokens = tokens();
        let mut token = good(&tokens).into_bytes();
        let at = at.index(token.len());
        prop_assume!(token[at] != byte);
        token[at] = byte;
        let token = String::from_utf8(token).expect("ASCII");
        prop_assert!(tokens.check(&token, NOW_MS).is_err(), "{token}");
    }

    /// Whatever a signer says, it is refused or proves exactly what it says.
    #[test]
    fn any_claims_are_read_or_refused(
        sub in ".{0,70}",
        tenant in prop::option::of(".{0,70}"),
        exp in any::<i64>(),
        color in prop::option::of(any::<i16>()),
        now_ms in any::<i64>(),
    ) {
        let tokens = tokens();
        let mut claims = json!({"iss": "issuer", "aud": "concord", "sub": sub, "exp": exp});
        if let Some(tenant) = &tenant {
            claims["tenant"] = json!(tenant);
        }
        if let Some(color) = color {
            claims["color"] = json!(color);
        }
        let signing = tokens.signing_key().expect("read").expect("a secret");
        let token = encode(&Header::default(), &claims, &signing).expect("signed");
        if let Ok(identity) = tokens.check(&token, now_ms) {
            prop_assert_eq!(identity.user.as_str(), sub.as_str());
            prop_assert_eq!(identity.tenant.as_str(), tenant.as_deref().unwrap_or_default());
            prop_assert!(now_ms < identity.expires_ms.expect("an end"));
            prop_assert_eq!(identity.color.map(i16::from), color);
        }
    }
}
