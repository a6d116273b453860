//! The notation of the tests, which is what `Debug` of an operation prints: `=2 +"x" -1`.

use thiserror::Error;

use crate::operation::{Operation, OperationBuilder};

/// Where the notation could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("cannot read operation notation at {rest:?}")]
pub struct ParseError {
    /// What was left.
    pub rest: String,
}

/// Reads `=2 +"x" -1`. Texts know the escapes `\n \t \\ \" \u{hex}`.
///
/// # Errors
/// [`ParseError`] with what was left.
pub fn parse(notation: &str) -> Result<Operation, ParseError> {
    let mut builder = Operation::builder();
    let mut rest = notation.trim_start();
    while !rest.is_empty() {
        let error = || ParseError { rest: rest.to_owned() };
        let (next, behind) = step(builder, rest).ok_or_else(error)?;
        if !behind.is_empty() && !behind.starts_with(' ') {
            return Err(error());
        }
        (builder, rest) = (next, behind.trim_start());
    }
    builder.build().map_err(|_| ParseError { rest: notation.to_owned() })
}

fn step(builder: OperationBuilder, rest: &str) -> Option<(OperationBuilder, &str)> {
    let behind = rest.get(1..)?;
    match rest.as_bytes()[0] {
        b'=' => number(behind).map(|(len, behind)| (builder.retain(len), behind)),
        b'-' => number(behind).map(|(len, behind)| (builder.delete(len), behind)),
        b'+' => text(behind).map(|(text, behind)| (builder.insert(&text), behind)),
        _ => None,
    }
}

fn number(rest: &str) -> Option<(usize, &str)> {
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    Some((rest[..end].parse().ok()?, &rest[end..]))
}

fn text(rest: &str) -> Option<(String, &str)> {
    let mut chars = rest.strip_prefix('"')?.chars();
    let mut text = String::new();
    loop {
        match chars.next()? {
            '"' => return Some((text, chars.as_str())),
            '\\' => match chars.next()? {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                'u' => {
                    let (hex, behind) = chars.as_str().strip_prefix('{')?.split_once('}')?;
                    text.push(char::from_u32(u32::from_str_radix(hex, 16).ok()?)?);
                    chars = behind.chars();
                }
                plain => text.push(plain),
            },
            plain => text.push(plain),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notation_reads_back_as_printed() {
        for notation in [r#"=2 +"x" -1"#, "", r#"-3 +"\"é🦀\n\\\u{301}""#] {
            let operation = parse(notation).expect("sound");
            assert_eq!(parse(&format!("{operation:?}")), Ok(operation));
        }
        for notation in ["2", "=x", r#"+"a"#, "=1=2", "é"] {
            assert!(parse(notation).is_err(), "{notation}");
        }
    }
}
