//! What `deploy/` says about the program, held against the program: settings, ports, paths, and the
//! time that an end takes. A machine needs neither containers nor a cluster for this.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use collab_server::{Config, Invocation, SETTINGS, parse_command_line};
use serde_json::Value;

use crate::support::http::Request;
use crate::support::server::TestServer;

/// What an end may take beyond its settings, in milliseconds: as `Server::stop` says.
const END_MORE_MS: u64 = 5_500;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy")
}

fn read(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn yaml(name: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(&read(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Every file below the folder, with its text.
fn files(folder: &Path) -> Vec<(PathBuf, String)> {
    let entries = std::fs::read_dir(folder).expect("a folder").flatten();
    let of_entry = |path: PathBuf| match path.is_dir() {
        true => files(&path),
        false => vec![(path.clone(), std::fs::read_to_string(&path).expect("text"))],
    };
    entries.map(|entry| entry.path()).flat_map(of_entry).collect()
}

/// The words of a text that begin like this.
fn words<'a>(text: &'a str, start: &str) -> Vec<&'a str> {
    let is_of_word = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let found = text.match_indices(start).map(|(at, _)| {
        let rest = &text[at..];
        &rest[..rest.find(|c| !is_of_word(c)).unwrap_or(rest.len())]
    });
    found.collect()
}

/// The settings that a server has with these variables.
#[track_caller]
fn settings(variables: &BTreeMap<String, String>) -> Config {
    let arguments = ["collab-server".into()];
    match parse_command_line(arguments, |name| variables.get(name).cloned()) {
        Ok(Invocation::Serve(config)) => *config,
        other => panic!("{variables:?}: {other:?}"),
    }
}

/// Variables as they stand in a file, with the values that compose would put in.
fn variables(map: &Value) -> BTreeMap<String, String> {
    let entries = map.as_object().expect("a map of variables").iter();
    let value = |value: &Value| {
        let text = value.as_str().expect("a value in quotes");
        text.replace("${DATABASE_PASSWORD:?choose one}", "secret")
            .replace("${PUBLIC_URL:-http://localhost:8080}", "http://localhost:8080")
    };
    entries.map(|(name, text)| (name.clone(), value(text))).collect()
}

fn end_max_ms(config: &Config) -> u64 {
    u64::from(config.drain_ms)
        + u64::from(config.move_ms)
        + u64::from(config.shutdown_ms)
        + END_MORE_MS
}

/// `20s` in milliseconds.
fn seconds_ms(text: &str) -> u64 {
    text.strip_suffix('s').and_then(|s| s.parse::<u64>().ok()).expect("seconds") * 1_000
}

/// The variables that the image sets.
fn image() -> BTreeMap<String, String> {
    let dockerfile = read("Dockerfile");
    let lines = dockerfile.lines().map(|line| line.trim_start_matches("ENV ").trim());
    let pairs = lines.filter_map(|line| line.trim_end_matches(" \\").split_once('='));
    let ours = pairs.filter(|(name, _)| name.starts_with("CONCORD_"));
    ours.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
fn every_variable_that_is_named_is_a_setting() {
    let known: Vec<String> = SETTINGS.iter().map(|setting| setting.variable()).collect();
    let files = files(&folder());
    assert!(files.len() >= 5, "{files:?}");
    let mut named = 0;
    for (path, text) in &files {
        for word in words(text, "CONCORD_") {
            named += 1;
            assert!(known.iter().any(|name| name == word), "{}: {word}", path.display());
        }
    }
    assert!(named >= 15, "{named}");
}

#[tokio::test]
async fn the_probes_ask_for_what_is_there() {
    let server = TestServer::start().await;
    let parts = yaml("kubernetes/concord.yaml");
    let pod = &part(&parts, "Deployment")["spec"]["template"];
    let container = &pod["spec"]["containers"][0];
    for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
        let path = container[probe]["httpGet"]["path"].as_str().expect("a path");
        let answer = Request::get(path).send(server.address()).await;
        assert_eq!((answer.status, answer.text().as_str()), (200, "ok\n"), "{probe}: {path}");
    }
    let ready = container["readinessProbe"]["httpGet"]["path"].as_str();
    assert_eq!(ready, Some("/health/ready"), "the one that turns false first");
    let scraped = pod["metadata"]["annotations"]["prometheus.io/path"].as_str().expect("a path");
    assert_eq!(Request::get(scraped).send(server.address()).await.status, 200);
    server.stop().await;
}

#[track_caller]
fn part<'a>(parts: &'a [Value], kind: &str) -> &'a Value {
    parts.iter().find(|part| part["kind"] == kind).unwrap_or_else(|| panic!("no {kind}"))
}

#[test]
fn kubernetes_gives_each_server_its_settings_and_the_time_to_end() {
    let parts = yaml("kubernetes/concord.yaml");
    let secret = variables(&part(&parts, "Secret")["stringData"]);
    let deployment = &part(&parts, "Deployment")["spec"];
    let pod = &deployment["template"]["spec"];
    let container = &pod["containers"][0];
    let given = container["env"].as_array().expect("variables").iter().map(|variable| {
        let text = |field: &str| variable[field].as_str().expect("text").to_owned();
        (text("name"), text("value"))
    });
    let config = settings(&image().into_iter().chain(secret).chain(given).collect());
    assert!(config.database.is_shared());
    let port = container["ports"][0]["containerPort"].as_u64();
    assert_eq!(port, Some(config.listen.port().into()));
    let grace_ms = pod["terminationGracePeriodSeconds"].as_u64().expect("seconds") * 1_000;
    assert!(grace_ms > end_max_ms(&config), "{grace_ms} ms of {}", end_max_ms(&config));
    let probe = &container["readinessProbe"];
    let noticed_s = probe["periodSeconds"].as_u64().zip(probe["failureThreshold"].as_u64());
    let noticed_ms = noticed_s.map(|(period, times)| period * times * 1_000).expect("numbers");
    assert!(u64::from(config.drain_ms) >= noticed_ms, "sessions are moved when that is known");

    let labels = &deployment["template"]["metadata"]["labels"];
    assert_eq!(&deployment["selector"]["matchLabels"], labels);
    assert_eq!(&part(&parts, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"], labels);
    let service = &part(&parts, "Service")["spec"];
    assert_eq!(&service["selector"], labels);
    assert_eq!(service["ports"][0]["targetPort"], container["ports"][0]["name"]);
    assert_eq!(
        container["envFrom"][0]["secretRef"]["name"],
        part(&parts, "Secret")["metadata"]["name"]
    );
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
}

#[test]
fn compose_puts_nginx_in_front_of_every_server() {
    let compose = yaml("compose.yaml").remove(0);
    let services = compose["services"].as_object().expect("services");
    let proxy = &services["proxy"]["environment"];
    let template = read("nginx/nginx.conf.template");
    for word in words(&template, "PROXY_") {
        assert!(proxy[word].is_string(), "nginx wants {word}");
    }
    let mut servers = 0;
    for (name, service) in services.iter().filter(|(name, _)| name.starts_with("server-")) {
        servers += 1;
        let mut all = image();
        all.extend(variables(&service["environment"]));
        let config = settings(&all);
        assert!(config.database.is_shared() && config.redis_url.is_some(), "{name}");
        let address = service["networks"]["concord"]["ipv4_address"].as_str().expect("fixed");
        let upstream = format!("server {address}:{} ", config.listen.port());
        let upstreams = proxy["PROXY_SERVERS"].as_str().expect("servers");
        assert!(upstreams.contains(&upstream), "{upstreams} lacks {name}");
        let grace_ms = seconds_ms(service["stop_grace_period"].as_str().expect("a time"));
        assert!(grace_ms > end_max_ms(&config), "{name}: {grace_ms} ms");
        assert!(services["proxy"]["depends_on"][name].is_object(), "{name}");
    }
    assert_eq!(servers, 2);
    let published = services["proxy"]["ports"][0].as_str().and_then(|port| port.split_once(':'));
    assert_eq!(published.map(|(_, inner)| inner), proxy["PROXY_LISTEN"].as_str());
}

#[test]
fn the_image_holds_what_the_distribution_is_and_runs_as_nobody() {
    let dockerfile = read("Dockerfile");
    let dist = include_str!("../../../xtask/src/dist.rs");
    assert!(dist.contains(r#"const OUTPUT: &str = "target/dist/collab-server""#));
    assert!(dockerfile.contains("cargo xtask dist"));
    let program = "/usr/local/bin/collab-server";
    assert!(
        dockerfile.contains(&format!("COPY --from=build /src/target/dist/collab-server {program}"))
    );
    assert!(dockerfile.contains(&format!("ENTRYPOINT [\"{program}\"]")));
    let health = parse_command_line(["collab-server".into(), "health".into()], |_| None);
    assert!(matches!(health, Ok(Invocation::Health(_))), "{health:?}");
    assert!(dockerfile.contains(&format!("CMD [\"{program}\", \"health\"]")));
    assert!(dockerfile.contains("\nUSER nonroot\n"));
    let config = settings(&image());
    assert!(dockerfile.contains(&format!("\nEXPOSE {}\n", config.listen.port())));
    let manifest = include_str!("../../../Cargo.toml");
    let least = manifest.lines().find_map(|line| line.strip_prefix("rust-version = \""));
    let least: u32 = least
        .and_then(|text| text.strip_prefix("1.")?.strip_suffix('"')?.parse().ok())
        .expect("a version");
    let image = dockerfile.lines().find_map(|line| line.strip_prefix("FROM rust:1."));
    let image: u32 =
        image.and_then(|text| text.split('-').next()?.parse().ok()).expect("a version");
    assert!(image >= least, "1.{image} builds what needs 1.{least}");
}

#[test]
fn systemd_starts_the_program_shut_in_and_lets_it_end() {
    let unit = read("systemd/concord.service");
    let value = |name: &str| {
        let found = unit.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        found.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(value("ExecStart"), ["/usr/local/bin/collab-server"]);
    let variables = value("Environment");
    let pairs = variables.iter().filter_map(|pair| pair.split_once('='));
    let config =
        settings(&pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect());
    let grace_ms = seconds_ms(&value("TimeoutStopSec")[0]);
    assert!(grace_ms > end_max_ms(&config), "{grace_ms} ms of {}", end_max_ms(&config));
    let state = format!("sqlite:/var/lib/{}/", value("StateDirectory")[0]);
    assert!(variables.iter().any(|pair| pair.contains(&state)), "{variables:?}");
    for (name, expected) in [
        ("DynamicUser", "yes"),
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("PrivateTmp", "yes"),
        ("CapabilityBoundingSet", ""),
    ] {
        assert_eq!(value(name), [expected], "{name}");
    }
}

#[test]
fn the_page_for_operators_names_figures_and_long_runs_that_exist() {
    let page = include_str!("../../../docs/operations.md");
    let figures = include_str!("../../../docs/metrics.md");
    let is_of_name = |c: char| c.is_ascii_lowercase() || c == '_';
    let mut named = 0;
    for (at, _) in page.match_indices("concord_") {
        let rest = &page[at..];
        let name = &rest[..rest.find(|c| !is_of_name(c)).unwrap_or(rest.len())];
        let name = name.strip_suffix("_total").unwrap_or(name);
        // The database of the examples.
        if name != "concord_restored" {
            assert!(figures.contains(&format!("`{name}")), "{name}");
            named += 1;
        }
    }
    assert!(named >= 8, "{named}");
    let runs = include_str!("../../../xtask/src/soak.rs");
    for (at, start) in page.match_indices("cargo xtask soak ") {
        let name = page[at + start.len()..].split('`').next().expect("the name");
        assert!(runs.contains(&format!("\"{name}\"")), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_container_without_a_shell_can_ask_whether_its_server_is_ready() {
    let server = TestServer::start().await;
    let address = server.address().to_string();
    let ask = async || {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_collab-server"));
        let asked = command.args(["health", "--listen", &address]).env_clear().output();
        asked.await.expect("the program runs")
    };
    assert!(ask().await.status.success());
    server.stop().await;
    let answer = ask().await;
    assert_eq!(answer.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&answer.stderr).contains("does not answer"));
}
