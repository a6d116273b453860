//! The headers that tell browsers what pages of this server may do.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::config::Config;

/// Headers of every answer.
pub(super) struct Headers(Vec<(HeaderName, HeaderValue)>);

impl Headers {
    /// `script_hashes` are those of the web app's inline scripts, such as `sha256-…`.
    pub(super) fn new(config: &Config, script_hashes: &[String]) -> Self {
        let fixed = |text| HeaderValue::from_static(text);
        let mut headers = vec![
            (header::CONTENT_SECURITY_POLICY, policy(script_hashes)),
            (header::X_CONTENT_TYPE_OPTIONS, fixed("nosniff")),
            (header::X_FRAME_OPTIONS, fixed("DENY")),
            // A document's address opens it, so it goes to no other site.
            (header::REFERRER_POLICY, fixed("same-origin")),
            (HeaderName::from_static("cross-origin-opener-policy"), fixed("same-origin")),
            (HeaderName::from_static("cross-origin-resource-policy"), fixed("same-origin")),
            (
                HeaderName::from_static("permissions-policy"),
                fixed("camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
            ),
        ];
        if config.is_https() {
            let year = fixed("max-age=31536000");
            headers.push((header::STRICT_TRANSPORT_SECURITY, year));
        }
        Headers(headers)
    }
}

fn policy(script_hashes: &[String]) -> HeaderValue {
    let hashes: String = script_hashes.iter().map(|hash| format!(" '{hash}'")).collect();
    let policy = format!(
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'{hashes}; \
         style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; \
         connect-src 'self'; worker-src 'self'; manifest-src 'self'; object-src 'none'; \
         base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).unwrap_or_else(|_| {
        tracing::error!(
            "csp.json holds something that is no script hash; its scripts will not run"
        );
        policy_without_hashes()
    })
}

fn policy_without_hashes() -> HeaderValue {
    policy(&[])
}

/// Sets them.
pub(super) async fn set(
    State(headers): State<Arc<Headers>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in &headers.0 {
        response.headers_mut().insert(name.clone(), value.clone());
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_lets_only_the_hashed_scripts_run() {
        let policy = policy(&["sha256-abc=".to_owned()]);
        let policy = policy.to_str().expect("ASCII");
        assert!(
            policy.contains("script-src 'self' 'wasm-unsafe-eval' 'sha256-abc='; "),
            "{policy}"
        );
        assert!(policy.contains("connect-src 'self';"), "{policy}");
        assert!(!policy.contains("unsafe-eval' 'unsafe-inline"), "{policy}");
        let damaged = super::policy(&["a\nb".to_owned()]);
        assert_eq!(damaged, policy_without_hashes());
    }
}
