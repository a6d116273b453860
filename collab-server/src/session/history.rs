//! History on its way from the database, for the document of a connection that is behind its ring.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

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

    /// Whether what was on its way has come.
    pub(super) fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some((_, stage)) = &mut self.of else { return Poll::Pending };
        let Stage::Reading(reading) = stage else { return Poll::Pending };
        let result = ready!(reading.as_mut().poll(context));
        *stage = Stage::Read(result);
        Poll::Ready(())
    }

    /// The channel is closed.
    pub(super) fn forget(&mut self, channel: ChannelId) {
        if self.of.as_ref().is_some_and(|(of, _)| *of == channel) {
            self.of = None;
        }
    }
}
