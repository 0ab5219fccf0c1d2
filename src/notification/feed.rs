//! The live feed of one person: what is in the table after a cursor, then what comes.

use super::query;
use crate::{
    app::App,
    error::{Code, Problem, Result},
    page::Key,
    user,
};
use entity::{
    enums::NotificationKind,
    ids::{TypedId, UserId},
    notification::Model,
};
use futures_util::{Stream, stream};
use std::{collections::VecDeque, time::Duration};
use tokio::sync::watch;

/// Another node may have written the row and cannot ring here: look again this often.
const LOOK_AGAIN: Duration = Duration::from_secs(15);
const BATCH: u64 = 50;

/// One notification with its cursor.
#[derive(Clone, Debug)]
pub struct Item {
    pub cursor: String,
    pub row: Model,
    /// The cursor that was given is from another world (a restored database): the feed began anew.
    pub is_reset: bool,
}

struct Follower {
    app: App,
    user: UserId,
    kinds: Vec<NotificationKind>,
    seq: i64,
    is_reset: bool,
    bell: watch::Receiver<u64>,
    ready: VecDeque<Model>,
}

/// Without a cursor it begins with what comes next; with one, with what was missed.
pub async fn follow(
    app: &App,
    user: UserId,
    after: Option<&str>,
    kinds: Vec<NotificationKind>,
) -> Result<impl Stream<Item = Result<Item>> + use<>> {
    // Listening starts before the first look, so that nothing falls between.
    let bell = app.hub.listen(user);
    let row = user::query::by_id(app.db.reads(), user).await?;
    let newest = row.map_or(0, |row| row.notification_count);
    let seq = match after {
        None => newest,
        Some(cursor) => Key::decode(cursor).map(|key| key.at).ok_or_else(|| {
            Problem::new(Code::Invalid, &["after"], "커서가 올바르지 않습니다.", "Not a cursor of this feed.")
        })?,
    };
    let is_reset = seq > newest;
    let seq = if is_reset { 0 } else { seq };
    let follower = Follower { app: app.clone(), user, kinds, seq, is_reset, bell, ready: VecDeque::new() };
    Ok(stream::unfold(follower, |mut follower| async move {
        let next = follower.next().await?;
        Some((next, follower))
    }))
}

impl Follower {
    /// `None` when the process is told to stop.
    async fn next(&mut self) -> Option<Result<Item>> {
        loop {
            if let Some(row) = self.ready.pop_front() {
                self.seq = row.seq;
                let is_reset = std::mem::take(&mut self.is_reset);
                return Some(Ok(Item { cursor: cursor(&row), row, is_reset }));
            }
            self.bell.borrow_and_update();
            // Boxed: thousands of feeds are idle, and need room for a query only while one runs.
            match Box::pin(query::after(self.app.db.reads(), self.user, self.seq, &self.kinds, BATCH)).await {
                Err(error) => return Some(Err(error)),
                Ok(rows) if rows.is_empty() => {
                    tokio::select! {
                        rung = self.bell.changed() => rung.ok()?,
                        () = tokio::time::sleep(LOOK_AGAIN) => {}
                        () = self.app.shutdown.cancelled() => return None,
                    }
                }
                Ok(rows) => self.ready = rows.into(),
            }
        }
    }
}

/// Where a notification stands in its owner's feed.
pub fn cursor(row: &Model) -> String {
    Key { at: row.seq, id: row.id.uuid() }.encode()
}
