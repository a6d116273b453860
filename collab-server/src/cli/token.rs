//! `collab-server token`: makes a token for development, as the product will.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use collab_protocol::{COLOR_COUNT, TenantId, UserId};

use crate::auth::{Minting, mint};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;

/// The longest time that a token may hold, in seconds: a year.
const TTL_S_MAX: u32 = 365 * 24 * 60 * 60;

/// Whom a token is to prove, and what it is signed by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenArguments {
    /// What it says.
    pub minting: Minting,
    /// The private key, where the server has only the public one.
    pub private_key_file: Option<PathBuf>,
}

pub(super) fn command() -> Command {
    Command::new("token")
        .about("Make a token for development, and print it")
        .long_about(
            "Make a token (JWT) that a server of the same settings takes, and print it: for trying \
             things out before the product signs its people in itself. It needs token_issuer, \
             token_audience and the key that the server has. With a secret that is all; with a \
             public key or a key set, name the private key's file.\n\n  \
             collab-server token --user ada --name \"Ada Lovelace\" --ttl 1d\n  \
             curl -H \"Authorization: Bearer $(collab-server token --user ada)\" \\\n    \
             http://127.0.0.1:8080/api/me\n\n\
             Whoever has the token is that person until it ends. docs/auth.md shows how a product \
             makes its own.",
        )
        .arg(
            Arg::new("user")
                .long("user")
                .value_name("ID")
                .required(true)
                .value_parser(|text: &str| text.parse::<UserId>())
                .help("Id of the person (sub): 1 to 64 printable ASCII characters"),
        )
        .arg(
            Arg::new("tenant")
                .long("tenant")
                .value_name("ID")
                .value_parser(|text: &str| text.parse::<TenantId>())
                .help("Tenant of the person; the default one without it"),
        )
        .arg(
            Arg::new("name")
                .long("name")
                .value_name("NAME")
                .help("Name that others see; without it the person chooses one"),
        )
        .arg(
            Arg::new("color")
                .long("color")
                .value_name("NUMBER")
                .value_parser(value_parser!(u8).range(0..i64::from(COLOR_COUNT)))
                .help("Colour that others see, 0 to 11; without it the person chooses one"),
        )
        .arg(
            Arg::new("service")
                .long("service")
                .action(ArgAction::SetTrue)
                .help("Whether it is for a back end, not a person"),
        )
        .arg(
            Arg::new("operator")
                .long("operator")
                .action(ArgAction::SetTrue)
                .help("Whether they run the server, and may see how much goes on there"),
        )
        .arg(
            Arg::new("ttl")
                .long("ttl")
                .value_name("TIME")
                .default_value("1h")
                .value_parser(read_ttl)
                .help("How long it holds: seconds, or a number with s, m, h or d, up to 365d"),
        )
        .arg(
            Arg::new("private-key-file")
                .long("private-key-file")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("Private key in PEM, where the server has only the public one"),
        )
}

/// A time such as `90`, `15m` or `7d`, in seconds.
fn read_ttl(text: &str) -> Result<u32, String> {
    let (number, unit) = match text.char_indices().next_back() {
        Some((at, 's')) => (&text[..at], 1),
        Some((at, 'm')) => (&text[..at], 60),
        Some((at, 'h')) => (&text[..at], 60 * 60),
        Some((at, 'd')) => (&text[..at], 24 * 60 * 60),
        _ => (text, 1),
    };
    let seconds = number.parse::<u32>().ok().and_then(|number| number.checked_mul(unit));
    match seconds {
        Some(seconds @ 1..=TTL_S_MAX) => Ok(seconds),
        _ => Err("a time such as 90s, 15m, 12h or 7d, up to 365d".to_owned()),
    }
}

pub(super) fn arguments(matches: &ArgMatches) -> Option<TokenArguments> {
    let minting = Minting {
        user: matches.get_one::<UserId>("user")?.clone(),
        tenant: matches.get_one::<TenantId>("tenant").cloned(),
        name: matches.get_one::<String>("name").cloned(),
        color: matches.get_one::<u8>("color").copied(),
        service: matches.get_flag("service"),
        operator: matches.get_flag("operator"),
        ttl_s: *matches.get_one::<u32>("ttl")?,
    };
    let private_key_file = matches.get_one::<PathBuf>("private-key-file").cloned();
    Some(TokenArguments { minting, private_key_file })
}

/// Makes the token.
///
/// # Errors
/// When the settings name no key, or the server would refuse the token.
pub fn make_token(config: &Config, arguments: &TokenArguments) -> anyhow::Result<String> {
    let read = |file: &PathBuf| {
        std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))
    };
    let private_key = arguments.private_key_file.as_ref().map(read).transpose()?;
    Ok(mint(config, &arguments.minting, private_key.as_deref(), SystemClock.now_ms())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_with_a_unit() {
        assert_eq!(read_ttl("90"), Ok(90));
        assert_eq!(read_ttl("15m"), Ok(900));
        assert_eq!(read_ttl("365d"), Ok(TTL_S_MAX));
        for text in ["", "0", "-1h", "h", "366d", "1w", "1.5h", "99999999999d", "1é"] {
            assert!(read_ttl(text).is_err(), "{text}");
        }
    }
}
