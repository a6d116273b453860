//! What a session does with each message.

use std::sync::Arc;
use std::time::{Duration, Instant};

use collab_protocol::{
    Auth, ChannelId, ClientMessage, CloseCode, DocumentId, ErrorCode, ErrorMessage, Join, Left,
    Pong, Reject, RejectCode, Select, SelectionRange, ServerMessage, SlowDown, Submit, Undecodable,
};
use ot_core::{ClientSeq, Ranges, Revision, Selection};

use super::channels::{Open, Standing};
use super::link::Link;
use super::{BAD_MESSAGES_MAX, End, Session, joining};
use crate::auth::Refused;
use crate::chat::Asked;
use crate::document::{SendError, Since, Submission};
use crate::metrics::Limit;
use crate::rights::{Action, allows};

/// Why a submission goes no further than the session.
struct Refusal {
    code: RejectCode,
    message: Option<String>,
    retry: Option<Duration>,
}

impl Refusal {
    fn later(code: RejectCode, retry: Duration) -> Self {
        Refusal { code, message: None, retry: Some(retry) }
    }

    fn because(code: RejectCode, message: String) -> Self {
        Refusal { code, message: Some(message), retry: None }
    }
}

/// The longest pause that is asked for.
const REST_MAX: Duration = Duration::from_secs(5);

/// How soon a client sends again what met a full mailbox.
const OVERLOAD_RETRY: Duration = Duration::from_millis(250);

impl<L: Link> Session<'_, L> {
    pub(super) fn on_text(&mut self, text: &str) -> Result<(), End> {
        let message = ClientMessage::decode(text);
        if let Ok(message) = &message
            && !self.is_allowed(message)
        {
            return Ok(());
        }
        match message {
            Ok(ClientMessage::Submit(submit)) => return self.on_submit(submit),
            Ok(ClientMessage::Select(select)) => self.on_select(select),
            Ok(ClientMessage::Join(join)) => return self.on_join(join),
            Ok(ClientMessage::Leave(leave)) => self.on_leave(leave.ch),
            Ok(ClientMessage::Ping(ping)) if self.may_say(None) => {
                self.say(&ServerMessage::Pong(Pong { t: ping.t }));
            }
            Ok(ClientMessage::Ping(_)) => {}
            Ok(ClientMessage::Auth(auth)) if self.may_say(None) => self.on_auth(&auth),
            Ok(ClientMessage::Auth(_)) => {}
            Ok(ClientMessage::ChatOpen(open)) => self.on_chat_open(open),
            Ok(ClientMessage::ChatSend(send)) => self.on_chat_asked(send.ch, Asked::Send(send)),
            Ok(ClientMessage::ChatEdit(edit)) => self.on_chat_asked(edit.ch, Asked::Edit(edit)),
            Ok(ClientMessage::ChatDelete(delete)) => {
                self.on_chat_asked(delete.ch, Asked::Delete(delete));
            }
            Ok(ClientMessage::ChatBefore(before)) => self.on_chat_before(before),
            Ok(ClientMessage::ChatTyping(typing)) => self.on_chat_typing(&typing),
            Ok(ClientMessage::ChatRead(read)) => self.on_chat_read(&read),
            Ok(ClientMessage::ChatLocate(locate)) => self.on_chat_locate(locate),
            Ok(ClientMessage::Watch(watch)) => self.on_watch(watch.topic),
            Ok(ClientMessage::Unwatch(unwatch)) => self.on_unwatch(unwatch.topic),
            Ok(ClientMessage::Tell(tell)) => self.on_tell(tell),
            Ok(ClientMessage::FiguresOpen(open)) => self.on_figures_open(&open),
            Ok(ClientMessage::FiguresClose(_)) => self.on_figures_close(),
            Err(Undecodable::Submission { ch, seq, code, reason }) => {
                self.app.metrics.submissions.inc();
                if self.check_channel(ch) {
                    self.reject(ch, seq, Refusal::because(code, reason));
                }
            }
            Err(Undecodable::Message(reason)) => return self.on_bad_message(&reason),
        }
        Ok(())
    }

    /// A fresh token of the same person: the session lasts as long as it does.
    fn on_auth(&mut self, auth: &Auth) {
        match self.app.auth.token(&auth.token) {
            Ok(fresh) if fresh.is_same(&self.profile.identity) => {
                self.expiry.renew(fresh.expires_ms);
            }
            Ok(_) | Err(Refused) => self.error(ErrorCode::Unauthenticated, None, None, None),
        }
    }

    /// Answers a message that makes no sense; the third one ends the connection.
    pub(super) fn on_bad_message(&mut self, reason: &str) -> Result<(), End> {
        self.bad_messages += 1;
        let fatal = self.bad_messages >= BAD_MESSAGES_MAX;
        self.app.metrics.error(ErrorCode::BadMessage);
        self.say(&ServerMessage::Error(ErrorMessage {
            fatal,
            message: Some(reason.to_owned()),
            ..ErrorMessage::new(ErrorCode::BadMessage)
        }));
        if fatal { Err(End::Close(CloseCode::BadMessage)) } else { Ok(()) }
    }

    /// Whether this person may say this now; if not, says so. A join is asked for at its door. A
    /// submission is the document's to judge, which knows whether it was committed while they
    /// might; so is what is said in a chat the chat's.
    fn is_allowed(&mut self, message: &ClientMessage) -> bool {
        let ch = match message {
            ClientMessage::Select(select) => select.ch,
            ClientMessage::Leave(leave) => leave.ch,
            ClientMessage::Submit(_)
            | ClientMessage::Join(_)
            | ClientMessage::Auth(_)
            | ClientMessage::Ping(_)
            | ClientMessage::ChatOpen(_)
            | ClientMessage::ChatSend(_)
            | ClientMessage::ChatEdit(_)
            | ClientMessage::ChatDelete(_)
            | ClientMessage::ChatBefore(_)
            | ClientMessage::ChatTyping(_)
            | ClientMessage::ChatRead(_)
            | ClientMessage::ChatLocate(_)
            | ClientMessage::Watch(_)
            | ClientMessage::Unwatch(_)
            | ClientMessage::Tell(_)
            | ClientMessage::FiguresOpen(_)
            | ClientMessage::FiguresClose(_) => return true,
        };
        let Some(open) = self.channels.get(ch) else { return true };
        let is_allowed = allows(open.feed.role(), Action::from(message));
        if !is_allowed {
            self.error(ErrorCode::Forbidden, None, Some(ch), None);
        }
        is_allowed
    }

    fn on_submit(&mut self, submit: Submit) -> Result<(), End> {
        self.app.metrics.submissions.inc();
        let (ch, seq) = (submit.ch, submit.seq);
        if !self.check_channel(ch) {
            return Ok(());
        }
        let limits = self.app.config.operation_limits();
        let ranges_max = self.app.config.ranges_max as usize;
        let open = self.channels.get(ch).expect("the channel was just checked");
        let admittance = open.rate.take();
        let offered = match admittance.place {
            Ok(()) => offer(open, submit, &limits, ranges_max),
            Err(wait) => {
                self.app.metrics.limited(Limit::Submissions);
                self.brake.refused(tokio::time::Instant::now());
                Err(Refusal::later(RejectCode::SlowDown, wait))
            }
        };
        if let Some(rest) = admittance.rest {
            self.slow_down(rest);
        }
        if let Err(refusal) = offered {
            self.channels.strain.refused(refusal.code);
            self.reject(ch, seq, refusal);
        }
        self.check_strain()
    }

    /// Asks for a pause, before refusals have to enforce one. Once is enough until it is over.
    fn slow_down(&mut self, rest: Duration) {
        let now = tokio::time::Instant::now();
        if self.resting_until.is_none_or(|until| until <= now) {
            let rest = rest.min(REST_MAX);
            self.resting_until = Some(now + rest);
            let ms = u32::try_from(rest.as_millis()).unwrap_or(u32::MAX).max(1);
            self.say(&ServerMessage::SlowDown(SlowDown { ms }));
        }
    }

    fn on_select(&mut self, select: Select) {
        let ch = select.ch;
        if !self.may_say(Some(ch)) || !self.check_channel(ch) {
            return;
        }
        let Some(ranges) = checked(&select.ranges, self.app.config.ranges_max as usize) else {
            self.error(ErrorCode::BadRanges, None, Some(ch), None);
            return;
        };
        let open = self.channels.get(ch).expect("the channel was just checked");
        // A selection that finds the mailbox full is out of date by the time it is not. One that
        // finds the document gone is told again with the next join.
        if let Err(SendError::Overloaded) = open.sender.select(Revision::new(select.rev), ranges) {
            self.error(ErrorCode::SlowDown, None, Some(ch), None);
        }
    }

    fn on_join(&mut self, join: Join) -> Result<(), End> {
        let doc = join.doc;
        let since = match (join.since, join.epoch) {
            (None, None) => None,
            (Some(revision), Some(epoch)) => {
                Some(Since { revision: Revision::new(revision), epoch })
            }
            _ => return self.on_bad_message("since and epoch go together"),
        };
        if !self.joins_allowed.take() {
            self.app.metrics.limited(Limit::Joins);
            self.brake.refused(tokio::time::Instant::now());
            self.error(ErrorCode::SlowDown, Some(doc), None, None);
            return Ok(());
        }
        if self.open_count() >= self.app.config.documents_per_connection_max as usize {
            self.app.metrics.limited(Limit::Joins);
            self.error(ErrorCode::TooManyDocuments, Some(doc), None, None);
            return Ok(());
        }
        if self.is_stopping {
            self.error(ErrorCode::Overloaded, Some(doc), None, None);
            return Ok(());
        }
        self.joining.push((join.doc, join.client));
        let channel = self.channels.reserve();
        let (profile, wake) = (self.profile.clone(), Arc::clone(&self.wake));
        self.joins.push(joining::start(Arc::clone(&self.app), join, since, channel, profile, wake));
        Ok(())
    }

    /// Leaving what is open is bound by the rate of opening it.
    fn on_leave(&mut self, ch: ChannelId) {
        if self.channels.close(ch).is_some() || self.talks.close(ch) {
            self.left(ch);
        } else if self.may_say(Some(ch)) {
            self.check_channel(ch);
        }
    }

    /// Whether this connection may send one more message that is no edit; if not, says so.
    pub(super) fn may_say(&mut self, ch: Option<ChannelId>) -> bool {
        let is_allowed = self.messages_allowed.take();
        if !is_allowed {
            self.app.metrics.limited(Limit::Messages);
            self.brake.refused(tokio::time::Instant::now());
            self.error(ErrorCode::SlowDown, None, ch, None);
        }
        is_allowed
    }

    pub(super) fn left(&mut self, ch: ChannelId) {
        self.say(&ServerMessage::Left(Left { ch }));
    }

    /// Whether the channel is open; if not, says so.
    pub(super) fn check_channel(&mut self, ch: ChannelId) -> bool {
        let code = match self.channels.standing(ch) {
            Standing::Open => return true,
            Standing::Closed => ErrorCode::NotJoined,
            Standing::Unknown => ErrorCode::BadChannel,
        };
        self.error(code, None, Some(ch), None);
        false
    }

    pub(super) fn error(
        &mut self,
        code: ErrorCode,
        doc: Option<DocumentId>,
        ch: Option<ChannelId>,
        message: Option<String>,
    ) {
        self.app.metrics.error(code);
        self.say(&ServerMessage::Error(ErrorMessage {
            doc,
            ch,
            message,
            ..ErrorMessage::new(code)
        }));
    }

    fn reject(&mut self, ch: ChannelId, seq: u64, refusal: Refusal) {
        let Refusal { code, message, retry } = refusal;
        self.app.metrics.reject(code);
        let retry_ms =
            retry.map(|retry| u32::try_from(retry.as_millis()).unwrap_or(u32::MAX).max(1));
        self.say(&ServerMessage::Reject(Reject { ch, seq, code, message, retry_ms }));
    }
}

/// Checks a submission as far as a session can, and hands it to its document.
fn offer(
    open: &mut Open,
    submit: Submit,
    limits: &ot_core::Limits,
    ranges_max: usize,
) -> Result<(), Refusal> {
    let ranges = match submit.ranges {
        None => None,
        Some(ranges) => Some(checked(&ranges, ranges_max).ok_or_else(|| {
            let message = format!("at most {ranges_max} ranges are allowed");
            Refusal::because(RejectCode::BadRanges, message)
        })?),
    };
    let operation = submit
        .op
        .decode(limits)
        .map_err(|error| Refusal::because(RejectCode::from(&error), error.to_string()))?;
    let seq = ClientSeq::new(submit.seq);
    let submission = Submission::new(seq, Revision::new(submit.rev), operation, ranges);
    open.waiting = Some((submit.seq, Instant::now()));
    match open.sender.submit(submission) {
        Ok(()) => Ok(()),
        Err(SendError::Overloaded) => Err(Refusal::later(RejectCode::Overloaded, OVERLOAD_RETRY)),
        // The document ended this session; its feed says why, and the client sends again after.
        Err(SendError::Closed) => Ok(()),
    }
}

/// The ranges as the engine has them; `None` when there are too many.
fn checked(ranges: &[SelectionRange], ranges_max: usize) -> Option<Ranges> {
    if ranges.len() > ranges_max {
        return None;
    }
    let selections = ranges
        .iter()
        .map(|range| Selection { anchor: range.anchor as usize, head: range.head as usize });
    Ranges::new(selections).ok()
}
