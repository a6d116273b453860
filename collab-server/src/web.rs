//! The exported web app, held in memory as it will be sent.
//!
//! The export is a few megabytes that never change while the server runs; reading it once makes a
//! path outside of it unreachable by construction, and compresses each file once.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Deserialize;

/// The page of a document; the id in the path is for the page's script.
const DOCUMENT_PAGE: &str = "d.html";

/// What Next.js names by content: it may be kept for ever.
const HASHED_FOLDER: &str = "_next/static/";

/// Made by the build for the server, not for browsers.
const SCRIPT_HASHES: &str = "csp.json";

/// Below this, compression saves less than its header costs.
const GZIP_BYTES_MIN: usize = 1_024;

/// Where the app came from, for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WebSource {
    Folder(PathBuf),
    #[cfg_attr(not(feature = "embed-web"), allow(dead_code))]
    Embedded,
    #[cfg_attr(feature = "embed-web", allow(dead_code))]
    None,
}

/// The app's files by path, and the policy their pages need.
pub(crate) struct WebApp {
    files: HashMap<String, File>,
    pub(crate) script_hashes: Vec<String>,
    pub(crate) source: WebSource,
}

struct File {
    content_type: &'static str,
    cache: &'static str,
    tag: HeaderValue,
    plain: Bytes,
    gzip: Option<Bytes>,
}

#[derive(Deserialize)]
struct ScriptHashes {
    script_hashes: Vec<String>,
}

impl WebApp {
    /// Loads the app from `folder`, else from `web/out`, else from the program itself.
    ///
    /// # Errors
    /// When a folder was named and cannot be read, or a file of the app cannot.
    pub(crate) fn load(folder: Option<&Path>) -> io::Result<Self> {
        let beside = Path::new("web/out");
        match folder {
            Some(folder) => Self::from_folder(folder),
            None if beside.join("index.html").is_file() => Self::from_folder(beside),
            None => Ok(Self::embedded()),
        }
    }

    fn from_folder(folder: &Path) -> io::Result<Self> {
        let mut files = Vec::new();
        read_folder(folder, "", &mut files)?;
        Self::from_files(files, WebSource::Folder(folder.to_owned()))
    }

    #[cfg(feature = "embed-web")]
    fn embedded() -> Self {
        #[derive(rust_embed::RustEmbed)]
        #[folder = "../web/out"]
        struct Export;

        let files = Export::iter()
            .filter_map(|path| Some((path.to_string(), Export::get(&path)?.data.into_owned())))
            .collect();
        Self::from_files(files, WebSource::Embedded).expect("the build checked its own files")
    }

    #[cfg(not(feature = "embed-web"))]
    fn embedded() -> Self {
        Self::from_files(Vec::new(), WebSource::None).expect("no file cannot be damaged")
    }

    fn from_files(files: Vec<(String, Vec<u8>)>, source: WebSource) -> io::Result<Self> {
        let mut app = WebApp { files: HashMap::new(), script_hashes: Vec::new(), source };
        for (path, bytes) in files {
            if path == SCRIPT_HASHES {
                let hashes: ScriptHashes = serde_json::from_slice(&bytes)?;
                app.script_hashes = hashes.script_hashes;
            } else {
                let file = File::new(&path, bytes)?;
                app.files.insert(path, file);
            }
        }
        Ok(app)
    }

    /// The answer to a GET or HEAD of `path`.
    pub(crate) fn answer(&self, path: &str, headers: &HeaderMap) -> Response<Body> {
        if let Some(file) = self.find(path) {
            return file.answer(StatusCode::OK, headers);
        }
        match self.files.get("404.html") {
            Some(page) => page.answer(StatusCode::NOT_FOUND, headers),
            None => plain(StatusCode::NOT_FOUND, self.missing_text()),
        }
    }

    fn missing_text(&self) -> &'static str {
        match self.source {
            WebSource::None => {
                "There is no web app here: this server was started without one.\n\
                 Build it with `cargo xtask run`, or name its folder with --web-dir.\n"
            }
            _ => "There is no such page.\n",
        }
    }

    fn find(&self, path: &str) -> Option<&File> {
        let path = &decoded(path.strip_prefix('/')?)?;
        if path.is_empty() {
            return self.files.get("index.html");
        }
        if let Some(id) = path.strip_prefix("d/")
            && !id.is_empty()
            && !id.contains('/')
        {
            return self.files.get(DOCUMENT_PAGE);
        }
        self.files.get(path.as_ref()).or_else(|| self.files.get(&format!("{path}.html")))
    }
}

impl File {
    fn new(path: &str, bytes: Vec<u8>) -> io::Result<Self> {
        let (content_type, is_text) = content_type(path);
        let gzip = match is_text && bytes.len() >= GZIP_BYTES_MIN {
            true => Some(compress(&bytes)?).filter(|gzip| gzip.len() < bytes.len()),
            false => None,
        };
        let tag = format!("W/\"{}\"", &blake3::hash(&bytes).to_hex()[..24]);
        Ok(File {
            content_type,
            cache: if path.starts_with(HASHED_FOLDER) {
                "public, max-age=31536000, immutable"
            } else {
                "no-cache"
            },
            tag: HeaderValue::from_str(&tag).expect("digits and quotes are a header value"),
            plain: bytes.into(),
            gzip: gzip.map(Bytes::from),
        })
    }

    fn answer(&self, status: StatusCode, asked: &HeaderMap) -> Response<Body> {
        let is_known = status == StatusCode::OK && is_listed(asked, &self.tag);
        let gzip = self.gzip.as_ref().filter(|_| accepts_gzip(asked));
        let body = match (is_known, gzip) {
            (true, _) => Body::empty(),
            (false, Some(gzip)) => Body::from(gzip.clone()),
            (false, None) => Body::from(self.plain.clone()),
        };
        let mut response = Response::new(body);
        *response.status_mut() = if is_known { StatusCode::NOT_MODIFIED } else { status };
        let headers = response.headers_mut();
        headers.insert(header::ETAG, self.tag.clone());
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(self.cache));
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if !is_known {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
            if gzip.is_some() {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
        }
        response
    }
}

/// The path with its percent escapes resolved; the build names files with brackets.
fn decoded(path: &str) -> Option<Cow<'_, str>> {
    if !path.contains('%') {
        return Some(Cow::Borrowed(path));
    }
    let mut parts = path.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn read_folder(folder: &Path, prefix: &str, files: &mut Vec<(String, Vec<u8>)>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            read_folder(&entry.path(), &format!("{path}/"), files)?;
        } else {
            files.push((path, std::fs::read(entry.path())?));
        }
    }
    Ok(())
}

fn compress(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// The type of a file, and whether it is worth compressing.
fn content_type(path: &str) -> (&'static str, bool) {
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
    match extension {
        "html" => ("text/html; charset=utf-8", true),
        "css" => ("text/css; charset=utf-8", true),
        "js" | "mjs" => ("text/javascript; charset=utf-8", true),
        "json" | "map" => ("application/json", true),
        "txt" => ("text/plain; charset=utf-8", true),
        "webmanifest" => ("application/manifest+json", true),
        "wasm" => ("application/wasm", true),
        "svg" => ("image/svg+xml", true),
        "ico" => ("image/x-icon", true),
        "png" => ("image/png", false),
        "jpg" | "jpeg" => ("image/jpeg", false),
        "webp" => ("image/webp", false),
        "woff2" => ("font/woff2", false),
        _ => ("application/octet-stream", false),
    }
}

/// Whether `If-None-Match` lists the tag.
fn is_listed(asked: &HeaderMap, tag: &HeaderValue) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let (Some(listed), Ok(tag)) = (asked.get(header::IF_NONE_MATCH), tag.to_str()) else {
        return false;
    };
    listed.to_str().is_ok_and(|listed| {
        listed.split(',').any(|listed| listed.trim() == "*" || opaque(listed) == opaque(tag))
    })
}

fn accepts_gzip(asked: &HeaderMap) -> bool {
    asked.get_all(header::ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok()).any(
        |line| {
            line.split(',').any(|part| {
                let mut pieces = part.split(';').map(str::trim);
                let is_gzip = pieces.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
                is_gzip
                    && !pieces.any(|piece| matches!(piece, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
            })
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app() -> WebApp {
        let files = [
            ("index.html", "home".to_owned()),
            ("d.html", "document".to_owned()),
            ("404.html", "missing".to_owned()),
            ("sw.js", "worker".to_owned()),
            ("_next/static/chunks/a-1.js", "x = 1;".repeat(500)),
            ("_next/static/[a] é.js", "brackets".to_owned()),
            ("csp.json", r#"{"script_hashes":["sha256-a="]}"#.to_owned()),
        ];
        let files = files.map(|(path, text)| (path.to_owned(), text.into_bytes()));
        WebApp::from_files(files.into(), WebSource::Embedded).expect("an app")
    }

    fn asking(pairs: &[(header::HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    async fn body(response: Response<Body>) -> Vec<u8> {
        axum::body::to_bytes(response.into_body(), 1 << 20).await.expect("a body").to_vec()
    }

    #[tokio::test]
    async fn a_path_finds_its_page() {
        let app = app();
        for (path, status, expected) in [
            ("/", 200, "home"),
            ("/d/00ff000000004000800000000000002a", 200, "document"),
            ("/d", 200, "document"),
            ("/d/a/b", 404, "missing"),
            ("/d/", 404, "missing"),
            ("/sw.js", 200, "worker"),
            ("/csp.json", 404, "missing"),
            ("/../Cargo.toml", 404, "missing"),
            ("/_next/static", 404, "missing"),
            ("/_next/static/%5Ba%5D%20%c3%a9.js", 200, "brackets"),
            ("/%2e%2e/Cargo.toml", 404, "missing"),
            ("/%", 404, "missing"),
            ("/%f", 404, "missing"),
            ("/%ff", 404, "missing"),
            ("/%é", 404, "missing"),
        ] {
            let response = app.answer(path, &HeaderMap::new());
            assert_eq!(response.status(), status, "{path}");
            assert_eq!(body(response).await, expected.as_bytes(), "{path}");
        }
        assert_eq!(app.script_hashes, ["sha256-a="]);
    }

    #[tokio::test]
    async fn hashed_files_are_kept_for_ever_and_pages_are_asked_for_again() {
        let app = app();
        let hashed = app.answer("/_next/static/chunks/a-1.js", &HeaderMap::new());
        assert!(
            hashed.headers()[header::CACHE_CONTROL].to_str().expect("ASCII").contains("immutable")
        );
        let page = app.answer("/", &HeaderMap::new());
        assert_eq!(page.headers()[header::CACHE_CONTROL], "no-cache");

        let mut again = HeaderMap::new();
        again.insert(header::IF_NONE_MATCH, page.headers()[header::ETAG].clone());
        let again = app.answer("/", &again);
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert!(body(again).await.is_empty());
        let other = app.answer("/", &asking(&[(header::IF_NONE_MATCH, "\"other\"")]));
        assert_eq!(other.status(), StatusCode::OK);
    }

    #[tokio::test]
    async fn compressed_only_for_those_who_take_it() {
        let app = app();
        let path = "/_next/static/chunks/a-1.js";
        let with = app.answer(path, &asking(&[(header::ACCEPT_ENCODING, "br, gzip;q=0.8")]));
        assert_eq!(with.headers()[header::CONTENT_ENCODING], "gzip");
        assert!(body(with).await.len() < 200);
        for refusing in ["identity", "gzip;q=0", "br"] {
            let without = app.answer(path, &asking(&[(header::ACCEPT_ENCODING, refusing)]));
            assert!(!without.headers().contains_key(header::CONTENT_ENCODING), "{refusing}");
            assert_eq!(body(without).await.len(), 3_000);
        }
    }

    #[tokio::test]
    async fn without_an_app_the_answer_says_what_to_do() {
        let app = WebApp::from_files(Vec::new(), WebSource::None).expect("no app");
        let response = app.answer("/", &HeaderMap::new());
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        let text = String::from_utf8(body(response).await).expect("text");
        assert!(text.contains("--web-dir"), "{text}");
    }
}
