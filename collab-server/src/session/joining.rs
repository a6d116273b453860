//! A join on its way: looked up, entered, and told.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use collab_protocol::{ChannelId, ClientId, DocumentId, ErrorCode, Join};
use tokio::sync::Notify;

use super::channels::Open;
use crate::app::App;
use crate::document::{Frame, JoinRequest, Since};
use crate::error::ApiError;
use crate::people::Profile;
use crate::rights::{Action, Visitor};
use crate::shown::Shown;

/// How a join ended.
pub(super) enum JoinOutcome {
    /// The document is open.
    Joined {
        open: Box<Open>,
        /// The `joined` frame.
        frame: Frame,
        profile: Box<Profile>,
        took: Duration,
    },
    /// It is not.
    Refused { code: ErrorCode },
}

/// A join on its way, and whose it is. The session goes on meanwhile.
pub(super) type Joining =
    Pin<Box<dyn Future<Output = ((DocumentId, ClientId), JoinOutcome)> + Send>>;

/// Starts a join, which is refused when the database takes too long for it. `wake` is notified when
/// the document has something for the session.
pub(super) fn start(
    app: Arc<App>,
    join: Join,
    since: Option<Since>,
    channel: ChannelId,
    profile: Profile,
    wake: Arc<Notify>,
) -> Joining {
    let began = Instant::now();
    Box::pin(async move {
        let replica = (join.doc, join.client);
        let deadline = Duration::from_millis(app.config.join_deadline_ms.into());
        let entering = enter(&app, join, since, channel, profile, wake);
        let outcome = match tokio::time::timeout(deadline, entering).await {
            Err(_) => {
                // What was begun goes on: who asks again may find the document loaded.
                tracing::warn!(document = %Shown(replica.0), ?deadline, "a join took too long");
                JoinOutcome::Refused { code: ErrorCode::StorageUnavailable }
            }
            Ok(Err(error)) => JoinOutcome::Refused { code: error.code() },
            Ok(Ok((open, frame, profile))) => {
                let took = began.elapsed();
                JoinOutcome::Joined {
                    open: Box::new(open),
                    frame,
                    profile: Box::new(profile),
                    took,
                }
            }
        };
        (replica, outcome)
    })
}

async fn enter(
    app: &App,
    join: Join,
    since: Option<Since>,
    channel: ChannelId,
    mut profile: Profile,
    wake: Arc<Notify>,
) -> Result<(Open, Frame, Profile), ApiError> {
    let identity = profile.identity.clone();
    // Asked of the database at every join: where it does not answer, nobody is let in.
    let (record, _) = app.permit(join.doc, &identity, Action::Join).await?;
    app.people.refresh(&mut profile).await?;
    app.people.keep(&mut profile).await?;
    let entering_as = profile.participant.clone();
    let request = JoinRequest {
        participant: profile.participant.clone(),
        visitor: Visitor::from(&identity),
        rights_version: record.rights_version,
        client: join.client,
        channel,
        since,
        wake,
    };
    let joined = app.registry.join(join.doc, request).await?;
    app.people.refresh(&mut profile).await?;
    if profile.participant != entering_as {
        // Who took another name on the way in was not in here yet when it was shown.
        app.registry.show_person(profile.participant.clone()).await;
    }
    let open = Open {
        channel,
        document: join.doc,
        client: join.client,
        sender: joined.sender,
        feed: joined.feed,
        rate: app.rates.of(&identity.user, join.doc),
        waiting: None,
    };
    Ok((open, joined.frame, profile))
}
