//! The list of settings.

use std::net::SocketAddr;
use std::path::PathBuf;

use axum::http::HeaderName;

use super::network::Networks;
use super::source::{ConfigError, Sources};
use super::value::{
    CookieName, Database, GuestPolicy, LinkDefault, LogFormat, Operators, Origins, PublicUrl,
    RedisUrl, Secret, SignInUrl, Switch, TopicsTell,
};

/// One setting, as its documentation needs it.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its key in the file; flags have hyphens, the environment capitals behind `CONCORD_`.
    pub name: &'static str,
    /// The group it is explained in.
    pub section: &'static str,
    /// What it does, with its unit and reason.
    pub doc: &'static str,
    /// Its value when nothing names it; empty means unset.
    pub default: &'static str,
}

impl Setting {
    /// The flag, without the leading hyphens.
    #[must_use]
    pub fn flag(&self) -> String {
        self.name.replace('_', "-")
    }

    /// The environment variable.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("CONCORD_{}", self.name.to_ascii_uppercase())
    }
}

macro_rules! settings {
    ($( $section:literal { $(
        $(#[doc = $doc:literal])+
        $name:ident: $ty:ty = $default:literal $(in $range:expr)?,
    )+ } )+) => {
        /// The server's settings, checked.
        ///
        /// Invariant: each is within its bounds, and none contradicts another.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Config { $( $(
            $(#[doc = $doc])+
            pub $name: $ty,
        )+ )+ }

        /// Every setting, in the order of the help text.
        pub const SETTINGS: &[Setting] = &[ $( $( Setting {
            name: stringify!($name),
            section: $section,
            doc: concat!($($doc),+),
            default: $default,
        }, )+ )+ ];

        impl Config {
            pub(super) fn from_sources(sources: &Sources) -> Result<Config, ConfigError> {
                let config = Config { $( $(
                    $name: sources.value::<$ty>(stringify!($name), $default)?,
                )+ )+ };
                $( $( $(
                    sources.check_range(stringify!($name), config.$name, $range)?;
                )? )+ )+
                config.check()?;
                Ok(config)
            }
        }
    };
}

settings! {
    "Network" {
        /// Address and port to serve on. Behind a proxy, or to try things out, keep to 127.0.0.1;
        /// 0.0.0.0 serves every network. Port 0 takes a free one and logs it.
        listen: SocketAddr = "127.0.0.1:8080",
        /// The address people use, such as https://write.example.org, when a proxy stands in front.
        /// Its host counts as the server's own, and https marks cookies as Secure.
        public_url: Option<PublicUrl> = "",
        /// PEM file with the certificate, and behind it those that lead to a root. With tls_key it
        /// makes the server speak https, and only that. Read anew within seconds when it changes,
        /// or at once on SIGHUP.
        tls_cert: Option<PathBuf> = "",
        /// PEM file with the certificate's private key.
        tls_key: Option<PathBuf> = "",
        /// Addresses and ranges of proxies in front of the server, separated by commas, such as
        /// 127.0.0.1, 10.0.0.0/8. Only they are believed who is asking, and only in
        /// forwarded_header.
        trusted_proxies: Networks = "",
        /// The header in which those proxies name who asked them: x-forwarded-for, forwarded, or
        /// one of their own, such as cf-connecting-ip. They must not pass on one they were sent
        /// without adding to it.
        forwarded_header: Option<HeaderName> = "",
        /// Origins besides the server's own whose pages may use it, separated by commas, such as
        /// https://app.example.org. Compared exactly: a cookie must not serve another site's page.
        allowed_origins: Origins = "",
        /// Open connections, HTTP and WebSocket together. One more is turned away at once, so that
        /// those inside stay fast. 19 in 20 may be clients' sessions; one more of those is closed with
        /// 1013, and its client comes back later.
        connections_max: u32 = "10000" in 1..=1_000_000,
        /// Connections of one person's clients, over all tabs and devices.
        connections_per_user_max: u32 = "20" in 1..=10_000,
        /// Connections of one address, or one /64 of IPv6, over which nobody has said who they are
        /// yet. People with a token are never counted by their address.
        anonymous_connections_per_address_max: u32 = "1000" in 1..=1_000_000,
        /// Connections of one address, or one /64 of IPv6, over which guests are known; and as many
        /// of their sessions over HTTP. A school is one address, and so is a proxy that
        /// trusted_proxies does not name. Anybody is as many guests as they like, so nothing but
        /// this keeps one address from taking all places.
        guest_connections_per_address_max: u32 = "2000" in 1..=1_000_000,
        /// How long a connection may take to send the head of a request, in milliseconds, and
        /// before that for the handshake of TLS; then for a body of a few fields, or the next piece
        /// of a larger one. Ends connections that send nothing or a byte at a time.
        header_timeout_ms: u32 = "5000" in 100..=60_000,
        /// How long one HTTP request may take in all, its body included, in milliseconds.
        request_timeout_ms: u32 = "15000" in 100..=600_000,
    }
    "Data" {
        /// Where documents are kept: sqlite: and a file, whose folder is created if need be;
        /// postgres://user:password@host/database, which several servers may share; or memory: to
        /// forget everything at the end. DATABASE_URL in the environment means the same.
        database: Database = "sqlite:data/concord.db",
        /// A Redis by which servers on one PostgreSQL database tell each other at once what they
        /// commit and who is there: redis://user:password@host:6379, or rediss:// with TLS. It keeps
        /// nothing; without it, or while it is away, others see everything a little later.
        redis_url: Option<RedisUrl> = "",
        /// Connections to PostgreSQL, besides the one that commits edits. They load documents and
        /// answer the API.
        database_connections: u32 = "10" in 1..=1_000,
        /// How long PostgreSQL may take over one call, in milliseconds. After that edits are kept
        /// by the clients and sent again.
        database_timeout_ms: u32 = "10000" in 100..=600_000,
        /// Operations between two snapshots of a document. Fewer make loading faster and the
        /// database larger.
        snapshot_every_revisions: u32 = "1000" in 1..=1_000_000,
        /// Whether history older than a document's newest snapshot is packed in the background:
        /// many operations to a row, compressed, with nothing lost. on or off.
        packing: Switch = "on",
        /// How many revisions must wait to be packed before they are. Fewer make the database
        /// smaller sooner and pack the same page anew more often.
        pack_revisions_min: u32 = "2000" in 1..=1_000_000,
        /// How long a document with nobody in it stays in memory, in milliseconds. Long enough for
        /// whoever had it loaded to come in.
        unload_after_ms: u32 = "60000" in 100..=86_400_000,
        /// Committed operations that a loaded document keeps encoded. A session further behind is
        /// sent one composed operation instead.
        ring_len: u32 = "1024" in 2..=1_000_000,
        /// Submissions that may wait for one document. More are answered `overloaded` and sent
        /// again by the client.
        mailbox_len: u32 = "1024" in 2..=1_000_000,
    }
    "People" {
        /// Whether people without a token may come in: each browser is a guest with a name and a
        /// colour, known by a signed cookie. on, off, or auto: as long as no key for tokens is set.
        guests: GuestPolicy = "auto",
        /// The secret by which tokens (JWT) are signed, HS256: at least 32 bytes, taken as they
        /// are. Set at most one of token_secret, token_secret_file, token_public_key_file and
        /// token_jwks_file; docs/auth.md shows how a product signs its people in.
        token_secret: Option<Secret> = "",
        /// A file with that secret. It is read again within 5 s of a change, or at SIGHUP.
        token_secret_file: Option<PathBuf> = "",
        /// A file with the public key of those who sign tokens, in PEM: RSA (2048 to 4096 bits)
        /// for RS256, Ed25519 for EdDSA. Read again as above.
        token_public_key_file: Option<PathBuf> = "",
        /// A file with a JSON Web Key Set, from which keys for RS256 and EdDSA are taken; of
        /// several each needs a kid, and tokens name it. Read again as above.
        token_jwks_file: Option<PathBuf> = "",
        /// What a token's iss must be. Needed with a key.
        token_issuer: Option<String> = "",
        /// What a token's aud must be, or list. Needed with a key.
        token_audience: Option<String> = "",
        /// How far the clocks of those who sign tokens and this server's may be apart, in seconds.
        /// A token counts until so long after its exp, and from so long before its nbf and iat.
        token_leeway_s: u32 = "2" in 0..=5,
        /// The cookie in which a browser may bring a token, set by the product on the same site.
        token_cookie: CookieName = "concord_token",
        /// Where the web app sends people who have no valid token: an address, or a path on the
        /// server's own host.
        sign_in_url: Option<SignInUrl> = "",
        /// What the link of a new document gives to who is not among its people: off, view or edit.
        /// auto: edit where a guest creates it, who has no other way to share, else off.
        link_default: LinkDefault = "auto",
        /// Who may tell topics something over a connection: all; people, which are guests too where
        /// there are no others; or none. Back ends always may. Everybody may watch within their
        /// tenant.
        topics_tell: TopicsTell = "people",
        /// Who sees figures of the whole server on the dashboard: tokens, which are those that say
        /// operator; or all. auto: tokens, and everybody on a server of one's own, which has no key
        /// for tokens, listens on this computer alone, and names no public_url and no
        /// trusted_proxies. Everybody sees figures of their own documents.
        operators: Operators = "auto",
    }
    "Limits" {
        /// One WebSocket message from a client, in bytes. A larger one closes the connection with
        /// 1009; a client splits its edits before that.
        message_bytes_max: u32 = "262144" in 1_024..=67_108_864,
        /// The same before the client has said who it is: a token fits, a flood does not.
        preauth_message_bytes_max: u32 = "8192" in 256..=67_108_864,
        /// Text inserted by one operation, in UTF-8 bytes. Keeps any one edit quick for all.
        text_bytes_max: u32 = "32768" in 1..=8_388_608,
        /// Components of one operation. Bounds the work of rebasing it.
        components_max: u32 = "1000" in 1..=1_000_000,
        /// A document's text, in UTF-8 bytes. A full document still takes deletions.
        document_bytes_max: u32 = "4194304" in 1..=268_435_456,
        /// Submissions a second that one person may make to one document, sustained. A client that
        /// is slowed down sends larger operations less often; nothing is lost.
        submissions_per_s: u32 = "100" in 1..=100_000,
        /// Submissions that may come at once before that rate binds.
        submissions_burst: u32 = "200" in 1..=1_000_000,
        /// Documents that one connection may open a second, sustained. More are answered
        /// `slow_down`, and the client tries again.
        joins_per_s: u32 = "20" in 1..=100_000,
        /// Documents that it may open at once before that rate binds: a client that comes back
        /// opens all it has.
        joins_burst: u32 = "200" in 1..=1_000_000,
        /// Messages that are neither edits nor open a document (carets, pings) that one connection
        /// may send a second, sustained. More are answered `slow_down` and have no effect.
        messages_per_s: u32 = "100" in 1..=100_000,
        /// Such messages that may come at once before that rate binds.
        messages_burst: u32 = "400" in 1..=1_000_000,
        /// Messages that one person may send, edit or delete in one chat a second, sustained. More
        /// are answered `slow_down`, and the client sends them again.
        chat_messages_per_s: u32 = "5" in 1..=100_000,
        /// Such messages that may come at once before that rate binds.
        chat_messages_burst: u32 = "20" in 1..=1_000_000,
        /// Documents and named versions that one person may create over the API a second,
        /// sustained. More are answered `slow_down` and 429.
        creates_per_s: u32 = "10" in 1..=100_000,
        /// What they may create at once before that rate binds.
        creates_burst: u32 = "200" in 1..=1_000_000,
        /// Other changes that one person may make over the API a second, sustained. More are
        /// answered `slow_down` and 429.
        writes_per_s: u32 = "50" in 1..=100_000,
        /// Such changes that may come at once before that rate binds.
        writes_burst: u32 = "500" in 1..=1_000_000,
        /// Questions about the past of documents that one person may ask a second, sustained. More
        /// are answered `slow_down` and 429.
        history_per_s: u32 = "50" in 1..=100_000,
        /// Such questions that may come at once before that rate binds.
        history_burst: u32 = "500" in 1..=1_000_000,
        /// Such questions of one person that are worked on at the same time. One more is answered
        /// `slow_down` and 429, so that nobody takes all the places there are.
        history_per_user_max: u32 = "8" in 1..=1_000,
        /// Bodies of requests that create documents with a text, as far as they have come, in bytes,
        /// over all people together; of one person two are taken at a time. More are answered
        /// `overloaded` and 503, and come again.
        uploads_bytes_max: u32 = "67108864" in 65_536..=4_294_967_295,
        /// Requests and WebSocket connections a second that one address, or one /64 of IPv6, may
        /// begin without saying who it is, sustained; a new guest is made by one. More are answered
        /// `slow_down` and 429.
        anonymous_per_s: u32 = "100" in 1..=1_000_000,
        /// Such requests that may come at once before that rate binds.
        anonymous_burst: u32 = "2000" in 1..=10_000_000,
        /// Documents and named versions that the guests of one address may create over the API a
        /// second, sustained, all together. More are answered `slow_down` and 429.
        guest_creates_per_address_per_s: u32 = "50" in 1..=1_000_000,
        /// What they may create at once before that rate binds.
        guest_creates_per_address_burst: u32 = "1000" in 1..=10_000_000,
        /// Selections and carets of one session; the engine keeps at most 16.
        ranges_max: u32 = "16" in 1..=16,
        /// Documents open over one connection.
        documents_per_connection_max: u32 = "64" in 1..=10_000,
        /// Topics watched over one connection.
        topics_per_connection_max: u32 = "64" in 1..=10_000,
        /// An event's data, in bytes of JSON.
        event_bytes_max: u32 = "8192" in 16..=65_536,
        /// Events a second that one person may tell topics, sustained, over all connections. More
        /// are answered `slow_down` and not told.
        tells_per_s: u32 = "20" in 1..=100_000,
        /// Such events that may come at once before that rate binds.
        tells_burst: u32 = "100" in 1..=1_000_000,
        /// Notifications that are kept for one person. Of more, the oldest that are read go first,
        /// then the oldest.
        notifications_per_person_max: u32 = "500" in 1..=10_000,
    }
    "Sessions" {
        /// How long a connection without a cookie or Authorization header may take to say who it
        /// is, in milliseconds; then it is closed with 4408.
        auth_deadline_ms: u32 = "5000" in 100..=600_000,
        /// How long opening a document may wait for the database, in milliseconds; then it is
        /// answered `storage_unavailable`, and the client asks again after a pause.
        join_deadline_ms: u32 = "10000" in 100..=600_000,
        /// How often the server pings, in milliseconds. Proxies cut connections that are silent
        /// for about a minute.
        heartbeat_ms: u32 = "30000" in 100..=600_000,
        /// A connection from which nothing came for this long is given up, in milliseconds.
        dead_after_ms: u32 = "45000" in 100..=3_600_000,
        /// A connection that takes no byte of what is sent for this long is closed with 4430, in
        /// milliseconds. It costs the server one frame until then.
        slow_after_ms: u32 = "30000" in 100..=3_600_000,
        /// Where a network breaks WebSockets, a session goes over HTTP requests. How long it waits for
        /// its client to receive again after a stream was cut, in milliseconds; then it ends, and
        /// the client comes back with a new one.
        resume_ms: u32 = "15000" in 100..=600_000,
        /// What one frame of operations is filled to, in bytes, so that a far-behind reader on a
        /// thin line still sees pings in between.
        frame_bytes: u32 = "65536" in 1_024..=16_777_216,
    }
    "Web app" {
        /// Folder of the exported web app to serve. Unset: web/out if it is there, else the app
        /// built into the program, else none.
        web_dir: Option<PathBuf> = "",
    }
    "Operation" {
        /// What is logged: a level (error, warn, info, debug, trace), or a list of module=level.
        /// No level logs text of documents or tokens.
        log: String = "info",
        /// How it is logged: pretty for people, json for collectors.
        log_format: LogFormat = "pretty",
        /// How often a line tells how much goes on, in seconds: documents, people, operations, and
        /// the busiest rooms by numbers that name no document. 0 for never.
        statistics_s: u32 = "60" in 0..=86_400,
        /// Whether /metrics answers (Prometheus text). It names no person and no document. on or off.
        metrics: Switch = "on",
        /// After SIGTERM or SIGINT: how long /health/ready answers 503 while all else is served as
        /// before, in milliseconds, for load balancers that ask and take a while to notice. 0 is
        /// right where nobody asks.
        drain_ms: u32 = "0" in 0..=600_000,
        /// After that, on a database that other servers share: how long it takes to send sessions
        /// to them, in milliseconds. Each is closed with 1012 at a moment of its own, so that they
        /// do not arrive all at once; new ones are refused. A millisecond for each is plenty.
        move_ms: u32 = "1000" in 0..=600_000,
        /// After that: how long documents and connections get to finish, in milliseconds. The
        /// process ends at most 3.5 s later; a second signal ends it at once.
        shutdown_ms: u32 = "6000" in 0..=600_000,
    }
    "Advanced" {
        /// Live sessions of one document. One more is answered `overloaded`.
        sessions_per_document_max: u32 = "2000" in 1..=100_000,
        /// Submissions of one document that are not durable yet. More are answered `overloaded` and
        /// sent again by the client.
        pending_max: u32 = "2048" in 1..=1_000_000,
        /// Submissions of one document that are committed together; the rest go with the next.
        batch_len_max: u32 = "256" in 1..=10_000,
        /// The size of what ring_len counts, in bytes; beyond it the oldest go early. A loaded
        /// document costs up to this beside its text.
        ring_bytes_max: u32 = "8388608" in 1_024..=1_073_741_824,
        /// Answers that a session has not taken. One that lets more lie is closed with 4430.
        answers_max: u32 = "256" in 1..=100_000,
        /// Readers far behind whose history is read from the database at the same time, over all
        /// documents; the others wait. Each may take some megabytes.
        catch_ups_max: u32 = "8" in 1..=1_000,
        /// The text's hash is sent to all who have a document open when nothing was committed to
        /// it for this long, in milliseconds.
        check_quiet_ms: u32 = "500" in 10..=600_000,
        /// While edits keep coming, it is not sent more often than this, in milliseconds.
        check_interval_ms: u32 = "1000" in 10..=600_000,
        /// Carets and who is there are sent at once, then not more often than this, in
        /// milliseconds.
        presence_interval_ms: u32 = "50" in 0..=10_000,
        /// How long people on another server are shown in a document after that server was last
        /// heard of, in milliseconds; signs of life go out three times as often. The same on all
        /// servers.
        presence_lease_ms: u32 = "12000" in 300..=600_000,
        /// Frames with operations that one document sends in a second, to all its receivers
        /// together. Up to it, and in short bursts, everybody sees each edit at once; past it
        /// they are sent with short pauses, several operations in a frame.
        deliveries_per_s_unpaced: u32 = "20000" in 1..=100_000_000,
        /// The longest such pause, in milliseconds.
        pace_max_ms: u32 = "30" in 0..=1_000,
        /// How soon a client sends again what the database did not take, in milliseconds.
        retry_ms: u32 = "500" in 1..=60_000,
        /// How often loaded documents look where they stand while servers on one database tell each
        /// other what they commit, by redis_url, in milliseconds; all in one question. So late shows
        /// what was said and got lost.
        poll_interval_ms: u32 = "1000" in 100..=600_000,
        /// How often while they do not, or while Redis is away, in milliseconds. So late does what
        /// is written on one server show on another then.
        poll_interval_alone_ms: u32 = "250" in 50..=600_000,
        /// How long edits of a document wait until its owner, who does not have it open, is notified
        /// of them together, in milliseconds. One document makes no more than one such notification
        /// in that time.
        digest_interval_ms: u32 = "300000" in 100..=86_400_000,
        /// How often the rights of loaded documents are looked at, in one question, in
        /// milliseconds. So late at most hears somebody of a change that was made elsewhere.
        rights_interval_ms: u32 = "2000" in 10..=5_000,
        /// How long people stay in their documents while the database does not say what they may
        /// do, in milliseconds; then they have to be let in anew. Nothing can be committed
        /// meanwhile, and nobody new comes in.
        rights_grace_ms: u32 = "60000" in 1_000..=3_600_000,
    }
}

impl Default for Config {
    fn default() -> Self {
        Config::from_sources(&Sources::default()).expect("the defaults are tested")
    }
}
