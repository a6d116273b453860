//! Where the values of settings come from, and which one wins.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;

use super::settings::{Config, SETTINGS, Setting};
use super::value::{FromValue, without_password};

/// Where a value was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// In the file.
    File,
    /// In the environment.
    Environment,
    /// As a flag.
    Flag,
}

/// Why there is no configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A value that its setting cannot have.
    #[error("{place}: {value:?} is not {expected}")]
    Value {
        /// The flag, variable or key.
        place: String,
        /// What was given.
        value: String,
        /// What would do.
        expected: String,
    },
    /// Two settings that cannot both hold.
    #[error("{0}")]
    Contradiction(String),
    /// The file cannot be used.
    #[error("configuration file: {0}")]
    File(String),
}

/// The values that were given, as text, the strongest source for each.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    given: BTreeMap<&'static str, (Origin, String)>,
}

impl Sources {
    /// Takes a flag's value. `name` is the setting's name.
    pub fn flag(&mut self, name: &str, value: String) {
        if let Some(setting) = find(name) {
            self.put(setting.name, Origin::Flag, value);
        }
    }

    /// Takes what `lookup` finds under the settings' variables. An empty variable counts as unset,
    /// as container files write it. `DATABASE_URL`, which many hosts set, names the database unless
    /// `CONCORD_DATABASE` does.
    pub fn environment(&mut self, lookup: impl Fn(&str) -> Option<String>) {
        if let Some(url) = lookup("DATABASE_URL").filter(|url| !url.is_empty()) {
            self.put("database", Origin::Environment, url);
        }
        for setting in SETTINGS {
            if let Some(value) = lookup(&setting.variable()).filter(|value| !value.is_empty()) {
                self.put(setting.name, Origin::Environment, value);
            }
        }
    }

    /// Takes the keys of a TOML file.
    ///
    /// # Errors
    /// When it is not TOML, has a key that is no setting, or a value that is not plain.
    pub fn file(&mut self, text: &str) -> Result<(), ConfigError> {
        let table: toml::Table =
            text.parse().map_err(|error: toml::de::Error| ConfigError::File(error.to_string()))?;
        for (key, value) in table {
            let setting =
                find(&key).ok_or_else(|| ConfigError::File(format!("{key:?} is not a setting")))?;
            let value = match value {
                toml::Value::String(text) => text,
                toml::Value::Integer(number) => number.to_string(),
                toml::Value::Boolean(is_on) => if is_on { "on" } else { "off" }.to_owned(),
                toml::Value::Array(items) => join(&key, items)?,
                _ => return Err(ConfigError::File(format!("{key:?} has a value of a wrong kind"))),
            };
            self.put(setting.name, Origin::File, value);
        }
        Ok(())
    }

    /// The configuration.
    ///
    /// # Errors
    /// The first value that does not fit, or a contradiction.
    pub fn resolve(&self) -> Result<Config, ConfigError> {
        Config::from_sources(self)
    }

    fn put(&mut self, name: &'static str, origin: Origin, value: String) {
        let held = self.given.get(name).map(|(held, _)| *held);
        if held.is_none_or(|held| held <= origin) {
            self.given.insert(name, (origin, value));
        }
    }

    pub(super) fn value<T: FromValue>(
        &self,
        name: &'static str,
        default: &str,
    ) -> Result<T, ConfigError> {
        let text = self.given.get(name).map_or(default, |(_, value)| value);
        T::from_value(text).map_err(|expected| self.refuse(name, text, expected))
    }

    pub(super) fn check_range<T>(
        &self,
        name: &'static str,
        value: T,
        range: RangeInclusive<T>,
    ) -> Result<(), ConfigError>
    where
        T: PartialOrd + fmt::Display,
    {
        if range.contains(&value) {
            return Ok(());
        }
        let expected = format!("a number from {} to {}", range.start(), range.end());
        Err(self.refuse(name, &value.to_string(), expected))
    }

    fn refuse(&self, name: &'static str, value: &str, expected: String) -> ConfigError {
        let setting = find(name).expect("a setting's own name is in the list");
        let place = match self.given.get(name) {
            Some((Origin::Flag, _)) => format!("--{}", setting.flag()),
            Some((Origin::Environment, _)) => setting.variable(),
            _ => name.to_owned(),
        };
        // Only an address has what this takes away, and that may be a password.
        ConfigError::Value { place, value: without_password(value), expected }
    }
}

fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

fn join(key: &str, items: Vec<toml::Value>) -> Result<String, ConfigError> {
    let texts: Option<Vec<String>> =
        items.into_iter().map(|item| item.as_str().map(str::to_owned)).collect();
    texts
        .map(|texts| texts.join(","))
        .ok_or_else(|| ConfigError::File(format!("{key:?} must list texts")))
}
