//! What a document orders, where the state alone does not show it.

use collab_protocol::{ChannelId, DocumentId, LinkAccess, SelectionRange, UserId};
use ot_core::{ClientSeq, Operation, Selection};
use tokio::sync::Notify;

use super::*;
use crate::document::catch_up::Stretch;
use crate::document::feed::Held;
use crate::document::join::Since;
use crate::presence_news::{PersonThere, Telling};
use crate::store::{ChainHash, DocumentRecord, TailPage, TextKey};

const DOCUMENT: DocumentId = DocumentId::new(0xd0c);
const CLIENT: ClientId = ClientId::new(1);

fn user() -> UserId {
    "g_1".parse().expect("an id")
}

fn key() -> TextKey {
    TextKey::from_bytes([3; 32])
}

/// An empty document.
fn core(sharing: Sharing) -> Core {
    core_at(Revision::ZERO, "", sharing)
}

/// A document of which a snapshot at this revision is all that is in memory.
fn core_at(revision: Revision, text: &str, sharing: Sharing) -> Core {
    let record = DocumentRecord {
        id: DOCUMENT,
        title: String::new(),
        tenant: collab_protocol::TenantId::default(),
        owner: user(),
        link: LinkAccess::Edit,
        rights_version: 0,
        epoch: Epoch::new(7),
        text_key: key(),
        revision,
        chain: ChainHash::START,
        len_chars: text.chars().count() as u64,
        created_ms: 0,
        updated_ms: 0,
        deleted_ms: None,
    };
    let rights = Rights::new(record.tenant.clone(), user(), LinkAccess::Edit);
    let snapshot = Snapshot { revision, text: text.into(), chain: ChainHash::START, time_ms: 0 };
    let snapshot = (revision > Revision::ZERO).then_some(snapshot);
    let loaded = Loaded { record, rights, snapshot, tail: Vec::new(), authors: Vec::new() };
    Core::new(loaded, Arc::new(DocumentConfig::default()), sharing).expect("it fits")
}

fn turn(core: &mut Core) -> Vec<Order> {
    core.turn(Duration::ZERO, 1_000)
}

fn join(core: &mut Core, client: ClientId) -> Box<Admission> {
    join_since(core, client, None)
}

fn join_since(core: &mut Core, client: ClientId, since: Option<Since>) -> Box<Admission> {
    let request = JoinRequest {
        participant: Participant { user: user(), name: String::new(), color: 0 },
        visitor: user().into(),
        rights_version: 0,
        client,
        channel: ChannelId(1),
        since,
        wake: Arc::new(Notify::new()),
    };
    core.ask_to_join(request).expect("there is room");
    turn(core);
    core.read(ReadDone::Progress { client, result: Ok(None) });
    let admitted = turn(core).into_iter().find_map(|order| match order {
        Order::Admit(admission) => Some(admission),
        _ => None,
    });
    admitted.expect("it is let in")
}

/// The first submission of `CLIENT`, as it is appended.
fn append(core: &mut Core) -> Append {
    let session = join(core, CLIENT).session;
    let operation = Operation::splice(0, 0, 0, "x").expect("fits");
    let submission = Submission::new(ClientSeq::new(1), Revision::ZERO, operation, None);
    core.submit(session, CLIENT, user().into(), submission);
    let append = turn(core).into_iter().find_map(|order| match order {
        Order::Append { append, .. } => Some(append),
        _ => None,
    });
    append.expect("it is appended")
}

/// The append as the log holds it, committed at `time_ms`.
fn logged(append: &Append, time_ms: i64) -> LoggedOperation {
    let mut logged = append.logged().next().expect("at least one");
    logged.time_ms = time_ms;
    logged.chain = logged.expected_chain(DOCUMENT, &key(), ChainHash::START);
    logged
}

/// What is published after an append whose outcome is `outcome` and a look at the log, which holds
/// it as committed at `time_ms`.
fn published(outcome: Outcome, time_ms: i64) -> Vec<LoggedOperation> {
    let mut core = core(Sharing::Told(HostId::new(1)));
    let append = append(&mut core);
    core.appended(1, outcome);
    turn(&mut core);
    let operations = vec![logged(&append, time_ms)];
    let page =
        TailPage { operations, head: Revision::new(1), is_deleted: false, rights_version: 0 };
    core.read(ReadDone::Tail(Ok(Look { page, rights: None })));
    told(turn(&mut core))
}

/// What these orders tell other servers.
fn told(orders: Vec<Order>) -> Vec<LoggedOperation> {
    let told = orders.into_iter().filter_map(|order| match order {
        Order::Publish(operations) => Some(operations),
        _ => None,
    });
    told.flatten().collect()
}

/// All that a document holds for a session.
fn pulled(core: &Core, session: &mut Admission) -> String {
    let mut frames = String::new();
    while let Ok(Held::Pulled(pulled)) = session.reader.step(core.room(), 4_096, 0) {
        frames.extend(pulled.frames.iter().map(|frame| frame.as_str()));
        if !pulled.more {
            break;
        }
    }
    frames
}

#[test]
fn others_are_told_of_a_commit_only_where_something_carries_it() {
    for (sharing, count) in
        [(Sharing::Alone, 0), (Sharing::Silent, 0), (Sharing::Told(HostId::new(1)), 1)]
    {
        let mut core = core(sharing);
        append(&mut core);
        core.appended(1, Outcome::Done);
        assert_eq!(told(turn(&mut core)).len(), count, "{sharing:?}");
    }
}

#[test]
fn what_another_server_committed_in_its_place_is_not_told_as_ones_own() {
    // Seed 4882: a client had sent the same submission to two servers. The slower one told the
    // others of it with the chain of its own append, and they took the log for damaged.
    assert_eq!(published(Outcome::Conflict, 999), []);
}

#[test]
fn an_append_of_unknown_outcome_is_told_once_it_is_found() {
    let found = published(Outcome::Unknown, 1_000);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].revision, Revision::new(1));
}

#[test]
fn a_selection_that_comes_with_the_end_of_an_append_is_carried_over_it_once() {
    // Seed 14897: the state had the operation already, the room did not yet.
    let mut core = core(Sharing::Told(HostId::new(1)));
    append(&mut core);
    let (other, mut watcher) =
        (join(&mut core, ClientId::new(2)), join(&mut core, ClientId::new(3)));
    core.appended(1, Outcome::Done);
    turn(&mut core);
    let operation = Operation::splice(1, 0, 0, "yy").expect("fits");
    let submission = Submission::new(ClientSeq::new(2), Revision::new(1), operation, None);
    core.submit(SessionNumber(1), CLIENT, user().into(), submission);
    turn(&mut core);
    core.appended(2, Outcome::Done);
    core.select(other.session, Revision::new(1), Ranges::one(Selection::new(0, 1)));
    core.turn(Duration::from_secs(10), 1_000);
    let frames = pulled(&core, &mut watcher);
    assert!(frames.contains(r#""ranges":[[2,3]]"#), "{frames}");
}

#[test]
fn a_selection_in_a_text_that_is_not_in_memory_is_asked_for_again_behind_what_lacked() {
    // Seed 10202: it was dropped, and nobody saw it until its person moved.
    let mut core = core_at(Revision::new(5), "12345", Sharing::Alone);
    let since = Since { revision: Revision::new(3), epoch: Epoch::new(7) };
    let mut late = join_since(&mut core, CLIENT, Some(since));
    core.select(late.session, since.revision, Ranges::one(Selection::caret(3)));
    turn(&mut core);
    let lacks = late.reader.step(core.room(), 4_096, 0);
    assert!(matches!(lacks, Ok(Held::Behind { .. })), "its text is read from the log first");
    let entries = vec![r#"{"op":[3,"45"],"to":5}"#.to_owned()];
    late.reader.caught_up(&Stretch { entries, revision: Revision::new(5) });
    let frames = pulled(&core, &mut late);
    assert!(frames.contains(r#""type":"error","code":"slow_down""#), "{frames}");
    assert!(frames.contains(r#""ch":1"#), "{frames}");
    core.select(late.session, Revision::new(5), Ranges::one(Selection::caret(3)));
    turn(&mut core);
    assert_eq!(pulled(&core, &mut late), "");
}

#[test]
fn who_was_hidden_behind_late_news_is_asked_for_when_those_are_over() {
    // Seed 763466: a server stood still, and then believed what had been told before it did. When that
    // was over, the person was seen no more, since the server they had come to had nothing new to tell.
    let mut core = core_at(Revision::new(5), "12345", Sharing::Told(HostId::new(1)));
    let mut watcher = join(&mut core, CLIENT);
    let mut tell = |second, (host, number), people: &[u32], gone: &[u32]| {
        let person = |session: &u32| PersonThere {
            session: SessionNumber(*session),
            client: ClientId::new(2),
            user: "g_2".parse().expect("an id"),
            name: String::new(),
            color: 3,
            change: number,
            ranges: Vec::new(),
        };
        core.heard_presence(&PresenceNews {
            host: HostId::new(host),
            number,
            telling: if number == 1 { Telling::Whole } else { Telling::Change },
            asks: false,
            revision: 5,
            people: people.iter().map(person).collect(),
            gone: gone.iter().map(|session| SessionNumber(*session)).collect(),
        });
        let orders = core.turn(Duration::from_secs(second), 1_000);
        pulled(&core, &mut watcher);
        orders.iter().any(|order| matches!(order, Order::Tell(news) if news.asks))
    };
    tell(1, (2, 1), &[], &[]);
    tell(2, (3, 1), &[], &[]);
    tell(3, (2, 2), &[9], &[]);
    assert!(!tell(4, (2, 2), &[], &[]), "everything is known");
    tell(5, (3, 2), &[4], &[]);
    assert!(tell(6, (3, 3), &[], &[4]));
}

#[test]
fn what_another_server_tells_again_is_shown_again() {
    // Seed 5854: it came out where it was thought to be, but who had edits on the way saw it
    // elsewhere.
    let mut core = core_at(Revision::new(5), "12345", Sharing::Told(HostId::new(1)));
    let mut watcher = join(&mut core, CLIENT);
    let mut tell = |number| {
        let person = PersonThere {
            session: SessionNumber(9),
            client: ClientId::new(2),
            user: "g_2".parse().expect("an id"),
            name: String::new(),
            color: 3,
            change: number,
            ranges: vec![SelectionRange { anchor: 2, head: 2 }],
        };
        core.heard_presence(&PresenceNews {
            host: HostId::new(2),
            number,
            telling: Telling::Change,
            asks: false,
            revision: 5,
            people: vec![person],
            gone: Vec::new(),
        });
        core.turn(Duration::from_secs(number), 1_000);
        pulled(&core, &mut watcher)
    };
    for number in [1, 2] {
        let frames = tell(number);
        assert!(frames.contains(r#""ranges":[[2,2]]"#), "telling {number}: {frames}");
    }
}

#[test]
fn who_is_told_of_with_everybody_and_did_not_change_is_not_shown_anew() {
    let mut core = core_at(Revision::new(5), "12345", Sharing::Told(HostId::new(1)));
    let mut watcher = join(&mut core, CLIENT);
    let mut tell = |number, changes: [u64; 2]| {
        let person = |(index, change): (u128, u64)| PersonThere {
            session: SessionNumber(index as u32),
            client: ClientId::new(index),
            user: format!("g_{index}").parse().expect("an id"),
            name: String::new(),
            color: 3,
            change,
            ranges: vec![SelectionRange { anchor: change as u32, head: change as u32 }],
        };
        core.heard_presence(&PresenceNews {
            host: HostId::new(2),
            number,
            telling: Telling::Whole,
            asks: false,
            revision: 5,
            people: [11, 12].into_iter().zip(changes).map(person).collect(),
            gone: Vec::new(),
        });
        core.turn(Duration::from_secs(number), 1_000);
        let frames = pulled(&core, &mut watcher);
        ["g_11", "g_12"].map(|user| frames.contains(user))
    };
    assert_eq!(tell(1, [1, 2]), [true, true]);
    assert_eq!(tell(2, [1, 2]), [false, false]);
    assert_eq!(tell(3, [1, 4]), [false, true]);
}
