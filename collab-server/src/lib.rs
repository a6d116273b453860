//! Concord's server: one authority per document, and every acknowledged edit on disk.
//!
//! The road of an edit: session → a document's mailbox → `document::state` decides → [`Store`]
//! makes it durable → the ring, from which every session's writer pulls what it lacks.
//!
//! Units: revisions count committed operations, text lengths count Unicode scalar values unless a
//! name says bytes, times are milliseconds (wall-clock times since 1970).
#![forbid(unsafe_code)]

mod address;
mod app;
mod auth;
mod chat;
mod cli;
mod clock;
mod config;
mod dashboard;
mod desk;
mod document;
mod error;
mod fanout;
mod history;
mod http;
mod listener;
mod metrics;
mod notifications;
mod packed;
mod packing;
mod people;
mod presence_news;
mod rate;
mod registry;
mod revision;
mod rights;
mod rooms;
mod sabotage;
mod server;
mod session;
mod shown;
mod shutdown;
#[cfg(feature = "simulation")]
pub mod simulation;
mod statistics;
mod store;
mod tls;
mod uploads;
mod usage;
mod verify;
mod web;

pub use auth::{KeyError, MintError, Minting};
pub use chat::ChatNews;
pub use cli::{
    CliError, ExportArguments, ImportArguments, ImportFormat, Invocation, ReplayArguments,
    ReplaySource, ReplayTraceArguments, TokenArguments, Tool, ToolError, Until, VerifyOptions,
    environment_sample, health, make_token, parse as parse_command_line, replay_trace, run_tool,
    unknown_variables, verify,
};
pub use clock::{Clock, SystemClock};
pub use config::{
    Config, ConfigError, CookieName, Database, GuestPolicy, LinkDefault, LogFormat, Networks,
    Operators, Origin, Origins, PUBLIC_SITE, PostgresUrl, PublicUrl, RedisUrl, SETTINGS, Secret,
    Setting, SignInUrl, Sources, Switch, TopicsTell,
};
pub use document::{
    CatchUp, DocumentConfig, Ended, Frame, HeadText, JoinError, JoinRequest, Joined, Participant,
    Pulled, SendError, SessionFeed, SessionSender, Since, Step, Stretch, Submission,
    SubmissionHash,
};
pub use fanout::{Address, Batch, Fanout, Heard, LocalFanout, News, ServerId, Subscription, Way};
pub use packed::{
    Edits, Operations, PAGE_OPERATIONS_MAX, PackError, PackedPage, PageBuilder, PageError, Stamp,
    StampIter, Stamps, sealed_page,
};
pub use packing::{PackReport, pack_document};
pub use presence_news::{HostId, PersonThere, PresenceNews, Telling};
pub use registry::{CensusNews, Registry, RegistryStats};
pub use rights::{Rights, RightsChange, Visitor};
pub use rooms::EventNews;
pub use server::{Server, StartError, check_config};
pub use shutdown::Signals;
pub use store::{
    Activity, Append, AppendOutcome, ChainHash, ChainLink, ChatBecomes, ChatChange, ChatEntry,
    ChatExtract, ChatHead, ChatOutcome, ChatProgress, ChatRange, ClientProgress, DocumentCursor,
    DocumentHead, DocumentPage, DocumentRecord, ImportBatch, ImportStep, ListQuery, ListedDocument,
    Loaded, LoggedOperation, MemoryStore, NewChatMessage, NewDocument, NewOperation,
    NotificationContent, NotificationEntry, NotificationExtract, NotificationHead,
    NotificationOutcome, NotificationRange, NotificationRecord, NotificationSelection,
    NotificationsMarked, OpenError, Pack, PackOutcome, PackedClient, PackedRow, PackedSpan,
    PageLimit, PersonRecord, PostgresConfig, PostgresStore, Recipient, Repeated, Seen, Snapshot,
    SqliteConfig, SqliteStore, Store, StoreError, StoreFuture, StoreLayer, TailPage, TextKey,
    VersionRecord, Walk,
};
pub use tls::TlsError;
pub use verify::{Damage, DocumentReport, all_documents, verify_document};
