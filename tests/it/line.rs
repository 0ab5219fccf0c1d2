//! A connection that a sale keeps through its transactions: what it leaves behind when it breaks off, and that nobody
//! waits for it in vain.

use crate::harness::{Node, TestApp};
use entity::event;
use futures_util::poll;
use sea_orm::{ConnectionTrait, EntityTrait, QueryTrait, sea_query::SelectStatement};
use std::pin::pin;

crate::scenarios![
    what_breaks_off_in_a_transaction_is_undone,
    a_transaction_after_one_that_broke_off_begins_anew,
    who_waits_for_the_connection_gets_it,
    values_are_read_and_written_in_the_text,
];

fn events() -> SelectStatement {
    event::Entity::find().into_query()
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
    assert_eq!(line.begin(&[events()]).await.unwrap()[0].len(), 1);
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
    line.begin(&[events()]).await.unwrap();
    rename(&line, "another").await;
    line.begin(&[events(), events()]).await.unwrap();
    line.commit().await.unwrap();
    assert_eq!(titles(&app).await, before);
    line.begin(&[]).await.unwrap();
    rename(&line, "a third").await;
    line.commit().await.unwrap();
    assert_eq!(titles(&app).await, ["a third"]);
}

async fn who_waits_for_the_connection_gets_it(app: TestApp) {
    let node = narrow(&app).await;
    let mut line = node.app.db.line("test");
    line.begin(&[events()]).await.unwrap();
    line.rollback().await;
    {
        let mut other = pin!(node.app.db.begin());
        assert!(poll!(other.as_mut()).is_pending(), "there are two connections");
        line.rest();
        other.await.unwrap().rollback().await.unwrap();
    }
    // The line connects again.
    line.begin(&[events()]).await.unwrap();
    line.rollback().await;
    drop(line);
    node.stop().await;
}

async fn values_are_read_and_written_in_the_text(app: TestApp) {
    let artist = app.artist("haneul").await;
    app.event(&artist, 0, 10).await;
    let mut line = app.app.db.line("test");
    for title in ["it's", "back\\slash", "\"quoted\" $1 ? `", "소극장 🎭", "a';DELETE FROM event;--", "new\nline\ttab"]
    {
        line.begin(&[]).await.unwrap();
        assert_eq!(rename(&line, title).await, 1);
        line.commit().await.unwrap();
        assert_eq!(titles(&app).await, [title]);
        line.begin(&[events()]).await.unwrap();
        let read = event::Entity::find().one(&line).await.unwrap().unwrap();
        line.rollback().await;
        assert_eq!(read, event::Entity::find().one(app.app.db.reads()).await.unwrap().unwrap(), "read in the text");
    }
}
