//! Every setting of the server, in one list: what it means, its unit, its default and its bounds.
//!
//! A setting is given as a flag (`--listen`), in the environment (`CONCORD_LISTEN`) or in a TOML
//! file (`listen = "…"`); the first of these that names it wins. The help text, the file's keys and
//! `.env.sample` all come from the list below.
//!
//! Units: `_ms` milliseconds, `_s` seconds, `_bytes` bytes, `_per_s` per second; the rest are
//! counts.

mod network;
mod preset;
mod settings;
mod source;
mod value;

pub use network::Networks;
pub use preset::PUBLIC_SITE;
pub use settings::{Config, SETTINGS, Setting};
pub use source::{ConfigError, Origin, Sources};
pub use value::{
    CookieName, Database, GuestPolicy, LinkDefault, LogFormat, Operators, Origins, PostgresUrl,
    PublicUrl, RedisUrl, Secret, SignInUrl, Switch, TopicsTell,
};

use collab_protocol::WireLimits;

impl Config {
    /// What `welcome` tells a client of these settings.
    #[must_use]
    pub fn wire_limits(&self) -> WireLimits {
        WireLimits {
            message_bytes_max: self.message_bytes_max,
            text_bytes_max: self.text_bytes_max,
            components_max: self.components_max,
            document_bytes_max: self.document_bytes_max,
            submissions_per_s: self.submissions_per_s,
            submissions_burst: self.submissions_burst,
            ranges_max: self.ranges_max,
            documents_max: self.documents_per_connection_max,
            ring_len: self.ring_len,
            topics_max: self.topics_per_connection_max,
            event_bytes_max: self.event_bytes_max,
        }
    }

    /// Whether people reach the server over https: by its own TLS, or a proxy's.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.tls_cert.is_some() || self.public_url.as_ref().is_some_and(PublicUrl::is_https)
    }

    /// How many of the connections may be WebSockets: 19 in 20. The rest is for pages, the API and
    /// probes, which a server that is full must still answer.
    #[must_use]
    pub fn sockets_max(&self) -> usize {
        (self.connections_max - self.connections_max / 20) as usize
    }

    /// The settings that name a key for tokens; one at most in a configuration.
    fn token_keys(&self) -> Vec<&'static str> {
        let given = [
            ("token_secret", self.token_secret.is_some()),
            ("token_secret_file", self.token_secret_file.is_some()),
            ("token_public_key_file", self.token_public_key_file.is_some()),
            ("token_jwks_file", self.token_jwks_file.is_some()),
        ];
        given.into_iter().filter_map(|(name, is_given)| is_given.then_some(name)).collect()
    }

    /// Whether anybody can come with a token.
    #[must_use]
    pub fn has_token_key(&self) -> bool {
        !self.token_keys().is_empty()
    }

    /// Whether it is a server of one's own, which nobody reaches from elsewhere.
    #[must_use]
    pub fn is_private(&self) -> bool {
        let is_fronted = self.public_url.is_some() || self.trusted_proxies != Networks::default();
        !self.has_token_key() && !is_fronted && self.listen.ip().is_loopback()
    }

    /// Whether somebody without a token may come in, as a guest.
    #[must_use]
    pub fn guests_allowed(&self) -> bool {
        match self.guests {
            GuestPolicy::On => true,
            GuestPolicy::Off => false,
            GuestPolicy::Auto => self.token_keys().is_empty(),
        }
    }

    /// What an operation may be, on its way in.
    #[must_use]
    pub fn operation_limits(&self) -> ot_core::Limits {
        ot_core::Limits {
            components_max: self.components_max as usize,
            inserted_bytes_max: self.text_bytes_max as usize,
            len_max: ot_core::MAX_LEN,
        }
    }

    /// The largest message that an operation within the limits can need, in bytes: each inserted
    /// byte as a six-byte escape, each component's number and comma, and the message around it.
    fn message_bytes_needed(&self) -> u64 {
        6 * u64::from(self.text_bytes_max)
            + 12 * u64::from(self.components_max)
            + 24 * u64::from(self.ranges_max)
            + 256
    }

    /// One key for tokens, and with it whose tokens and which of them.
    fn check_tokens(&self) -> Result<(), ConfigError> {
        let keys = self.token_keys();
        let wanted = [
            ("token_issuer", self.token_issuer.is_some()),
            ("token_audience", self.token_audience.is_some()),
        ];
        let fault = match (keys.as_slice(), wanted) {
            ([], [(_, false), (_, false)]) => return Ok(()),
            ([_], [(_, true), (_, true)]) => return Ok(()),
            ([], _) => "token_issuer or token_audience is set, but no key that tokens are checked \
                        with: token_secret, token_secret_file, token_public_key_file or \
                        token_jwks_file"
                .to_owned(),
            ([key], wanted) => {
                let missing = wanted.iter().filter(|(_, is_set)| !is_set).map(|(name, _)| *name);
                let missing: Vec<&str> = missing.collect();
                format!(
                    "{key} needs {} too, so that not every token of its key counts",
                    missing.join(" and ")
                )
            }
            ([first, second, ..], _) => {
                format!("{first} and {second} are both set, but tokens have one kind of key")
            }
        };
        Err(ConfigError::Contradiction(fault))
    }

    /// Finds settings that contradict each other.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        self.check_tokens()?;
        self.check_redis()?;
        let needed = self.message_bytes_needed();
        if u64::from(self.message_bytes_max) < needed {
            return Err(ConfigError::Contradiction(format!(
                "message_bytes_max is {}, but an operation within text_bytes_max, components_max \
                 and ranges_max can need {needed} bytes",
                self.message_bytes_max
            )));
        }
        self.check_pair("tls_cert", self.tls_cert.is_some(), "tls_key", self.tls_key.is_some())?;
        let (proxies, header) = (!self.trusted_proxies.is_empty(), self.forwarded_header.is_some());
        self.check_pair("trusted_proxies", proxies, "forwarded_header", header)?;
        if self.tls_cert.is_some() && self.public_url.as_ref().is_some_and(|url| !url.is_https()) {
            return Err(ConfigError::Contradiction(
                "public_url begins with http://, but tls_cert makes the server speak https only"
                    .to_owned(),
            ));
        }
        self.check_order("dead_after_ms", self.dead_after_ms, "heartbeat_ms", self.heartbeat_ms)?;
        self.check_order(
            "message_bytes_max",
            self.message_bytes_max,
            "preauth_message_bytes_max",
            self.preauth_message_bytes_max,
        )?;
        self.check_order(
            "document_bytes_max",
            self.document_bytes_max,
            "text_bytes_max",
            self.text_bytes_max,
        )?;
        self.check_order(
            "connections_max",
            self.connections_max,
            "connections_per_user_max",
            self.connections_per_user_max,
        )
    }

    /// Redis tells servers of one database of each other; a database of one server needs none.
    fn check_redis(&self) -> Result<(), ConfigError> {
        if self.redis_url.is_some() && !matches!(self.database, Database::Postgres(_)) {
            return Err(ConfigError::Contradiction(
                "redis_url is set, but only servers on one PostgreSQL database have something to \
                 tell each other: database names another"
                    .to_owned(),
            ));
        }
        Ok(())
    }

    fn check_pair(
        &self,
        one: &str,
        has_one: bool,
        other: &str,
        has_other: bool,
    ) -> Result<(), ConfigError> {
        let (given, missing) = match (has_one, has_other) {
            (true, false) => (one, other),
            (false, true) => (other, one),
            _ => return Ok(()),
        };
        Err(ConfigError::Contradiction(format!("{given} needs {missing} beside it")))
    }

    fn check_order(
        &self,
        larger: &str,
        larger_value: u32,
        smaller: &str,
        smaller_value: u32,
    ) -> Result<(), ConfigError> {
        if larger_value >= smaller_value {
            return Ok(());
        }
        Err(ConfigError::Contradiction(format!(
            "{larger} is {larger_value}, but must be at least {smaller}, which is {smaller_value}"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let mut sources = Sources::default();
        for (name, value) in pairs {
            sources.flag(name, (*value).to_owned());
        }
        sources.resolve()
    }

    #[test]
    fn the_defaults_are_in_bounds_and_do_not_contradict_each_other() {
        let config = with(&[]).expect("defaults");
        assert_eq!(config, Config::default());
        assert_eq!(config.wire_limits(), WireLimits::default());
    }

    #[test]
    fn a_flag_wins_over_the_environment_and_that_over_the_file() {
        let resolve = |flag: Option<&str>, env: Option<&str>| {
            let mut sources = Sources::default();
            sources.file("heartbeat_ms = 1_000\nlog_format = \"json\"").expect("TOML");
            if let Some(value) = env {
                sources
                    .environment(|name| (name == "CONCORD_HEARTBEAT_MS").then(|| value.to_owned()));
            }
            if let Some(value) = flag {
                sources.flag("heartbeat_ms", value.to_owned());
            }
            sources.resolve().expect("a configuration")
        };
        assert_eq!(resolve(None, None).heartbeat_ms, 1_000);
        assert_eq!(resolve(None, Some("2000")).heartbeat_ms, 2_000);
        assert_eq!(resolve(Some("3000"), Some("2000")).heartbeat_ms, 3_000);
        assert_eq!(resolve(Some("3000"), None).log_format, LogFormat::Json);
        assert_eq!(resolve(None, Some("")).heartbeat_ms, 1_000, "an empty variable is unset");
    }

    #[track_caller]
    fn refused(pairs: &[(&str, &str)], expected: &str) {
        let message = with(pairs).expect_err("a refusal").to_string();
        assert!(message.contains(expected), "{message}");
    }

    #[test]
    fn a_refusal_names_the_setting_its_source_and_what_would_do() {
        refused(&[("listen", "8080")], "--listen");
        refused(&[("components_max", "0")], "from 1 to");
        refused(&[("components_max", "-1")], "components-max");
        // At 0 a document would go before whoever had it loaded could come in.
        refused(&[("unload_after_ms", "0")], "from 100 to");
        refused(&[("guests", "yes")], "auto, on or off");
        refused(&[("token_leeway_s", "6")], "from 0 to 5");
        refused(&[("token_cookie", "a b")], "a cookie's name");
        for url in
            ["login", "//evil.org", "/\\evil.org", "javascript:alert(1)", "https://", "https://a b"]
        {
            refused(&[("sign_in_url", url)], "an address such as");
        }
        refused(&[("allowed_origins", "example.org")], "https://");
        refused(&[("allowed_origins", "https://example.org/")], "without a path");
        refused(&[("public_url", "ftp://x")], "http");
        refused(&[("trusted_proxies", "example.org")], "10.0.0.0/8");
        refused(&[("forwarded_header", "x forwarded for")], "a header's name");
        refused(&[("database", "mysql://x")], "sqlite:");
        refused(&[("database", "sqlite:")], "postgres://");
        let mut sources = Sources::default();
        let error = sources.file("listn = \"127.0.0.1:1\"").expect_err("an unknown key");
        assert!(error.to_string().contains("listn"), "{error}");
    }

    #[test]
    fn a_database_is_named_by_its_scheme_or_by_a_file() {
        let database = |text: &str| with(&[("database", text)]).expect("a database").database;
        for file in ["sqlite:data/x.db", "sqlite://data/x.db", "data/x.db"] {
            assert_eq!(database(file), Database::Sqlite("data/x.db".into()), "{file}");
        }
        assert_eq!(database("memory:"), Database::Memory);
        for url in ["postgres://u:pw@host/db", "postgresql://u:pw@host/db?password=pw"] {
            let Database::Postgres(found) = database(url) else { panic!("{url}") };
            assert_eq!(found.secret(), url);
            let shown = format!("{found} {found:?}");
            assert!(shown.contains("host/db") && !shown.contains("pw"), "{shown}");
        }
        let error = with(&[("database", "mysql://u:pw@host/db")]).expect_err("another database");
        assert!(!error.to_string().contains("pw"), "{error}");
    }

    #[test]
    fn redis_is_named_by_its_address_and_its_password_is_not_shown() {
        let postgres = ("database", "postgres://host/db");
        let redis = |url: &str| with(&[postgres, ("redis_url", url)]).map(|found| found.redis_url);
        assert_eq!(redis("").expect("unset"), None);
        for url in ["redis://host", "redis://u:pw@host:7000/1", "rediss://:pw@host"] {
            let found = redis(url).expect("an address").expect("set");
            let shown = format!("{found} {found:?}");
            assert!(shown.contains("host") && !shown.contains("pw"), "{shown}");
        }
        for url in ["host:6379", "http://u:pw@host", "redis://", "redis://u:pw@host:port"] {
            let error = redis(url).expect_err("no address of a Redis").to_string();
            assert!(error.contains("redis://host:6379") && !error.contains("pw"), "{error}");
        }
        refused(&[("redis_url", "redis://host")], "one PostgreSQL database");
    }

    #[test]
    fn the_host_s_database_url_counts_unless_concord_has_its_own() {
        let database = |concord: Option<&str>| {
            let mut sources = Sources::default();
            sources.environment(|name| match name {
                "DATABASE_URL" => Some("host.db".to_owned()),
                "CONCORD_DATABASE" => concord.map(str::to_owned),
                _ => None,
            });
            sources.resolve().expect("a configuration").database
        };
        assert_eq!(database(None), Database::Sqlite("host.db".into()));
        assert_eq!(database(Some("own.db")), Database::Sqlite("own.db".into()));
    }

    #[test]
    fn tokens_need_one_key_and_a_secret_is_not_shown() {
        let rest = [("token_issuer", "https://example.org"), ("token_audience", "concord")];
        let secret = ("token_secret", "0123456789abcdef0123456789abcdef");
        let config = with(&[secret, rest[0], rest[1]]).expect("settings");
        assert!(!format!("{config:?}").contains("0123456789abcdef"));
        assert!(!config.guests_allowed(), "auto");
        assert!(with(&[]).expect("defaults").guests_allowed(), "auto");
        let both = with(&[secret, rest[0], rest[1], ("guests", "on")]).expect("settings");
        assert!(both.guests_allowed());
        assert!(!with(&[("guests", "off")]).expect("settings").guests_allowed());

        let jwks = ("token_jwks_file", "keys.json");
        refused(&[secret, jwks, rest[0], rest[1]], "token_secret and token_jwks_file are both set");
        refused(&[secret], "token_secret needs token_issuer and token_audience too");
        refused(&[jwks, rest[0]], "token_jwks_file needs token_audience too");
        refused(&[rest[0]], "no key that tokens are checked with");
    }

    #[test]
    fn settings_that_contradict_each_other_are_refused_with_both_numbers() {
        refused(&[("text_bytes_max", "65536")], "message_bytes_max is 262144");
        refused(&[("heartbeat_ms", "60000")], "dead_after_ms is 45000");
        refused(&[("tls_cert", "a.pem")], "tls_cert needs tls_key");
        refused(&[("tls_key", "a.pem")], "tls_key needs tls_cert");
        refused(&[("trusted_proxies", "::1")], "trusted_proxies needs forwarded_header");
        refused(&[("forwarded_header", "forwarded")], "needs trusted_proxies");
        let tls = [("tls_cert", "a"), ("tls_key", "b"), ("public_url", "http://a.org")];
        refused(&tls, "public_url begins with http://");
        refused(&[("connections_max", "10")], "connections_per_user_max");
        refused(
            &[("preauth_message_bytes_max", "1000000"), ("message_bytes_max", "300000")],
            "preauth_message_bytes_max",
        );
    }

    #[test]
    fn the_environment_sample_is_made_of_the_list() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../.env.sample");
        let expected = crate::cli::environment_sample();
        if std::env::var_os("CONCORD_BLESS").is_some() {
            std::fs::write(&path, &expected).expect("the file can be written");
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            found == expected,
            ".env.sample is stale: run `CONCORD_BLESS=1 cargo test -p collab-server --lib config`"
        );
    }
}
