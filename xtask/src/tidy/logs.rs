//! What no line of the server's log may name: a document by its id, which opens it.

use super::{Files, read};

/// Where the server is that logs; its tools answer whoever has the database.
const SERVER: &str = "collab-server/src/";
const TOOLS: &str = "collab-server/src/cli/";

/// Complaints about documents in lines of the log.
pub(super) fn check(files: &Files) -> Vec<String> {
    let is_server = |path: &&str| path.starts_with(SERVER) && !path.starts_with(TOOLS);
    let files = files.paths().filter(|path| is_server(path) && path.ends_with(".rs"));
    files.flat_map(|path| in_text(path, &read(path).unwrap_or_default())).collect()
}

fn in_text(path: &str, text: &str) -> Vec<String> {
    let lines = text.lines().enumerate().filter(|(_, line)| names_a_document(line));
    let complaint = |(index, _): (usize, &str)| {
        format!("{path}:{}: logs a document's id; log `%Shown(document)`", index + 1)
    };
    lines.map(complaint).collect()
}

/// Whether a field of a log's line is a document: `%` or `?`, and a path that ends so.
fn names_a_document(line: &str) -> bool {
    line.match_indices(['%', '?']).any(|(at, _)| {
        let path = &line[at + 1..];
        let end = path.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '.');
        let path = &path[..end.unwrap_or(path.len())];
        matches!(path.rsplit('.').next(), Some("document" | "document_id")) || path == "replica.0"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_in_a_line_of_the_log_is_found_and_what_shows_it_is_not() {
        for line in [
            r#"tracing::warn!(%document, "x");"#,
            r#"tracing::warn!(document = %shared.document, "x");"#,
            r#"tracing::warn!(document = ?self.document, "x");"#,
            r#"tracing::warn!(document = %replica.0, "x");"#,
        ] {
            assert_eq!(in_text("a.rs", line).len(), 1, "{line}");
        }
        for line in [
            r#"tracing::warn!(document = %Shown(document), "x");"#,
            "let record = store.document(id).await?;",
            "let number = seed % documents;",
        ] {
            assert_eq!(in_text("a.rs", line).len(), 0, "{line}");
        }
    }
}
