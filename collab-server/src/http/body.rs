//! Reads the bodies of requests: no more of them than they may have, and for no longer than they may
//! take. Sizes are in bytes.
//!
//! A head has a deadline of its own, in the listener. A body without one would hold its connection
//! for as long as whoever sends it likes.

use std::time::Duration;

use axum::body::{Body, Bytes};
use collab_protocol::ErrorCode;
use futures_util::StreamExt;
use tokio::time::timeout;

use crate::config::Config;
use crate::error::ApiError;

/// What a body of a few fields may have.
pub(super) const SMALL_BYTES_MAX: usize = 16 * 1024;

/// What a body may have that holds a whole document, escaped as far as texts usually are, and its
/// title.
pub(crate) fn document_bytes_max(config: &Config) -> usize {
    2 * config.document_bytes_max as usize + SMALL_BYTES_MAX
}

/// How long a body is waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// From one piece to the next,
    piece: Duration,
    /// and in all.
    whole: Duration,
}

impl Patience {
    /// For what fits into a few packets: it takes no longer than a head may.
    pub(super) fn with_a_small_one(config: &Config) -> Self {
        let whole = Duration::from_millis(config.header_timeout_ms.into());
        Patience { piece: whole, whole }
    }

    /// For what may take its time on a thin line, as long as it comes.
    pub(super) fn with_a_large_one(config: &Config) -> Self {
        let piece = Duration::from_millis(config.header_timeout_ms.into());
        Patience { piece, whole: Duration::from_millis(config.request_timeout_ms.into()) }
    }
}

/// Reads a body. `admit` is asked before each piece is kept, with the length that the body has then.
///
/// # Errors
/// Those of `admit`; when the body ends early, or does not come in time.
pub(super) async fn read(
    body: Body,
    patience: Patience,
    mut admit: impl FnMut(usize) -> Result<(), ApiError>,
) -> Result<Bytes, ApiError> {
    let reading = async {
        let mut whole = Vec::new();
        let mut pieces = body.into_data_stream();
        let next = async |pieces: &mut axum::body::BodyDataStream| {
            timeout(patience.piece, pieces.next()).await.map_err(|_| ApiError::too_slow())
        };
        while let Some(piece) = next(&mut pieces).await? {
            let piece = piece.map_err(|_| ApiError::bad_request("the body ended early"))?;
            admit(whole.len() + piece.len())?;
            whole.extend_from_slice(&piece);
        }
        Ok(Bytes::from(whole))
    };
    timeout(patience.whole, reading).await.unwrap_or_else(|_| Err(ApiError::too_slow()))
}

/// Lets a body have so much and no more.
pub(super) fn up_to(bytes_max: usize) -> impl FnMut(usize) -> Result<(), ApiError> {
    move |len| match len <= bytes_max {
        true => Ok(()),
        false => Err(ApiError::new(ErrorCode::MessageTooLarge)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;

    const PATIENCE: Patience =
        Patience { piece: Duration::from_secs(5), whole: Duration::from_secs(15) };

    /// A body of pieces, each of which comes `pause` after the one before; then nothing comes.
    fn stalling(pieces: usize, pause: Duration) -> Body {
        Body::from_stream(stream::unfold(0, move |sent| async move {
            if sent == pieces {
                return std::future::pending().await;
            }
            tokio::time::sleep(pause).await;
            Some((Ok::<_, std::io::Error>("x"), sent + 1))
        }))
    }

    async fn given_up_after(body: Body) -> Duration {
        let began = tokio::time::Instant::now();
        let error = read(body, PATIENCE, up_to(1_000)).await.expect_err("it has no end");
        assert_eq!(error, ApiError::too_slow());
        began.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stops_or_comes_a_byte_at_a_time_is_given_up() {
        assert_eq!(given_up_after(stalling(0, Duration::ZERO)).await, PATIENCE.piece);
        let second = Duration::from_secs(1);
        assert_eq!(given_up_after(stalling(3, second)).await, 3 * second + PATIENCE.piece);
        assert_eq!(given_up_after(stalling(usize::MAX, 4 * second)).await, PATIENCE.whole);
    }

    #[tokio::test]
    async fn a_body_has_so_much_and_no_more() {
        let read = async |len: usize| read(Body::from("x".repeat(len)), PATIENCE, up_to(8)).await;
        assert_eq!(read(8).await.expect("a body").len(), 8);
        let error = read(9).await.expect_err("too large");
        assert_eq!(error.code(), ErrorCode::MessageTooLarge);
    }
}
