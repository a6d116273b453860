//! Appends that are written in one transaction: what one of them comes to is nothing to the others.

use collab_server::{Append, AppendOutcome, Store};
use futures_util::FutureExt;
use futures_util::future::join_all;
use ot_core::Revision;

use super::super::support::{
    DOCUMENT, Database, Pen, Sqlite, client, is_conflict, is_done, text_of,
};
use super::DocumentId;

/// What appends come to that are asked for while the file is locked: they wait together, but for those that the writer
/// took before the last was asked for.
async fn outcomes(database: &Sqlite, appends: Vec<Append>) -> Vec<AppendOutcome> {
    let mut other = database.beside().await;
    sqlx::raw_sql("begin immediate").execute(&mut other).await.expect("locks");
    let mut asked: Vec<_> =
        appends.into_iter().map(|append| database.store.append(append)).collect();
    for outcome in &mut asked {
        assert!(outcome.now_or_never().is_none(), "it waits for the lock");
    }
    sqlx::raw_sql("rollback").execute(&mut other).await.expect("unlocks");
    join_all(asked).await
}

/// An append of `text` by a client of its own, `seq` its number.
fn one(pen: &mut Pen, number: u128, seq: u64, text: &str) -> Append {
    let base = pen.head;
    let operation = pen.write(client(number), seq, 1, text);
    pen.append(base, vec![operation])
}

async fn pens(database: &Sqlite, count: u128) -> Vec<Pen> {
    let mut pens = Vec::new();
    for number in 1..=count {
        pens.push(Pen::create(&database.store, DocumentId::new(number)).await);
    }
    pens
}

async fn texts(database: &Sqlite, pens: &[Pen]) -> Vec<String> {
    let mut texts = Vec::new();
    for pen in pens {
        texts.push(text_of(&database.store.load(pen.document).await.expect("loads")));
    }
    texts
}

#[tokio::test]
async fn a_document_may_be_twice_in_a_group_and_the_second_follows_the_first() {
    let database = Sqlite::create().await;
    let mut pens = pens(&database, 2).await;
    let mut appends = Vec::new();
    for text in ["a", "b", "c"] {
        for (number, pen) in (1..).zip(&mut pens) {
            appends.push(one(pen, number, pen.head.get() + 1, text));
        }
    }
    let found = outcomes(&database, appends).await;
    assert!(found.iter().all(is_done), "{found:?}");
    assert_eq!(texts(&database, &pens).await, ["abc", "abc"]);
    database.remove().await;
}

#[tokio::test]
async fn losers_of_every_kind_leave_the_others_of_a_group_alone() {
    let database = Sqlite::create().await;
    let mut pens = pens(&database, 4).await;
    pens[3].commit(&database.store, client(9), 1, "z").await;
    // The head of the last says 1 while its log has 2.
    database
        .execute(
            "insert into operation select document_id, 2, client_id, 2, author_id, time_ms, body, \
             chain from operation",
        )
        .await;
    let [first, second, third, last] = &mut pens[..] else { panic!("four pens") };
    let mut appends = vec![one(first, 1, 1, "a"), one(second, 1, 1, "b")];
    // At the head, where another has come before it; and what was made on that.
    let mut late = third.clone();
    appends.push(one(third, 1, 1, "c"));
    appends.extend([one(&mut late, 2, 1, "x"), one(&mut late, 2, 2, "y")]);
    // By a number that its client has used, behind a row of its own.
    let mut again = first.clone();
    let operations = vec![again.write(client(2), 1, 1, "x"), again.write(client(1), 1, 1, "y")];
    appends.push(again.append(Revision::new(1), operations));
    // By a row that is there.
    let mut broken = last.clone();
    appends.push(one(&mut broken, 8, 1, "x"));
    appends.push(one(second, 1, 2, "b"));
    appends.push(one(first, 1, 2, "a"));
    let found = outcomes(&database, appends).await;
    let lost: Vec<usize> = (0..found.len()).filter(|index| is_conflict(&found[*index])).collect();
    assert_eq!(lost, [3, 4, 5, 6], "{found:?}");
    assert_eq!(found.iter().filter(|outcome| is_done(outcome)).count(), 5, "{found:?}");
    assert_eq!(texts(&database, &pens[..3]).await, ["aa", "bb", "c"]);
    let record = database.store.document(pens[3].document).await.expect("reads");
    assert_eq!(record.revision, Revision::new(1), "the head did not move without its row");
    database.remove().await;
}

#[tokio::test]
async fn an_append_that_the_database_breaks_off_fails_alone() {
    let database = Sqlite::create().await;
    // Stands for a full disk: it ends the whole transaction.
    database
        .execute(
            "create trigger full before insert on operation when new.client_seq = 7 \
             begin select raise(rollback, 'no space'); end",
        )
        .await;
    let mut pens = pens(&database, 3).await;
    let mut appends: Vec<Append> = pens.iter_mut().map(|pen| one(pen, 1, 1, "a")).collect();
    let mut failing = pens[1].clone();
    appends.push(one(&mut failing, 1, 7, "x"));
    appends.extend(pens.iter_mut().map(|pen| one(pen, 1, 2, "b")));
    let found = outcomes(&database, appends).await;
    for (index, outcome) in found.iter().enumerate() {
        match index {
            3 => assert!(matches!(outcome, AppendOutcome::Failed(_)), "{outcome:?}"),
            _ => assert!(is_done(outcome), "{index}: {outcome:?}"),
        }
    }
    assert_eq!(texts(&database, &pens).await, ["ab", "ab", "ab"]);
    database.remove().await;
}

#[tokio::test]
async fn a_commit_that_fails_leaves_the_outcome_open_and_the_store_at_work() {
    let database = Sqlite::create().await;
    let mut pen = Pen::create(&database.store, DOCUMENT).await;
    // A constraint that is looked at only when all is to be committed.
    database
        .execute(
            "create table late (id integer primary key,
                 other integer references late (id) deferrable initially deferred);
             create trigger failing after insert on operation when new.client_seq = 7
                 begin insert into late (other) values (99); end",
        )
        .await;
    pen.commit(&database.store, client(1), 1, "a").await;
    let append = one(&mut pen.clone(), 1, 7, "x");
    let outcome = database.store.append(append).await;
    assert!(matches!(outcome, AppendOutcome::Unknown(_)), "{outcome:?}");
    pen.commit(&database.store, client(1), 2, "b").await;
    database.store.check().await.expect("takes other writes too");
    assert_eq!(texts(&database, &[pen]).await, ["ab"]);
    database.remove().await;
}
