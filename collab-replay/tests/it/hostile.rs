//! Files that are no reports, or cut, or made to hurt: an error or a difference, never a panic.

use collab_replay::{Outcome, Report, ReportError, replay};
use proptest::prelude::*;

use crate::reports::bytes_of;

#[track_caller]
fn refused(bytes: &[u8]) -> ReportError {
    Report::read(bytes).expect_err("no report")
}

/// The header of `short.report` and these events.
fn with_events(events: &[&str]) -> Vec<u8> {
    let short = bytes_of("short.report");
    let header = short.split(|byte| *byte == b'\n').next().expect("a header");
    let mut bytes = header.to_vec();
    bytes.push(b'\n');
    for event in events {
        bytes.extend_from_slice(event.as_bytes());
        bytes.push(b'\n');
    }
    bytes
}

#[test]
fn what_is_no_report_is_refused_with_its_reason() {
    assert!(matches!(refused(b""), ReportError::Empty));
    assert!(matches!(refused(b"\xff\xfe"), ReportError::NoText));
    assert!(matches!(refused(b"hello"), ReportError::Header(_)));
    assert!(matches!(refused(b"{\"concord\":\"log\",\"version\":1}\n"), ReportError::Header(_)));
    let newer = refused(b"{\"concord\":\"report\",\"version\":2,\"more\":true}\n");
    assert!(matches!(newer, ReportError::Version { found: 2 }));
    let wrong = with_events(&["{\"t\":0,\"e\":\"break\"}", "{\"t\":0,\"e\":\"dance\"}"]);
    assert!(matches!(refused(&wrong), ReportError::Line { line: 3, .. }));
    let short = bytes_of("short.report");
    assert!(matches!(refused(&short[..short.len() - 1]), ReportError::CutOff { .. }));
}

#[test]
fn an_event_for_which_there_is_no_engine_is_a_difference() {
    let events = [
        "{\"t\":0,\"e\":\"edit\",\"at\":0,\"deleted\":0,\"inserted\":\"x\",\"now\":0}",
        "{\"t\":0,\"e\":\"receive\",\"to\":1}",
        "{\"t\":0,\"e\":\"undo\",\"caret\":1}",
        "{\"t\":0,\"e\":\"state\",\"why\":\"open\",\"state\":\"9:concord-1\"}",
        "{\"t\":0,\"e\":\"out\",\"frame\":\"{\\\"type\\\":\\\"submit\\\",\\\"ch\\\":1,\\\"seq\\\":1}\"}",
    ];
    for event in events {
        let report = Report::read(&with_events(&[event])).expect("a report");
        let Outcome::Diverges(divergence) = replay(&report, |_| ()) else { panic!("{event}") };
        assert_eq!(divergence.difference.kind.name(), "no_engine", "{event}");
    }
}

#[test]
fn numbers_of_any_size_are_answered() {
    let open = "{\"t\":0,\"e\":\"state\",\"why\":\"open\",\"state\":\"9:concord-21:a0;1;0;0;\"}";
    let huge = u64::MAX;
    let events = [
        format!(
            "{{\"t\":0,\"e\":\"edit\",\"at\":{huge},\"deleted\":{huge},\"inserted\":\"x\",\"now\":-9}}"
        ),
        format!(
            "{{\"t\":0,\"e\":\"diff\",\"at\":{huge},\"deleted\":{huge},\"inserted\":\"\",\"caret\":-1,\"now\":{},\"changed\":true}}",
            i64::MIN
        ),
        format!("{{\"t\":0,\"e\":\"raise\",\"seq\":{huge}}}"),
        format!(
            "{{\"t\":0,\"e\":\"freeze\",\"components\":0,\"bytes\":0,\"answer\":{}}}",
            u32::MAX
        ),
        format!("{{\"t\":0,\"e\":\"select\",\"anchor\":{},\"head\":{}}}", i64::MAX, i64::MIN),
        format!(
            "{{\"t\":0,\"e\":\"in\",\"frame\":{{\"type\":\"ops\",\"rev\":0,\"ops\":[{{\"op\":[{huge}],\"to\":{huge}}}]}}}}"
        ),
    ];
    for event in &events {
        let report = Report::read(&with_events(&[open, event.as_str()])).expect("a report");
        replay(&report, |_| ());
    }
    let jump = [
        "{\"t\":0,\"e\":\"in\",\"frame\":{\"type\":\"joined\",\"rev\":0,\"seq\":18446744073709551615}}",
        "{\"t\":0,\"e\":\"raise\",\"seq\":18446744073709551615}",
        "{\"t\":0,\"e\":\"edit\",\"at\":0,\"deleted\":0,\"inserted\":\"x\",\"now\":0}",
        "{\"t\":0,\"e\":\"freeze\",\"components\":0,\"bytes\":0,\"answer\":0}",
    ];
    let report = Report::read(&with_events(&[&[open], &jump[..]].concat())).expect("a report");
    replay(&report, |_| ());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_report_with_a_part_changed_or_missing_does_no_harm(
        name in prop::sample::select(&["short.report", "diverged.report", "paused.report"][..]),
        at in any::<prop::sample::Index>(),
        len in 0..60usize,
        instead in prop::sample::select(&["", "0", "9", "\"", "\\u0000", "😀", "{", "-", "99999999999"][..]),
    ) {
        let bytes = bytes_of(name);
        let at = at.index(bytes.len());
        let end = (at + len).min(bytes.len());
        let changed = [&bytes[..at], instead.as_bytes(), &bytes[end..]].concat();
        if let Ok(report) = Report::read(&changed) {
            let outcome = replay(&report, |_| ());
            if let Outcome::Diverges(divergence) = outcome {
                prop_assert!(!divergence.difference.found.starts_with("panicked"), "{divergence:?}");
            }
        }
    }
}
