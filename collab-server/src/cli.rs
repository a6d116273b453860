//! The command line: what to do, and the settings to do it with.

mod backup;
mod export;
mod health;
mod import;
mod log_file;
mod replay;
mod replay_trace;
mod report;
mod token;
mod tool;
mod verify;

use std::ffi::OsString;
use std::fmt::Write;
use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command};

use crate::config::{Config, ConfigError, PUBLIC_SITE, SETTINGS, Sources};

pub use self::health::health;
pub use self::import::Format as ImportFormat;
pub use self::replay_trace::{ReplayTraceArguments, replay_trace};
pub use self::token::{TokenArguments, make_token};
pub use self::tool::{
    ExportArguments, ImportArguments, ReplayArguments, ReplaySource, Tool, ToolError, Until,
    run as run_tool,
};
pub use self::verify::{VerifyOptions, verify};

/// What the program was asked to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Invocation {
    /// Serve, with these settings.
    Serve(Box<Config>),
    /// Check what is stored, in the database of these settings.
    Verify(Box<Config>, VerifyOptions),
    /// Print a file of environment variables that explains every setting.
    PrintEnvironmentSample,
    /// Check these settings and the files they name, and say that they are good.
    CheckConfig(Box<Config>),
    /// Ask the server of these settings whether it is ready.
    Health(Box<Config>),
    /// Print a token that a server of these settings takes.
    Token(Box<Config>, TokenArguments),
    /// Play a report of a browser's session. No setting matters to it.
    ReplayTrace(ReplayTraceArguments),
    /// Work on the database of these settings, and end.
    Tool(Box<Config>, Tool),
}

/// Why the command line, environment and file do not make an [`Invocation`].
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Unknown or missing arguments; also what `--help` and `--version` come back as.
    #[error(transparent)]
    Arguments(#[from] clap::Error),
    /// The settings.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// Reads the command line, then the environment through `lookup`, then the file that one of them
/// names.
///
/// # Errors
/// [`CliError`], whose text is for the person at the terminal.
pub fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<Invocation, CliError> {
    let matches = command().try_get_matches_from(arguments)?;
    let inner = matches.subcommand().map_or(&matches, |(_, inner)| inner);
    let name = matches.subcommand_name().unwrap_or("serve");
    if name == "env-sample" {
        return Ok(Invocation::PrintEnvironmentSample);
    }
    if name == "replay-trace"
        && let Some(arguments) = replay_trace::arguments(inner)
    {
        return Ok(Invocation::ReplayTrace(arguments));
    }
    let config = read_config(inner, &lookup)?;
    if let Some(tool) = tool::read(name, inner) {
        return Ok(Invocation::Tool(Box::new(config), tool));
    }
    if let Some(arguments) = (name == "token").then(|| token::arguments(inner)).flatten() {
        return Ok(Invocation::Token(Box::new(config), arguments));
    }
    Ok(match name {
        "check-config" => Invocation::CheckConfig(Box::new(config)),
        "health" => Invocation::Health(Box::new(config)),
        "verify" => Invocation::Verify(Box::new(config), verify::options(inner)),
        _ => Invocation::Serve(Box::new(config)),
    })
}

fn read_config(
    matches: &ArgMatches,
    lookup: &impl Fn(&str) -> Option<String>,
) -> Result<Config, ConfigError> {
    let mut sources = Sources::default();
    let path = matches.get_one::<PathBuf>("config").cloned();
    let path =
        path.or_else(|| lookup(CONFIG_VARIABLE).filter(|path| !path.is_empty()).map(Into::into));
    if let Some(path) = path {
        let text = std::fs::read_to_string(&path)
            .map_err(|error| ConfigError::File(format!("{}: {error}", path.display())))?;
        sources.file(&text)?;
    }
    sources.environment(lookup);
    for setting in SETTINGS {
        if let Some(value) = matches.get_one::<String>(setting.name) {
            sources.flag(setting.name, value.clone());
        }
    }
    sources.resolve()
}

const CONFIG_VARIABLE: &str = "CONCORD_CONFIG";

/// The names among `names` that look like settings of this program and are none: misspelt ones.
///
/// Variables of the project's own tools and tests begin otherwise or are named here.
pub fn unknown_variables(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let is_known = |name: &str| {
        name == CONFIG_VARIABLE || SETTINGS.iter().any(|setting| setting.variable() == name)
    };
    let is_of_tools = |name: &str| {
        ["TEST_", "BLESS", "CHROMIUM", "GALLERY", "SERVER", "WASM_"]
            .iter()
            .any(|start| name["CONCORD_".len()..].starts_with(start))
    };
    names
        .into_iter()
        .filter(|name| name.starts_with("CONCORD_") && !is_known(name) && !is_of_tools(name))
        .collect()
}

fn command() -> Command {
    Command::new("collab-server")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Concord's server: many people write one text at the same time.")
        .long_about(
            "Concord's server: many people write one text at the same time.\n\n\
             Without a subcommand it serves. A setting is given as a flag, as an environment \
             variable or in a TOML file named by --config, under its name with underscores; the \
             first of these wins.",
        )
        .subcommand(Command::new("serve").about("Serve documents and the web app (the default)"))
        .subcommand(verify::command())
        .subcommand(
            Command::new("check-config")
                .about("Check the settings and the keys, certificate and app they name, and exit"),
        )
        .subcommand(
            Command::new("env-sample").about("Print every setting as a commented environment file"),
        )
        .subcommand(health::command())
        .subcommand(token::command())
        .subcommands(tool::commands())
        .subcommand(replay_trace::command())
        .arg(
            Arg::new("config")
                .long("config")
                .global(true)
                .value_name("FILE")
                .value_parser(clap::value_parser!(PathBuf))
                .help(format!("TOML file with settings [env: {CONFIG_VARIABLE}]")),
        )
        .args(SETTINGS.iter().map(|setting| {
            let default = match setting.default {
                "" => String::new(),
                default => format!(" [default: {default}]"),
            };
            Arg::new(setting.name)
                .long(setting.flag())
                .global(true)
                .value_name("VALUE")
                .allow_hyphen_values(true)
                .help_heading(setting.section)
                .help(format!("{} [env: {}]{default}", setting.doc.trim(), setting.variable()))
        }))
}

/// Every setting as a commented environment file: what `.env.sample` holds.
#[must_use]
pub fn environment_sample() -> String {
    let mut out = String::from(
        "# Concord's settings as environment variables, each with its default. Remove a # to set one.\n\
         # `collab-server --help` explains the same settings as flags. Generated from the program's\n\
         # list of settings by `collab-server env-sample`.\n",
    );
    let mut section = "";
    for setting in SETTINGS {
        if setting.section != section {
            section = setting.section;
            write!(out, "\n## {section}\n").expect("writing to a string does not fail");
        }
        out.push('\n');
        for line in wrap(setting.doc, 96) {
            writeln!(out, "# {line}").expect("writing to a string does not fail");
        }
        writeln!(out, "#{}={}", setting.variable(), setting.default)
            .expect("writing to a string does not fail");
    }
    out.push_str(PRESET_HEAD);
    for (name, value, why) in PUBLIC_SITE {
        let setting = SETTINGS.iter().find(|setting| setting.name == *name);
        let variable = setting.expect("a preset is made of settings").variable();
        write!(out, "\n# {why}\n#{variable}={value}\n").expect("writing to a string does not fail");
    }
    out
}

/// What stands before the preset.
const PRESET_HEAD: &str = "
## Preset: a public site

# For a server that anybody may use. Remove the # of all the lines that follow; what is not named
# keeps its default. Serve it over https: by tls_cert and tls_key, or behind a proxy that
# public_url, trusted_proxies and forwarded_header name. SECURITY.md says what holds then.
";

/// Breaks a text into lines of at most `width` bytes, between words.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is always a line");
        if !line.is_empty() && line.len() + 1 + word.len() > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(arguments: &[&str]) -> Result<Invocation, CliError> {
        let arguments = ["collab-server"].iter().chain(arguments).map(OsString::from);
        parse(arguments, |_| None)
    }

    #[test]
    fn no_subcommand_means_serve() {
        for arguments in [&["--listen", "127.0.0.1:1"][..], &["serve", "--listen", "127.0.0.1:1"]] {
            match run(arguments).expect("an invocation") {
                Invocation::Serve(config) => assert_eq!(config.listen.port(), 1),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn the_help_explains_every_setting_with_its_default_and_variable() {
        let help = command().render_long_help().to_string();
        for setting in SETTINGS {
            for part in
                [format!("--{}", setting.flag()), setting.variable(), setting.default.to_owned()]
            {
                assert!(help.contains(&part), "{part}");
            }
        }
    }

    #[test]
    fn an_unknown_flag_or_file_is_an_error() {
        assert!(matches!(run(&["--listn", "x"]), Err(CliError::Arguments(_))));
        assert!(matches!(run(&["--config", "/nowhere/x"]), Err(CliError::Config(_))));
    }

    #[test]
    fn a_misspelt_variable_is_found() {
        let names = ["CONCORD_LISTN", "CONCORD_LISTEN", "CONCORD_CONFIG", "CONCORD_TEST_X", "PATH"];
        assert_eq!(unknown_variables(names.map(str::to_owned)), ["CONCORD_LISTN"]);
    }

    #[test]
    fn check_config_checks() {
        let good = run(&["check-config"]).expect("good");
        assert_eq!(good, Invocation::CheckConfig(Box::default()));
        assert!(run(&["check-config", "--heartbeat-ms", "0"]).is_err());
    }
}
