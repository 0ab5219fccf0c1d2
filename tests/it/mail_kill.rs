//! A queue of letters and a server that is killed in the middle of it: the real binary, and SIGKILL.
//!
//! 1,000 letters; `SPOTLIGHT_TEST_LETTERS=10000` is the whole promise, and prints how fast they went.

use crate::{
    harness::{Manners, SmtpServer},
    mail::run,
};
use chrono::{DateTime, Utc};
use entity::{enums::Role, job, user};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use spotlight::{
    app::{App, World},
    auth::{sign_up, social::link_letter::LinkChanged},
    config::Config,
    infra::{
        clock::Clock,
        jobs::{self, Job},
    },
    transaction,
};
use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// Letters on their way at once: no more than these may come twice.
const CONNECTIONS: usize = 8;

pub fn queued_letters_survive_a_kill() {
    let (data, letters) = (tempfile::tempdir().unwrap(), letters());
    run(async {
        let server = SmtpServer::start(Manners::default()).await;
        queue(data.path(), letters).await;
        // Told to stop, it finishes what is on its way.
        let first = start(data.path(), &server.url);
        within(120, server.until_taken(letters / 4)).await;
        first.stop();
        let sent = server.taken().len();
        assert_eq!(waiting(data.path()).await, letters - sent, "a letter that was sent is still in the queue");
        // Killed, it cannot.
        let mut second = start(data.path(), &server.url);
        let began = within(120, server.until_taken(sent + 1)).await;
        within(300, server.until_taken(sent + letters / 2)).await;
        println!("{} letters in {:.1?}", letters / 2, began.elapsed());
        second.0.kill().unwrap();
        second.0.wait().unwrap();
        assert!(server.counted().len() < letters, "nothing was left to survive");
        let left = waiting(data.path()).await;
        let third = start(data.path(), &server.url);
        within(300, server.until_taken(server.taken().len() + left)).await;
        third.stop();
        assert_eq!((server.counted().len(), waiting(data.path()).await), (letters, 0));
        let twice = server.taken().len() - letters;
        println!("{twice} came twice");
        assert!(twice <= CONNECTIONS, "{twice} letters came twice");
    });
}

#[expect(clippy::disallowed_methods, reason = "a setting of the suite")]
fn letters() -> usize {
    std::env::var("SPOTLIGHT_TEST_LETTERS")
        .map_or(1_000, |text| text.parse().expect("SPOTLIGHT_TEST_LETTERS: a number"))
}

async fn within(seconds: u64, what: impl Future<Output = ()>) -> Instant {
    tokio::time::timeout(Duration::from_secs(seconds), what).await.expect("the letters stopped coming");
    Instant::now()
}

fn config(data: &Path) -> Config {
    Config::load(None, &[("data_dir", data.display().to_string().into()), ("demo", false.into())]).unwrap()
}

/// All in one transaction, as a use case would.
async fn queue(data: &Path, letters: usize) {
    let app = App::build(config(data), World::default()).await.unwrap();
    let now: DateTime<Utc> = Clock::now(app.clock.as_ref());
    let queued: spotlight::Result<()> = transaction!(app, txn => {
        for number in 0..letters {
            let fan = fan(&app, now, number);
            let row = serde_json::json!({ "user_id": fan.id, "provider": "KAKAO", "is_linked": true, "at": now });
            sign_up::insert(txn, fan).await?;
            let job: LinkChanged = serde_json::from_value(row).unwrap();
            jobs::enqueue(txn, &app.ids, now, now, &job).await?;
        }
        Ok(())
    });
    queued.unwrap();
    app.db.close().await.unwrap();
}

fn fan(app: &App, now: DateTime<Utc>, number: usize) -> user::Model {
    user::Model {
        id: app.ids.next(),
        email: Some(format!("fan{number}@example.kr")),
        password_hash: None,
        nickname: "관객".to_owned(),
        birth_date: None,
        phone_number: None,
        location: None,
        role: Role::User,
        language: "ko".to_owned(),
        is_reminded_by_mail: true,
        notification_count: 0,
        created_at: now,
        withdrawn_at: None,
    }
}

async fn waiting(data: &Path) -> usize {
    let app = App::build(config(data), World::default()).await.unwrap();
    let letters = job::Entity::find().filter(job::Column::Name.eq(LinkChanged::NAME));
    let count = letters.count(app.db.reads()).await.unwrap();
    app.db.close().await.unwrap();
    count.try_into().unwrap()
}

/// Dies with the test.
struct Server(Child);

impl Server {
    /// SIGTERM; it ends as a server should.
    fn stop(mut self) {
        let sent = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status().unwrap();
        assert!(sent.success() && self.0.wait().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended long ago.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(data: &Path, mail: &str) -> Server {
    let child = Command::new(env!("CARGO_BIN_EXE_spotlight"))
        .env_clear()
        .env("SPOTLIGHT_DATA_DIR", data)
        .env("SPOTLIGHT_SERVER__LISTEN", "127.0.0.1:0")
        .env("SPOTLIGHT_DEMO", "false")
        .env("SPOTLIGHT_MAIL__URL", mail)
        .env("SPOTLIGHT_MAIL__MAX_CONNECTIONS", CONNECTIONS.to_string())
        // What was on its way at the kill is free again after this time.
        .env("SPOTLIGHT_MAIL__TIMEOUT_SECONDS", "4")
        .env("SPOTLIGHT_WORKER__LEASE_SECONDS", "5")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    Server(child.unwrap())
}
