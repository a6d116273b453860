//! How operations cross between the engine and JavaScript, and how they are stored: components
//! apart by NUL, which no document contains. `3` keeps, `-2` deletes, `"text` inserts.
//!
//! The protocol's JSON is read and written outside, where the browser does it for nothing. Lengths
//! count Unicode scalar values.

use ot_core::{Component, MAX_LEN, Operation};

/// Stands between two fields.
pub(crate) const END: char = '\0';

/// Appends an operation, each component behind an [`END`].
pub(crate) fn push_operation(operation: &Operation, out: &mut String) {
    for component in operation.components() {
        out.push(END);
        match component {
            Component::Retain(len) => push_number(len as u64, out),
            Component::Delete(len) => {
                out.push('-');
                push_number(len as u64, out);
            }
            Component::Insert(text) => {
                out.push('"');
                out.push_str(text);
            }
        }
    }
}

/// What [`push_operation`] has appended, without the first [`END`]; `None` for anything else.
pub(crate) fn operation(fields: &str) -> Option<Operation> {
    let mut builder = Operation::builder();
    let mut rest = Some(fields).filter(|fields| !fields.is_empty());
    while let Some(fields) = rest {
        let mut len = 0;
        for byte in fields.bytes() {
            if byte == 0 {
                break;
            }
            len += 1;
        }
        let field = &fields[..len];
        builder = match field.as_bytes() {
            [b'"', _, ..] => builder.insert(&field[1..]),
            [b'-', digits @ ..] => builder.delete(number(digits)?),
            digits => builder.retain(number(digits)?),
        };
        rest = fields.get(len + 1..);
    }
    let operation = builder.build().ok()?;
    operation.check_text().ok()?;
    Some(operation)
}

/// A length; what would not fit an operation is none.
fn number(digits: &[u8]) -> Option<usize> {
    let mut number = 0;
    for digit in digits {
        let value = digit.wrapping_sub(b'0');
        if value > 9 || number > MAX_LEN / 10 {
            return None;
        }
        number = number * 10 + usize::from(value);
    }
    (!digits.is_empty()).then_some(number)
}

/// Appends decimal digits; the formatting machinery of the standard library weighs too much.
pub(crate) fn push_number(number: u64, out: &mut String) {
    if number >= 10 {
        push_number(number / 10, out);
    }
    out.push(char::from(b'0' + (number % 10) as u8));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `|` stands for NUL.
    fn check(fields: &str, expected: Option<&str>) {
        let found = operation(&fields.replace('|', "\0"));
        assert_eq!(found.as_ref().map(|op| format!("{op:?}")).as_deref(), expected, "{fields:?}");
        if let Some(operation) = found {
            operation.check_invariants();
            let mut out = String::new();
            push_operation(&operation, &mut out);
            assert_eq!(super::operation(out.get(1..).unwrap_or_default()), Some(operation));
        }
    }

    #[test]
    fn operations_come_back_with_their_gaps() {
        check("", Some(""));
        check("3", Some("=3"));
        check("3|\"ab😀|-2|\"\"-1\n|500000000", Some("=3 +\"ab😀\" -2 +\"\\\"-1\\n\" =500000000"));
        check("-2|\"x", Some("-2 +\"x\""));
        check("\"x|-2", Some("+\"x\" -2"));
        check("1|1", Some("=2"));
    }

    #[test]
    fn anything_else_is_no_operation() {
        for fields in [
            "-", "x", "2.5", "1e9", "1 ", "--1", "1|-", "\"a| ", "|", "1||1", "1|", "\"a|", "\"",
            "null",
        ] {
            check(fields, None);
        }
        check("\"a\rb", None);
        check("2000000000", None);
        check("99999999999999999999999999", None);
        check("600000000|\"x|600000000", None);
    }
}
