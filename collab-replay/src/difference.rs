//! How client and engine can differ.

use std::fmt;

/// What differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The texts.
    Text,
    /// The revisions.
    Revision,
    /// What the engine answered.
    Answer,
    /// The submission that was sent.
    Submission,
    /// The selection that was sent.
    Selection,
    /// The stored state.
    State,
    /// The server's check: client and engine hold one text, and the server another one.
    ServerCheck,
    /// The client took in what the frame before does not hold.
    Stream,
    /// The client passed over what a frame holds.
    PassedOver,
    /// The client says that its text differs from the server's, and it does not.
    FalseAlarm,
    /// One of the engines broke off: here that is a panic, whose place is on standard error.
    BrokeOff,
    /// Something was asked of an engine that is not there, or that the state does not make.
    NoEngine,
}

impl Kind {
    /// A stable name, for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Text => "text",
            Kind::Revision => "revision",
            Kind::Answer => "answer",
            Kind::Submission => "submission",
            Kind::Selection => "selection",
            Kind::State => "state",
            Kind::ServerCheck => "server_check",
            Kind::Stream => "stream",
            Kind::PassedOver => "passed_over",
            Kind::FalseAlarm => "false_alarm",
            Kind::BrokeOff => "broke_off",
            Kind::NoEngine => "no_engine",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Text => "the client's text has another hash than the engine's",
            Kind::Revision => "the client is at another revision than the engine",
            Kind::Answer => "the client's engine answered something else",
            Kind::Submission => "the client sent another submission than the engine has in flight",
            Kind::Selection => "the client sent another selection than the engine has",
            Kind::State => "the client's stored state is not the engine's",
            Kind::ServerCheck => {
                "client and engine hold one text, and the server's check tells of another"
            }
            Kind::Stream => "the client took in what the frame before it does not hold",
            Kind::PassedOver => "the client passed over what the frame before holds",
            Kind::FalseAlarm => "the client told of a differing text, and the engine sees none",
            Kind::BrokeOff => "an engine broke off in the middle of this",
            Kind::NoEngine => "there is no engine of which this could be asked",
        })
    }
}

/// One difference: what the client claimed or the server said, and what the engine holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What differs.
    pub kind: Kind,
    /// The report's side.
    pub claimed: String,
    /// The engine's side.
    pub found: String,
}

impl Difference {
    pub(crate) fn new(kind: Kind, claimed: impl ToString, found: impl ToString) -> Difference {
        Difference { kind, claimed: claimed.to_string(), found: found.to_string() }
    }
}

/// Compares what was claimed with what is found.
pub(crate) fn same<T: ToString + PartialEq>(
    kind: Kind,
    claimed: T,
    found: T,
) -> Result<(), Difference> {
    if claimed == found { Ok(()) } else { Err(Difference::new(kind, claimed, found)) }
}
