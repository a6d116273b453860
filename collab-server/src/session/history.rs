//! History on its way from the database, for the document of a connection that is behind its ring.

use std::future::Future;
use std::pin::Pin;

use collab_protocol::ChannelId;

use crate::document::{CatchUp, Ended, Stretch};

type Reading = Pin<Box<dyn Future<Output = Result<Stretch, Ended>> + Send>>;

/// See the module. At most one is on its way or waits to be taken.
#[derive(Default)]
pub(super) struct History {
    of: Option<(ChannelId, Stage)>,
}

enum Stage {
    Reading(Reading),
    Read(Result<Stretch, Ended>),
}

impl History {
    /// What was read for this channel. If nothing was, `catch_up` is begun, unless another one is
    /// on its way.
    pub(super) fn take(
        &mut self,
        channel: ChannelId,
        catch_up: CatchUp,
    ) -> Result<Option<Stretch>, Ended> {
        match self.of.take() {
            Some((of, Stage::Read(result))) if of == channel => return result.map(Some),
            None => self.of = Some((channel, Stage::Reading(Box::pin(catch_up.read())))),
            other => self.of = other,
        }
        Ok(None)
    }

    /// Whether something is on its way.
    pub(super) fn is_reading(&self) -> bool {
        matches!(self.of, Some((_, Stage::Reading(_))))
    }

    /// Waits until what is on its way was read; for ever if nothing is. Dropped before it returns,
    /// it has lost nothing.
    pub(super) async fn read(&mut self) {
        match &mut self.of {
            Some((_, stage @ Stage::Reading(_))) => {
                let Stage::Reading(reading) = stage else { unreachable!("it was just matched") };
                let result = reading.await;
                *stage = Stage::Read(result);
            }
            _ => std::future::pending().await,
        }
    }

    /// The channel is closed.
    pub(super) fn forget(&mut self, channel: ChannelId) {
        if self.of.as_ref().is_some_and(|(of, _)| *of == channel) {
            self.of = None;
        }
    }
}
