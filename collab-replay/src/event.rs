//! What a report tells, line by line.

use serde::Deserialize;

use crate::frame::Frame;

/// One line of a report, and what the client claimed right after it.
#[derive(Clone, Debug, Deserialize)]
pub struct Event {
    /// When, in milliseconds since recording began.
    pub t: f64,
    /// The client's revision afterwards.
    #[serde(default)]
    pub rev: Option<u64>,
    /// The hash of the client's text afterwards; left out now and then where the text is long.
    #[serde(default)]
    pub hash: Option<String>,
    /// The client's engine broke off.
    #[serde(default)]
    pub threw: bool,
    /// What happened.
    #[serde(flatten)]
    pub(crate) what: What,
}

/// Why a state was written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// An engine begins with it.
    Open,
    /// Older events are about to be dropped, or might be.
    Roll,
    /// An undo before it may have taken back what is no longer in the report.
    Undone,
}

/// What happened. Names and numbers are those of the client's `engine.ts`.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "e", rename_all = "snake_case")]
pub(crate) enum What {
    /// Everything that the engine keeps over a reload.
    State {
        why: Why,
        state: String,
        /// There is something to undo or redo that the state does not hold.
        #[serde(default)]
        undo: bool,
        /// The own selection, in characters of the local text.
        #[serde(default)]
        ranges: Vec<[usize; 2]>,
    },
    Edit {
        at: usize,
        deleted: usize,
        inserted: String,
        now: i64,
        #[serde(default)]
        widen: bool,
        #[serde(default)]
        answer: u32,
    },
    /// The editor shows another text: the change, as far as two texts show it.
    Diff {
        at: usize,
        deleted: usize,
        inserted: String,
        caret: i64,
        now: i64,
        changed: bool,
    },
    Undo {
        caret: i64,
    },
    Redo {
        caret: i64,
    },
    Break,
    Hold,
    Release,
    Select {
        anchor: i64,
        head: i64,
    },
    Freeze {
        components: usize,
        bytes: usize,
        answer: u32,
    },
    Receive {
        to: u64,
        /// Only where it is not the next one of the frame.
        #[serde(default)]
        op: Option<serde_json::Value>,
        #[serde(default)]
        answer: u32,
    },
    Ack {
        seq: u64,
        to: u64,
        #[serde(default)]
        answer: u32,
    },
    Reject {
        seq: u64,
    },
    Reset {
        to: u64,
        last: u64,
        /// Only where it is not that of the frame.
        #[serde(default)]
        text: Option<String>,
        #[serde(default)]
        answer: u32,
    },
    Raise {
        seq: u64,
    },
    /// A frame came in.
    In {
        frame: Frame,
    },
    /// A frame went out, as it was sent.
    Out {
        frame: String,
    },
    /// The socket.
    Net {
        state: String,
        #[serde(default)]
        code: Option<u32>,
    },
    /// The client's own word about trouble.
    Trouble {
        code: String,
        #[serde(default)]
        message: String,
    },
    /// An input method.
    Composition {
        phase: String,
    },
    /// The engine is let go.
    Close,
}

impl Event {
    /// What kind of event it is, as the report names it, with what tells most about it.
    #[must_use]
    pub fn title(&self) -> String {
        match &self.what {
            What::State { why, .. } => format!("state ({why:?})").to_lowercase(),
            What::Edit { at, deleted, inserted, .. } => spliced("edit", *at, *deleted, inserted),
            What::Diff { at, deleted, inserted, .. } => spliced("diff", *at, *deleted, inserted),
            What::Undo { caret } => format!("undo, caret {caret}"),
            What::Redo { caret } => format!("redo, caret {caret}"),
            What::Break => "break".to_owned(),
            What::Hold => "hold".to_owned(),
            What::Release => "release".to_owned(),
            What::Select { anchor, head } => format!("select {anchor} to {head}"),
            What::Freeze { answer: 2, .. } => "freeze a part".to_owned(),
            What::Freeze { .. } => "freeze".to_owned(),
            What::Receive { to, .. } => format!("receive revision {to}"),
            What::Ack { seq, to, .. } => format!("acknowledge {seq} as revision {to}"),
            What::Reject { seq } => format!("reject {seq}"),
            What::Reset { to, .. } => format!("reset to revision {to}"),
            What::Raise { seq } => format!("raise numbers above {seq}"),
            What::In { frame } => format!("in {}", frame.title()),
            What::Out { frame } => format!("out {}", frame.chars().take(60).collect::<String>()),
            What::Net { state, code: Some(code) } => format!("socket {state} ({code})"),
            What::Net { state, code: None } => format!("socket {state}"),
            What::Trouble { code, message } => format!("trouble {code}: {message}"),
            What::Composition { phase } => format!("composition {phase}"),
            What::Close => "close".to_owned(),
        }
    }
}

fn spliced(word: &str, at: usize, deleted: usize, inserted: &str) -> String {
    let shown: String = inserted.chars().take(24).collect();
    let more = if shown.len() < inserted.len() { "…" } else { "" };
    format!("{word} at {at}: -{deleted} +{shown:?}{more}")
}
