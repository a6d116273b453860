//! What operators watch, in Prometheus' text form. No label names a person or a document.
//!
//! Units: `_seconds` and `_bytes`, as Prometheus has them.

mod labels;
mod store;
mod transport;
mod window;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use collab_protocol::{ChatCode, CloseCode, ErrorCode, RejectCode, RoomKind};
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

pub(crate) use labels::{Limit, TlsFailure};
pub(crate) use store::MeasuredStore;
pub(crate) use transport::TransportCount;
pub(crate) use window::Quantiles;

use self::transport::Transports;
use self::window::Window;
use crate::packing::PackReport;
use crate::registry::{RegistryStats, RoomFigures};

/// The label of a code from a closed list.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct CodeLabel {
    code: StaticText,
}

/// Which limit it was.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct LimitLabel {
    limit: StaticText,
}

/// Of which class a failure is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct ClassLabel {
    class: StaticText,
}

/// The label of a reason from a closed list.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct ReasonLabel {
    reason: StaticText,
}

/// What a room is of.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct RoomLabel {
    room: StaticText,
}

/// What a notification is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct KindLabel {
    kind: StaticText,
}

/// The labels of an HTTP answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct HttpLabel {
    route: String,
    status: u16,
}

/// A text that is part of the program, so that a label's values are bounded.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct StaticText(&'static str);

impl EncodeLabelValue for StaticText {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        self.0.encode(encoder)
    }
}

type Codes = Family<CodeLabel, Counter>;

fn count(codes: &Codes, code: &'static str) {
    codes.get_or_create(&CodeLabel { code: StaticText(code) }).inc();
}

/// Every figure the server keeps.
pub(crate) struct Metrics {
    registry: Registry,
    /// Open connections, HTTP and WebSocket.
    pub(crate) connections: Gauge,
    /// Connections turned away because there were too many.
    pub(crate) connections_refused: Counter,
    /// Open connections of clients, whatever carries them.
    pub(crate) sockets: Gauge,
    transports: Transports,
    /// Sessions: documents open over sockets.
    pub(crate) sessions: Gauge,
    /// Frames and bytes over WebSockets.
    pub(crate) frames_received: Counter,
    pub(crate) frames_sent: Counter,
    pub(crate) bytes_received: Counter,
    pub(crate) bytes_sent: Counter,
    /// Submissions that came in, whatever became of them.
    pub(crate) submissions: Counter,
    /// From a submission's arrival to its answer being handed to the socket.
    answer_time: Histogram,
    /// Round trips of heartbeats.
    pub(crate) heartbeat_time: Histogram,
    /// From a commit becoming visible to its being taken for a session.
    fanout_time: Histogram,
    /// From a join's arrival to `joined`.
    pub(crate) join_time: Histogram,
    limits: Family<LimitLabel, Counter>,
    tls_failures: Family<ClassLabel, Counter>,
    rejects: Codes,
    tokens_refused: Family<ReasonLabel, Counter>,
    errors: Codes,
    /// Chats open over sockets.
    pub(crate) chats: Gauge,
    /// Messages of chats made durable.
    pub(crate) chat_messages: Counter,
    chat_rejects: Codes,
    /// From a message of a chat to its being durable.
    pub(crate) chat_time: Histogram,
    closes: Codes,
    http: Family<HttpLabel, Counter>,
    /// From an HTTP request's head to its answer's head.
    pub(crate) http_time: Histogram,
    /// From an append's call to its being durable.
    append_time: Histogram,
    /// The same since the last line of statistics.
    append_window: Window,
    /// Times since the dashboard's last window.
    pub(crate) seconds: Seconds,
    /// Operations made durable.
    operations: Counter,
    appends: Codes,
    /// Packed pages written, and what they take stored and expanded.
    packed_pages: Counter,
    packed_bytes: Counter,
    packed_expanded_bytes: Counter,
    /// Revisions that were rows and are packed.
    packed_revisions: Counter,
    /// From a snapshot that has history packed to its last page.
    packing_time: Histogram,
    /// Documents whose history could not be packed.
    pub(crate) packing_failures: Counter,
    /// From a load's call to the document's text.
    load_time: Histogram,
    /// Whether there is a way to Redis: 1 or 0.
    pub(crate) redis_connected: Gauge,
    pub(crate) redis_losses: Counter,
    pub(crate) redis_published: Counter,
    pub(crate) redis_dropped: Counter,
    pub(crate) redis_received: Counter,
    pub(crate) redis_skipped: Counter,
    /// From a word's being said to Redis to its being heard by who said it.
    pub(crate) redis_lag: Histogram,
    documents_loaded: Gauge<u64, AtomicU64>,
    mailbox_depth: Gauge<u64, AtomicU64>,
    rooms: Gauge<u64, AtomicU64>,
    people: Gauge<u64, AtomicU64>,
    elsewhere: Gauge<u64, AtomicU64>,
    notifications: Family<KindLabel, Counter>,
    events: Family<RoomLabel, Counter>,
    pub(crate) events_delivered: Counter,
    pub(crate) events_missed: Counter,
    topics: Gauge<u64, AtomicU64>,
    lag: Gauge<u64, AtomicU64>,
}

/// What the dashboard tells of times, since it last asked.
#[derive(Debug, Default)]
pub(crate) struct Seconds {
    append: Window,
    fanout: Window,
    answer: Window,
}

impl Seconds {
    /// Appends, fan-outs and answers since the last call.
    pub(crate) fn take(&self) -> [Option<Quantiles>; 3] {
        [&self.append, &self.fanout, &self.answer].map(Window::take)
    }
}

/// Buckets from 0.25 ms to about 8 s.
fn time_histogram() -> Histogram {
    Histogram::new(exponential_buckets(0.000_25, 2.0, 16))
}

/// Registers each figure by its field, under its name, with what it means; and lists them.
macro_rules! figures {
    ($($field:ident $name:literal $help:literal,)+) => {
        impl Metrics {
            fn register(&mut self) {
                let registry = &mut self.registry;
                $( registry.register($name, $help, self.$field.clone()); )+
            }
        }

        /// Every figure: its name behind `concord_`, and what it means.
        #[cfg(test)]
        const FIGURES: &[(&str, &str)] = &[$( ($name, $help) ),+];
    };
}

figures! {
    connections "connections" "Open connections, HTTP and WebSocket",
    connections_refused "connections_refused" "Connections turned away at the cap",
    sockets "sockets" "Open connections of clients, whatever carries them",
    transports "transports" "Open connections of clients by what carries them",
    sessions "sessions" "Documents open over connections of clients",
    frames_received "frames_received" "WebSocket messages from clients",
    frames_sent "frames_sent" "WebSocket messages to clients",
    bytes_received "bytes_received" "Bytes read from WebSocket connections",
    bytes_sent "bytes_sent" "Bytes written to WebSocket connections",
    submissions "submissions" "Submissions received",
    answer_time "submission_answer_seconds" "From a submission to its answer on the socket",
    heartbeat_time "heartbeat_seconds" "Round trips of heartbeats",
    fanout_time "fanout_seconds" "From a commit to its being taken for a session",
    join_time "join_seconds" "From a join to its answer",
    limits "limits_hit" "Refusals because of a limit, by which one",
    tls_failures "tls_failures" "Connections that ended before they were secure, by why",
    rejects "rejects" "Submissions answered by a reject, by code",
    tokens_refused "tokens_refused" "Tokens refused, by reason",
    errors "errors" "Errors answered over connections of clients, by code",
    chats "chats" "Chats open over connections of clients",
    chat_messages "chat_messages" "Messages of chats made durable",
    chat_rejects "chat_rejects" "What was asked of chats and refused, by code",
    chat_time "chat_seconds" "From a message of a chat, or a change of one, to its being durable",
    closes "closes" "WebSocket connections closed by the server, by code",
    http "http_responses" "HTTP answers by route and status",
    http_time "http_seconds" "From an HTTP request to its answer",
    append_time "append_seconds" "From an append to its being durable",
    operations "operations" "Operations made durable",
    appends "appends" "Appends by what became of them",
    packed_pages "packed_pages" "Packed pages written, merged ones again",
    packed_bytes "packed_bytes" "Size of the packed pages written",
    packed_expanded_bytes "packed_expanded_bytes" "What those take expanded",
    packed_revisions "packed_revisions" "Revisions that were rows and are packed",
    packing_time "packing_seconds" "From a snapshot to the last page packed for it",
    packing_failures "packing_failures" "Documents whose history was not packed",
    load_time "load_seconds" "From a document's load to its text",
    redis_connected "redis_connected" "Whether Redis is there: 1 or 0",
    redis_losses "redis_losses" "How often Redis was lost",
    redis_published "redis_published" "Messages that Redis has taken for other servers",
    redis_dropped "redis_dropped" "Messages that Redis did not take in time",
    redis_received "redis_received" "Messages heard from other servers",
    redis_skipped "redis_skipped" "Messages of other versions, and malformed ones",
    redis_lag "redis_lag_seconds" "From saying something to Redis to hearing it",
    documents_loaded "documents_loaded" "Documents in memory",
    mailbox_depth "mailbox_depth" "Messages waiting for documents",
    rooms "rooms" "Documents with somebody in them",
    people "people" "People in documents, counted once in each",
    events "events" "Events told to rooms on this server, by what the room is of",
    events_delivered "events_delivered" "Events put before connections of clients",
    events_missed "events_missed" "Of those, events lost to connections that took them too slowly",
    notifications "notifications" "Notifications stored, or told anew, by what they are about",
    topics "topics" "Topics that connections of this server watch",
    elsewhere "sessions_elsewhere" "Sessions of other servers in documents that are open here",
    lag "lag_revisions" "Revisions that the session furthest behind lacks",
}

impl Metrics {
    pub(crate) fn new() -> Arc<Self> {
        let mut metrics = Metrics {
            registry: Registry::with_prefix("concord"),
            connections: Gauge::default(),
            connections_refused: Counter::default(),
            sockets: Gauge::default(),
            transports: Transports::default(),
            sessions: Gauge::default(),
            frames_received: Counter::default(),
            frames_sent: Counter::default(),
            bytes_received: Counter::default(),
            bytes_sent: Counter::default(),
            submissions: Counter::default(),
            answer_time: time_histogram(),
            heartbeat_time: time_histogram(),
            fanout_time: time_histogram(),
            join_time: time_histogram(),
            limits: Family::default(),
            tls_failures: Family::default(),
            rejects: Codes::default(),
            tokens_refused: Family::default(),
            errors: Codes::default(),
            chats: Gauge::default(),
            chat_messages: Counter::default(),
            chat_rejects: Codes::default(),
            chat_time: time_histogram(),
            closes: Codes::default(),
            http: Family::default(),
            http_time: time_histogram(),
            append_time: time_histogram(),
            append_window: Window::default(),
            seconds: Seconds::default(),
            operations: Counter::default(),
            appends: Codes::default(),
            packed_pages: Counter::default(),
            packed_bytes: Counter::default(),
            packed_expanded_bytes: Counter::default(),
            packed_revisions: Counter::default(),
            packing_time: time_histogram(),
            packing_failures: Counter::default(),
            load_time: time_histogram(),
            redis_connected: Gauge::default(),
            redis_losses: Counter::default(),
            redis_published: Counter::default(),
            redis_dropped: Counter::default(),
            redis_received: Counter::default(),
            redis_skipped: Counter::default(),
            redis_lag: time_histogram(),
            documents_loaded: Gauge::default(),
            mailbox_depth: Gauge::default(),
            rooms: Gauge::default(),
            people: Gauge::default(),
            elsewhere: Gauge::default(),
            notifications: Family::default(),
            events: Family::default(),
            events_delivered: Counter::default(),
            events_missed: Counter::default(),
            topics: Gauge::default(),
            lag: Gauge::default(),
        };
        metrics.register();
        Arc::new(metrics)
    }

    /// Counts something refused because of a limit.
    pub(crate) fn limited(&self, limit: Limit) {
        let limit = StaticText(limit.name());
        self.limits.get_or_create(&LimitLabel { limit }).inc();
    }

    /// Counts an event that was told to a room of this kind.
    pub(crate) fn event(&self, room: RoomKind) {
        let room = StaticText(match room {
            RoomKind::User => "user",
            RoomKind::Tenant => "tenant",
            RoomKind::Topic => "topic",
        });
        self.events.get_or_create(&RoomLabel { room }).inc();
    }

    /// A notification of this kind is stored, or told anew.
    pub(crate) fn notification(&self, kind: &'static str) {
        self.notifications.get_or_create(&KindLabel { kind: StaticText(kind) }).inc();
    }

    /// Notes how many topics are watched.
    pub(crate) fn topics(&self, count: usize) {
        self.topics.set(count as u64);
    }

    /// Counts a connection that did not become secure.
    pub(crate) fn tls_failed(&self, failure: TlsFailure) {
        let class = StaticText(failure.name());
        self.tls_failures.get_or_create(&ClassLabel { class }).inc();
    }

    /// Notes how long an append took.
    fn appended(&self, took: Duration) {
        self.append_time.observe(took.as_secs_f64());
        self.append_window.observe(took);
        self.seconds.append.observe(took);
    }

    /// Notes how long a commit took to be taken for a session.
    pub(crate) fn fanned_out(&self, took: Duration) {
        self.fanout_time.observe(took.as_secs_f64());
        self.seconds.fanout.observe(took);
    }

    /// Notes how long a submission took to its answer.
    pub(crate) fn answered(&self, took: Duration) {
        self.answer_time.observe(took.as_secs_f64());
        self.seconds.answer.observe(took);
    }

    /// What 99 in 100 appends since the last call took at most.
    pub(crate) fn take_append_p99(&self) -> Option<Duration> {
        self.append_window.take_p99()
    }

    /// Operations made durable so far.
    pub(crate) fn operations_count(&self) -> u64 {
        self.operations.get()
    }

    /// Counts a reject.
    pub(crate) fn reject(&self, code: RejectCode) {
        count(&self.rejects, code.as_str());
    }

    /// Rejects with this code so far.
    pub(crate) fn rejects_count(&self, code: RejectCode) -> u64 {
        let label = CodeLabel { code: StaticText(code.as_str()) };
        self.rejects.get(&label).map_or(0, |count| count.get())
    }

    /// Counts a token that proved nobody.
    pub(crate) fn token_refused(&self, reason: &'static str) {
        self.tokens_refused.get_or_create(&ReasonLabel { reason: StaticText(reason) }).inc();
    }

    /// Counts what was packed of one document.
    pub(crate) fn packed(&self, report: &PackReport, took: Duration) {
        self.packed_pages.inc_by(report.pages);
        self.packed_bytes.inc_by(report.bytes);
        self.packed_expanded_bytes.inc_by(report.expanded_bytes);
        self.packed_revisions.inc_by(report.revisions);
        self.packing_time.observe(took.as_secs_f64());
    }

    /// Counts an error sent over a WebSocket.
    pub(crate) fn error(&self, code: ErrorCode) {
        count(&self.errors, code.as_str());
    }

    /// Counts something that a chat refused.
    pub(crate) fn chat_reject(&self, code: ChatCode) {
        count(&self.chat_rejects, code.as_str());
    }

    /// Counts a connection that the server closed.
    pub(crate) fn close(&self, code: CloseCode) {
        count(&self.closes, code.reason());
    }

    /// Counts an HTTP answer. `route` is the route's pattern, not the request's path.
    pub(crate) fn http(&self, route: &str, status: u16, took: Duration) {
        self.http.get_or_create(&HttpLabel { route: route.to_owned(), status }).inc();
        self.http_time.observe(took.as_secs_f64());
    }

    /// The text for `/metrics`, with the figures that are read only now.
    pub(crate) fn text(&self, stats: &RegistryStats, rooms: &[RoomFigures]) -> String {
        self.rooms.set(rooms.iter().filter(|room| room.sessions > 0).count() as u64);
        self.people.set(rooms.iter().map(|room| room.people as u64).sum());
        self.elsewhere.set(rooms.iter().map(|room| room.elsewhere as u64).sum());
        self.lag.set(rooms.iter().map(|room| room.lag_revisions).max().unwrap_or(0));
        self.documents_loaded.set(stats.documents as u64);
        self.mailbox_depth.set(stats.waiting as u64);
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing to a string does not fail");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_metrics_has_every_figure_and_nothing_else() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/metrics.md");
        let page = std::fs::read_to_string(path).expect("docs/metrics.md");
        let rows = page.lines().filter_map(|line| line.strip_prefix("| `concord_"));
        let listed: Vec<(&str, &str)> = rows
            .map(|row| {
                let mut cells = row.split(" | ");
                let name = cells.next().and_then(|cell| cell.split(['`', '{']).next());
                let meaning = cells.nth(1).unwrap_or_default().trim_end_matches(" |");
                (name.unwrap_or_default(), meaning)
            })
            .collect();
        for (name, help) in FIGURES {
            let row = listed.iter().find(|(listed, _)| listed == name);
            let row = row.unwrap_or_else(|| panic!("docs/metrics.md lacks concord_{name}"));
            assert!(row.1.starts_with(help), "concord_{name}: {:?} is not {help:?}", row.1);
        }
        assert_eq!(listed.len(), FIGURES.len(), "docs/metrics.md has others: {listed:?}");
    }
}
