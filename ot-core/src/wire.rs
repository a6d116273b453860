//! The JSON form: `[3,"ab",-2,5]`, as ot.js has it. Positive numbers retain, negative ones delete,
//! strings insert; the order of inserts and deletes is kept.
//!
//! Written by hand so that the browser needs no JSON library. Lengths count Unicode scalar values.

use crate::error::{DecodeError, LengthOverflow};
use crate::operation::{Component, MAX_LEN, Operation, TextWriter, check_text};

/// What a decoder accepts. Checked before anything of that size is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most components, counted as written, before neighbours merge.
    pub components_max: usize,
    /// Most inserted text, in UTF-8 bytes.
    pub inserted_bytes_max: usize,
    /// Longest base and target, in characters; at most [`MAX_LEN`].
    pub len_max: usize,
}

impl Limits {
    /// No limit but the engine's own.
    pub const NONE: Limits =
        Limits { components_max: usize::MAX, inserted_bytes_max: usize::MAX, len_max: MAX_LEN };
}

impl Operation {
    /// The JSON form, without spaces.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = String::with_capacity(8 * self.component_count() + self.inserted_bytes() + 2);
        self.write_json(&mut out);
        out
    }

    /// Appends the JSON form to `out`.
    pub fn write_json(&self, out: &mut String) {
        out.push('[');
        for (index, component) in self.components().enumerate() {
            if index > 0 {
                out.push(',');
            }
            match component {
                Component::Retain(len) => write_number(len, out),
                Component::Delete(len) => {
                    out.push('-');
                    write_number(len, out);
                }
                Component::Insert(text) => write_string(text, out),
            }
        }
        out.push(']');
    }

    /// Reads the JSON form. Neighbours of one kind merge; nothing else is normalised.
    ///
    /// # Errors
    /// [`DecodeError`]: bad syntax, a number that is not an integer, an empty component, text with
    /// NUL, CR or half a surrogate pair, or more than `limits` allow.
    pub fn from_json(json: &str, limits: &Limits) -> Result<Operation, DecodeError> {
        let mut reader = Reader { bytes: json.as_bytes(), json, offset: 0 };
        let mut assembler = Assembler::new(*limits);
        reader.expect(b'[')?;
        if !reader.accept(b']') {
            loop {
                match reader.peek() {
                    Some(b'"') => assembler.insert(&reader.string(limits.inserted_bytes_max)?)?,
                    _ => assembler.number(reader.number()?)?,
                }
                if reader.accept(b']') {
                    break;
                }
                reader.expect(b',')?;
            }
        }
        reader.end()?;
        Ok(assembler.finish())
    }
}

/// Builds an operation from untrusted components within [`Limits`], with checked arithmetic.
pub(crate) struct Assembler {
    writer: TextWriter,
    limits: Limits,
    count: usize,
}

impl Assembler {
    pub(crate) fn new(limits: Limits) -> Assembler {
        Assembler { writer: TextWriter::default(), limits, count: 0 }
    }

    /// A signed length as the JSON form has it.
    pub(crate) fn number(&mut self, number: i64) -> Result<(), DecodeError> {
        let len = usize::try_from(number.unsigned_abs()).unwrap_or(usize::MAX);
        if number >= 0 { self.retain(len) } else { self.delete(len) }
    }

    pub(crate) fn retain(&mut self, len: usize) -> Result<(), DecodeError> {
        self.check(len, len, len)?;
        self.writer.retain(len);
        Ok(())
    }

    pub(crate) fn delete(&mut self, len: usize) -> Result<(), DecodeError> {
        self.check(len, len, 0)?;
        self.writer.delete(len);
        Ok(())
    }

    pub(crate) fn insert(&mut self, text: &str) -> Result<(), DecodeError> {
        let found = self.writer.text_bytes().saturating_add(text.len());
        if found > self.limits.inserted_bytes_max {
            return Err(DecodeError::TextTooLarge { found, max: self.limits.inserted_bytes_max });
        }
        check_text(text)?;
        let chars = text.chars().count();
        self.check(chars, 0, chars)?;
        self.writer.insert(text, chars);
        Ok(())
    }

    /// Components so far, neighbours merged.
    pub(crate) fn part_count(&self) -> usize {
        self.writer.part_count()
    }

    pub(crate) fn finish(self) -> Operation {
        self.writer.finish()
    }

    fn check(&mut self, own: usize, base: usize, target: usize) -> Result<(), DecodeError> {
        if own == 0 {
            return Err(DecodeError::EmptyComponent { index: self.count });
        }
        if self.count >= self.limits.components_max {
            return Err(DecodeError::TooManyComponents { max: self.limits.components_max });
        }
        self.count += 1;
        let (base_len, target_len) = self.writer.lens();
        let found = base_len.saturating_add(base).max(target_len.saturating_add(target));
        let max = self.limits.len_max.min(MAX_LEN);
        if found > max {
            return Err(LengthOverflow { found, max }.into());
        }
        Ok(())
    }
}

fn write_number(mut number: usize, out: &mut String) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    for digit in &digits[at..] {
        out.push(char::from(*digit));
    }
}

fn write_string(text: &str, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push('"');
    let mut plain_from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(&text[plain_from..at]);
        plain_from = at + 1;
        out.push('\\');
        match byte {
            b'"' | b'\\' => out.push(char::from(byte)),
            b'\n' => out.push('n'),
            b'\t' => out.push('t'),
            _ => {
                out.push_str("u00");
                out.push(char::from(HEX[usize::from(byte >> 4)]));
                out.push(char::from(HEX[usize::from(byte & 15)]));
            }
        }
    }
    out.push_str(&text[plain_from..]);
    out.push('"');
}

struct Reader<'a> {
    bytes: &'a [u8],
    json: &'a str,
    offset: usize,
}

impl Reader<'_> {
    fn malformed<T>(&self) -> Result<T, DecodeError> {
        Err(DecodeError::Malformed { offset_bytes: self.offset })
    }

    /// The next byte that is not white space.
    fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.bytes.get(self.offset) {
            self.offset += 1;
        }
        self.bytes.get(self.offset).copied()
    }

    fn accept(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.offset += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), DecodeError> {
        if self.accept(byte) { Ok(()) } else { self.malformed() }
    }

    fn end(&mut self) -> Result<(), DecodeError> {
        if self.peek().is_none() { Ok(()) } else { self.malformed() }
    }

    /// An integer in JSON's syntax: no leading zeros, no fraction, no exponent. One that does not
    /// fit is larger than every limit.
    fn number(&mut self) -> Result<i64, DecodeError> {
        let negative = self.accept(b'-');
        let start = self.offset;
        let mut value: i64 = 0;
        while let Some(digit @ b'0'..=b'9') = self.bytes.get(self.offset) {
            // Beyond every limit already: more digits change nothing.
            if value <= MAX_LEN as i64 {
                value = value * 10 + i64::from(digit - b'0');
            }
            self.offset += 1;
        }
        let digits = &self.bytes[start..self.offset];
        let fraction = matches!(self.bytes.get(self.offset), Some(b'.' | b'e' | b'E'));
        if digits.is_empty() || (digits.len() > 1 && digits[0] == b'0') || fraction {
            return self.malformed();
        }
        Ok(if negative { -value } else { value })
    }

    /// A string; the cursor is at its opening quote.
    fn string(&mut self, bytes_max: usize) -> Result<String, DecodeError> {
        self.offset += 1;
        let mut out = String::new();
        loop {
            let start = self.offset;
            while let Some(byte) = self.bytes.get(self.offset) {
                if *byte < 0x20 || *byte == b'"' || *byte == b'\\' {
                    break;
                }
                self.offset += 1;
            }
            out.push_str(&self.json[start..self.offset]);
            if out.len() > bytes_max {
                return Err(DecodeError::TextTooLarge { found: out.len(), max: bytes_max });
            }
            match self.bytes.get(self.offset) {
                Some(b'"') => {
                    self.offset += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                _ => return self.malformed(),
            }
        }
    }

    fn escape(&mut self) -> Result<char, DecodeError> {
        self.offset += 1;
        let byte = self.bytes.get(self.offset).copied();
        self.offset += 1;
        Ok(match byte {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'u') => return self.unicode_escape(),
            _ => {
                self.offset -= 1;
                return self.malformed();
            }
        })
    }

    fn unicode_escape(&mut self) -> Result<char, DecodeError> {
        let unit = self.hex4()?;
        if let Some(character) = char::from_u32(unit) {
            return Ok(character);
        }
        let followed = self.bytes.get(self.offset..self.offset + 2) == Some(b"\\u");
        if unit >= 0xDC00 || !followed {
            return Err(DecodeError::LoneSurrogate { code: unit });
        }
        self.offset += 2;
        let low = self.hex4()?;
        if !(0xDC00..0xE000).contains(&low) {
            return Err(DecodeError::LoneSurrogate { code: unit });
        }
        let code = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
        char::from_u32(code).ok_or(DecodeError::LoneSurrogate { code: unit })
    }

    fn hex4(&mut self) -> Result<u32, DecodeError> {
        let mut value = 0;
        for _ in 0..4 {
            let Some(digit) =
                self.bytes.get(self.offset).and_then(|&byte| char::from(byte).to_digit(16))
            else {
                return self.malformed();
            };
            value = value * 16 + digit;
            self.offset += 1;
        }
        Ok(value)
    }
}

#[cfg(feature = "serde")]
mod through_serde {
    use std::fmt;

    use serde::de::{Error, SeqAccess, Visitor};
    use serde::ser::SerializeSeq;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Assembler, Component, DecodeError, Limits, Operation};

    impl Serialize for Operation {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut sequence = serializer.serialize_seq(Some(self.component_count()))?;
            for component in self.components() {
                match component {
                    Component::Retain(len) => sequence.serialize_element(&len)?,
                    Component::Insert(text) => sequence.serialize_element(text)?,
                    Component::Delete(len) => sequence.serialize_element(&-(len as i64))?,
                }
            }
            sequence.end()
        }
    }

    /// Reads within the engine's own limits; a server reads with [`Operation::from_json`] instead.
    impl<'de> Deserialize<'de> for Operation {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_seq(OperationVisitor)
        }
    }

    struct OperationVisitor;

    impl<'de> Visitor<'de> for OperationVisitor {
        type Value = Operation;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array of integers and strings")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Operation, A::Error> {
            let mut assembler = Assembler::new(Limits::NONE);
            while let Some(wire) = sequence.next_element::<WireComponent>()? {
                let taken: Result<(), DecodeError> = match wire {
                    WireComponent::Number(number) => assembler.number(number),
                    WireComponent::Text(text) => assembler.insert(&text),
                };
                taken.map_err(A::Error::custom)?;
            }
            Ok(assembler.finish())
        }
    }

    enum WireComponent {
        Number(i64),
        Text(String),
    }

    impl<'de> Deserialize<'de> for WireComponent {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_any(WireComponentVisitor)
        }
    }

    struct WireComponentVisitor;

    impl Visitor<'_> for WireComponentVisitor {
        type Value = WireComponent;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an integer or a string")
        }

        fn visit_i64<E: Error>(self, number: i64) -> Result<WireComponent, E> {
            Ok(WireComponent::Number(number))
        }

        fn visit_u64<E: Error>(self, number: u64) -> Result<WireComponent, E> {
            Ok(WireComponent::Number(i64::try_from(number).unwrap_or(i64::MAX)))
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<WireComponent, E> {
            Ok(WireComponent::Text(text.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expected: Result<&str, DecodeError>) {
        let found = Operation::from_json(json, &Limits::NONE);
        match (found, expected) {
            (Ok(operation), Ok(notation)) => {
                operation.check_invariants();
                assert_eq!(format!("{operation:?}"), notation, "{json}");
                let again = Operation::from_json(&operation.to_json(), &Limits::NONE);
                assert_eq!(again.as_ref(), Ok(&operation), "{json}");
            }
            (Err(found), Err(expected)) => assert_eq!(found, expected, "{json}"),
            (found, expected) => panic!("{json}: found {found:?}, expected {expected:?}"),
        }
    }

    fn malformed(offset_bytes: usize) -> Result<&'static str, DecodeError> {
        Err(DecodeError::Malformed { offset_bytes })
    }

    #[test]
    fn json_reads_back_as_written() {
        check("[]", Ok(""));
        check(r#"[3,"ab",-2,5]"#, Ok(r#"=3 +"ab" -2 =5"#));
        check(r#" [ 3 , "ab" ] "#, Ok(r#"=3 +"ab""#));
        check(r#"["x",-2]"#, Ok(r#"+"x" -2"#));
        check(r#"[-2,"x"]"#, Ok(r#"-2 +"x""#));
        check(r#"[1,1,"a","b",-1,-1]"#, Ok(r#"=2 +"ab" -2"#));
        check(r#"["\"\\\/\b\f\n\tÀ😀é😀"]"#, Ok(r#"+"\"\\/\u{8}\u{c}\n\tÀ😀é😀""#));
    }

    #[test]
    fn numbers_at_the_edges_are_refused() {
        check("[0]", Err(DecodeError::EmptyComponent { index: 0 }));
        check("[1,-0]", Err(DecodeError::EmptyComponent { index: 1 }));
        for json in ["[1.5]", "[1e3]", "[1E3]"] {
            check(json, malformed(2));
        }
        check("[01]", malformed(3));
        check("[-]", malformed(2));
        check("[+1]", malformed(1));
        for json in ["[9007199254740993]", "[-9223372036854775808]", "[18446744073709551616]"] {
            let found = Operation::from_json(json, &Limits::NONE);
            assert!(matches!(found, Err(DecodeError::Length(_))), "{json}: {found:?}");
        }
        let sum = format!("[{MAX_LEN},\"x\",-{MAX_LEN}]");
        let found = Operation::from_json(&sum, &Limits::NONE);
        assert!(matches!(found, Err(DecodeError::Length(_))));
    }

    #[test]
    fn text_at_the_edges_is_refused() {
        check(r#"[""]"#, Err(DecodeError::EmptyComponent { index: 0 }));
        check(r#"["a\u0000"]"#, Err(DecodeError::ForbiddenCharacter { code: 0 }));
        check(r#"["a\r\n"]"#, Err(DecodeError::ForbiddenCharacter { code: 13 }));
        check(r#"["\ud83d"]"#, Err(DecodeError::LoneSurrogate { code: 0xD83D }));
        check(r#"["\ude00"]"#, Err(DecodeError::LoneSurrogate { code: 0xDE00 }));
        check(r#"["\ud83dx"]"#, Err(DecodeError::LoneSurrogate { code: 0xD83D }));
        check(r#"["\ud83d\ud83d"]"#, Err(DecodeError::LoneSurrogate { code: 0xD83D }));
        check("[\"a\nb\"]", malformed(3));
        check(r#"["\q"]"#, malformed(3));
        check(r#"["\u12"]"#, malformed(6));
    }

    #[test]
    fn other_shapes_are_malformed() {
        for json in ["", "[", "[1", "[1,", "[1,]", "[,1]", "{}", "null", "[1]]", "[[1]]", "[null]"]
        {
            let found = Operation::from_json(json, &Limits::NONE);
            assert!(matches!(found, Err(DecodeError::Malformed { .. })), "{json}: {found:?}");
        }
    }

    #[test]
    fn limits_are_told_with_both_numbers() {
        let limits = Limits { components_max: 2, inserted_bytes_max: 4, len_max: 9 };
        let read = |json| Operation::from_json(json, &limits);
        assert_eq!(read("[1,-1,1]"), Err(DecodeError::TooManyComponents { max: 2 }));
        assert_eq!(read(r#"["éééé"]"#), Err(DecodeError::TextTooLarge { found: 8, max: 4 }));
        assert_eq!(read("[10]"), Err(LengthOverflow { found: 10, max: 9 }.into()));
        assert!(read(r#"["éé",7]"#).is_ok());
    }
}
