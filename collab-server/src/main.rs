//! The program: settings in, logs out, and a server until it is told to stop.

use std::io::IsTerminal;
use std::process::ExitCode;

use anyhow::{Context, Result};
use collab_server::{CliError, Config, Invocation, LogFormat, Server, Signals, Tool};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("collab-server: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode> {
    let lookup = |name: &str| std::env::var(name).ok();
    let (config, verify) = match collab_server::parse_command_line(std::env::args_os(), lookup) {
        Ok(Invocation::Serve(config)) => (config, None),
        Ok(Invocation::Verify(config, options)) => (config, Some(options)),
        Ok(Invocation::PrintEnvironmentSample) => {
            print!("{}", collab_server::environment_sample());
            return Ok(ExitCode::SUCCESS);
        }
        Ok(Invocation::CheckConfig(config)) => {
            collab_server::check_config(&config)?;
            println!("The settings are good.");
            return Ok(ExitCode::SUCCESS);
        }
        Ok(Invocation::Health(config)) => return Ok(collab_server::health(&config)),
        Ok(Invocation::Token(config, arguments)) => {
            println!("{}", collab_server::make_token(&config, &arguments)?);
            return Ok(ExitCode::SUCCESS);
        }
        Ok(Invocation::ReplayTrace(arguments)) => {
            return Ok(collab_server::replay_trace(&arguments));
        }
        Ok(Invocation::Tool(config, tool)) => return run_tool(&config, tool),
        Err(CliError::Arguments(error)) => error.exit(),
        Err(CliError::Config(error)) => return Err(error.into()),
    };
    start_logging(&config)?;
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for name in collab_server::unknown_variables(names) {
        tracing::warn!(name, "this variable is no setting");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    match verify {
        Some(options) => Ok(runtime.block_on(collab_server::verify(&config, &options))),
        None => runtime.block_on(serve(*config)).map(|()| ExitCode::SUCCESS),
    }
}

/// Logs no more than warnings, unless asked to: the output is the command's.
fn run_tool(config: &Config, tool: Tool) -> Result<ExitCode> {
    let log =
        if config.log == Config::default().log { "warn".to_owned() } else { config.log.clone() };
    start_logging(&Config { log, ..config.clone() })?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(collab_server::run_tool(config, tool))?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(config: Config) -> Result<()> {
    let mut signals = Signals::listen().context("cannot listen for signals")?;
    let server = tokio::select! {
        server = Server::start(config) => server?,
        signal = signals.next() => {
            tracing::info!(signal, "ended before it served");
            return Ok(());
        }
    };
    let signal = signals.next().await;
    tracing::info!(signal, "stopping");
    tokio::select! {
        () = server.stop() => Ok(()),
        again = signals.next() => anyhow::bail!("ended at once by a second {again}"),
    }
}

fn start_logging(config: &Config) -> Result<()> {
    let filter = EnvFilter::try_new(&config.log)
        .with_context(|| format!("log: {:?} is not a level or a list of them", config.log))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match config.log_format {
        LogFormat::Pretty => builder.init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
    Ok(())
}
