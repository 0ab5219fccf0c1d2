//! A connection that a sale keeps through its transactions: what it leaves behind when it breaks off, and that nobody
//! waits for it in vain.

use crate::harness::{Event, Node, Person, TestApp, booking_input};
use entity::event;
use futures_util::{future::join_all, poll};
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryTrait, Statement, sea_query::Expr};
use serde_json::json;
use spotlight::infra::db::{Line, is_transient};
use std::pin::pin;

crate::scenarios![
    what_breaks_off_in_a_transaction_is_undone,
    a_transaction_after_one_that_broke_off_begins_anew,
    who_waits_for_the_connection_gets_it,
    a_commit_begins_the_next_transaction,
    what_a_commit_began_and_nobody_wants_leaves_nothing,
    what_another_process_changed_is_not_written_over,
    sales_that_are_over_need_one_connection_between_them,
    values_are_read_and_written_in_the_text,
    who_is_followed_does_not_wait_for_the_disk_and_who_is_told_does,
    nobody_else_commits_without_the_disk,
    a_disk_that_failed_is_not_trusted_again,
];

fn events(line: &Line) -> Statement {
    event::Entity::find().build(line.get_database_backend())
}

async fn begin(line: &mut Line) -> usize {
    let asked = [events(line)];
    line.begin(&asked).await.unwrap()[0].len()
}

async fn rename(db: &impl ConnectionTrait, title: &str) -> u64 {
    let rename = event::Entity::update_many().col_expr(event::Column::Title, title.into());
    rename.exec(db).await.unwrap().rows_affected
}

async fn titles(app: &TestApp) -> Vec<String> {
    let rows = event::Entity::find().all(app.app.db.reads()).await.unwrap();
    rows.into_iter().map(|row| row.title).collect()
}

/// With one connection to write by, and nobody but ourselves to end a transaction on it.
async fn narrow(app: &TestApp) -> Node {
    let node = app.node("narrow", |config| {
        config.database.max_connections = 1;
        config.database.idle_transaction_seconds = 60;
    });
    node.await
}

async fn what_breaks_off_in_a_transaction_is_undone(app: TestApp) {
    let artist = app.artist("haneul").await;
    app.event(&artist, 0, 10).await;
    let (node, before) = (narrow(&app).await, titles(&app).await);
    let mut line = node.app.db.line("test");
    assert_eq!(begin(&mut line).await, 1);
    assert_eq!(rename(&line, "another").await, 1);
    drop(line);
    // Nobody anywhere waits for its locks in vain, the next one there finds no transaction open, and nothing of it is left.
    for db in [&app.app.db, &node.app.db] {
        let other = db.begin().await.unwrap();
        assert_eq!(rename(&other, "a third").await, 1);
        other.rollback().await.unwrap();
        assert_eq!(titles(&app).await, before);
    }
    node.stop().await;
}

async fn a_transaction_after_one_that_broke_off_begins_anew(app: TestApp) {
    let artist = app.artist("haneul").await;
    app.event(&artist, 0, 10).await;
    let before = titles(&app).await;
    let mut line = app.app.db.line("test");
    begin(&mut line).await;
    rename(&line, "another").await;
    begin(&mut line).await;
    line.commit().await.unwrap();
    assert_eq!(titles(&app).await, before);
    begin(&mut line).await;
    rename(&line, "a third").await;
    line.commit().await.unwrap();
    assert_eq!(titles(&app).await, ["a third"]);
}

async fn who_waits_for_the_connection_gets_it(app: TestApp) {
    let node = narrow(&app).await;
    let mut line = node.app.db.line("test");
    begin(&mut line).await;
    line.rollback().await;
    {
        let mut other = pin!(node.app.db.begin());
        assert!(poll!(other.as_mut()).is_pending(), "there are two connections");
        line.rest().await;
        other.await.unwrap().rollback().await.unwrap();
    }
    // The line connects again.
    begin(&mut line).await;
    line.rollback().await;
    drop(line);
    node.stop().await;
}

/// Renames everything, and commits with another transaction to follow.
async fn rename_and_go_on(line: &mut Line, title: &str) {
    begin(line).await;
    rename(&*line, title).await;
    line.followed(true);
    line.commit().await.unwrap();
}

async fn a_commit_begins_the_next_transaction(app: TestApp) {
    let artist = app.artist("haneul").await;
    app.event(&artist, 0, 10).await;
    let mut line = app.app.db.line("test");
    rename_and_go_on(&mut line, "first").await;
    assert_eq!(titles(&app).await, ["first"], "committed");
    let before = app.app.db.statements();
    begin(&mut line).await;
    assert_eq!(app.app.db.statements() - before, 1, "it had begun");
    rename(&line, "second").await;
    assert_eq!(titles(&app).await, ["first"], "in a transaction");
    line.rollback().await;
    assert_eq!(titles(&app).await, ["first"]);
    rename_and_go_on(&mut line, "third").await;
    line.followed(false);
    begin(&mut line).await;
    rename(&line, "fourth").await;
    line.commit().await.unwrap();
    assert_eq!(titles(&app).await, ["fourth"]);
}

async fn what_a_commit_began_and_nobody_wants_leaves_nothing(app: TestApp) {
    let artist = app.artist("haneul").await;
    app.event(&artist, 0, 10).await;
    let node = narrow(&app).await;
    for round in 0..3 {
        let mut line = node.app.db.line("test");
        rename_and_go_on(&mut line, "followed").await;
        match round {
            0 => line.end().await,
            1 => drop(line.read(&[events(&line)]).await.unwrap()),
            _ => {}
        }
        drop(line);
        let other = node.app.db.begin().await.unwrap();
        assert_eq!(rename(&other, "another").await, 1);
        other.commit().await.unwrap();
        assert_eq!(titles(&app).await, ["another"]);
    }
    node.stop().await;
}

async fn what_another_process_changed_is_not_written_over(app: TestApp) {
    let artist = app.artist("haneul").await;
    app.event(&artist, 0, 10).await;
    if app.app.db.reads().get_database_backend() != DbBackend::Sqlite {
        // There the row's lock is asked for when it is read.
        return;
    }
    let node = narrow(&app).await;
    let mut line = app.app.db.line("test");
    rename_and_go_on(&mut line, "first").await;
    begin(&mut line).await;
    let other = node.app.db.begin().await.unwrap();
    rename(&other, "another").await;
    other.commit().await.unwrap();
    let rename_all = event::Entity::update_many().col_expr(event::Column::Title, "stale".into());
    let stale = rename_all.exec(&line).await.unwrap_err();
    assert!(is_transient(&stale), "{stale}");
    line.rollback().await;
    begin(&mut line).await;
    assert_eq!(rename(&line, "in turn").await, 1);
    line.commit().await.unwrap();
    assert_eq!(titles(&app).await, ["in turn"]);
    node.stop().await;
}

async fn sales_that_are_over_need_one_connection_between_them(app: TestApp) {
    let (artist, node) = (app.artist("haneul").await, narrow(&app).await);
    let events = [app.event(&artist, 1_000, 1).await, app.event(&artist, 2_000, 1).await];
    let fans = [app.fan("mina").await, app.fan("jun").await, app.fan("sora").await];
    for event in &events {
        app.book(&fans[0], event, 1, &event.id).await;
    }
    let document = "mutation($input: BookingStartInput!) { bookingStart(input: $input) { userErrors { code } } }";
    // After the first refusals it is looked before anything is locked, and points are read besides.
    for round in 0..3 {
        let ask = |(fan, event): (&Person, &Event)| {
            let mut input = booking_input(event, 1, &format!("{round}{}", event.id));
            input["points"] = json!(1);
            let (app, url, token) = (&app, node.url.clone(), fan.token.clone());
            async move { app.query_at(&url, Some(&token), document, json!({ "input": input })).await }
        };
        let asked = fans[1..].iter().flat_map(|fan| events.iter().map(move |event| (fan, event)));
        for answer in join_all(asked.map(ask)).await {
            let errors = &answer.body["data"]["bookingStart"]["userErrors"];
            assert_eq!(errors[0]["code"], "SOLD_OUT", "{:?}", answer.body);
        }
    }
    node.stop().await;
}

async fn values_are_read_and_written_in_the_text(app: TestApp) {
    let artist = app.artist("haneul").await;
    app.event(&artist, 0, 10).await;
    let mut line = app.app.db.line("test");
    for title in ["it's", "back\\slash", "\"quoted\" $1 ? `", "소극장 🎭", "a';DELETE FROM event;--", "new\nline\ttab"]
    {
        begin(&mut line).await;
        assert_eq!(rename(&line, title).await, 1);
        line.commit().await.unwrap();
        assert_eq!(titles(&app).await, [title]);
        begin(&mut line).await;
        let read = event::Entity::find().one(&line).await.unwrap().unwrap();
        line.rollback().await;
        assert_eq!(read, event::Entity::find().one(app.app.db.reads()).await.unwrap().unwrap(), "read in the text");
    }
}

/// On SQLite, whose commits wait for the disk as they do in production.
async fn synced(app: &TestApp) -> Option<Node> {
    if app.app.db.reads().get_database_backend() != DbBackend::Sqlite {
        return None;
    }
    Some(app.node("synced", |config| config.database.sqlite_full_sync = true).await)
}

/// Renames the only event in a transaction, as a sale writes: what was prepared before, for each `kind` of text.
async fn write(line: &mut Line, kind: usize, title: &str, is_followed: bool) {
    begin(line).await;
    line.followed(is_followed);
    let mut batch = line.batch(1);
    let rename = event::Entity::update_many().col_expr(event::Column::Title, title.into());
    let rename = rename.filter(Expr::cust(format!("{kind} = {kind}")));
    batch.write(rename.build(line.get_database_backend()), 1).unwrap();
    line.commit_with(batch).await.unwrap();
}

async fn who_is_followed_does_not_wait_for_the_disk_and_who_is_told_does(app: TestApp) {
    let artist = app.artist("haneul").await;
    app.event(&artist, 0, 10).await;
    let Some(node) = synced(&app).await else { return };
    let (db, mut line) = (&node.app.db, node.app.db.line("test"));
    for round in 0..3 {
        write(&mut line, 0, "the first waits, because nobody knew who would come", true).await;
        assert!(db.on_disk().is_none(), "{round}");
        for title in ["the second does not", "nor does the third"] {
            write(&mut line, 0, title, true).await;
            db.on_disk().expect("it is on its way").reached().await.unwrap();
            assert!(db.on_disk().is_none(), "{round}");
        }
        write(&mut line, 0, "nor the last", false).await;
        db.on_disk().expect("it is on its way").reached().await.unwrap();
        write(&mut line, 0, "but the next", false).await;
        assert!(db.on_disk().is_none(), "{round}");
    }
    drop(line);
    node.stop().await;
}

async fn nobody_else_commits_without_the_disk(app: TestApp) {
    let artist = app.artist("haneul").await;
    app.event(&artist, 0, 10).await;
    let Some(node) = synced(&app).await else { return };
    for round in 0..12 {
        let mut line = node.app.db.line("test");
        // One kind of text is new each time, and the other one is known.
        write(&mut line, round, "followed", true).await;
        write(&mut line, 0, "followed, too", true).await;
        match round % 4 {
            0 => line.end().await,
            1 => write(&mut line, 0, "the last", false).await,
            2 => {
                begin(&mut line).await;
                line.rollback().await;
            }
            _ => {}
        }
        drop(line);
        let other = node.app.db.begin().await.unwrap();
        assert_eq!(synchronous(&other).await, FULL, "{round}");
        other.rollback().await.unwrap();
    }
    node.stop().await;
}

const NORMAL: i64 = 1;
const FULL: i64 = 2;

async fn synchronous(db: &impl ConnectionTrait) -> i64 {
    let sql = Statement::from_string(DbBackend::Sqlite, "PRAGMA synchronous");
    db.query_one_raw(sql).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

async fn a_disk_that_failed_is_not_trusted_again(app: TestApp) {
    let artist = app.artist("haneul").await;
    app.event(&artist, 0, 10).await;
    let Some(node) = synced(&app).await else { return };
    let (db, mut line) = (&node.app.db, node.app.db.line("test"));
    write(&mut line, 0, "waits", true).await;
    begin(&mut line).await;
    assert_eq!(synchronous(&line).await, NORMAL);
    line.commit().await.unwrap();
    // The next sync finds nothing where the database was.
    let sql = Statement::from_string(DbBackend::Sqlite, "SELECT file FROM pragma_database_list WHERE name = 'main'");
    let file: String = db.reads().query_one_raw(sql).await.unwrap().unwrap().try_get_by_index(0).unwrap();
    for end in ["", "-wal"] {
        std::fs::rename(format!("{file}{end}"), format!("{file}{end}.away")).unwrap();
    }
    db.on_disk().expect("it is on its way").reached().await.unwrap_err();
    for end in ["", "-wal"] {
        std::fs::rename(format!("{file}{end}.away"), format!("{file}{end}")).unwrap();
    }
    for title in ["the last that went on", "one that waits", "another"] {
        write(&mut line, 0, title, true).await;
        db.on_disk().expect("for ever").reached().await.unwrap_err();
    }
    begin(&mut line).await;
    assert_eq!(synchronous(&line).await, FULL);
    line.rollback().await;
    drop(line);
    node.stop().await;
}
