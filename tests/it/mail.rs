//! Letters: what both twins promise, and what a mail server that is down, slow or says no does to everything else.

use crate::harness::{Manners, PASSWORD, SmtpServer, TestApp, first_moment};
use chrono::{DateTime, TimeDelta, Utc};
use entity::job;
use libtest_mimic::{Failed, Trial};
use mail_parser::{MessageParser, MimeHeaders};
use sea_orm::{ColumnTrait, EntityTrait, ModelTrait, QueryFilter};
use secrecy::SecretString;
use serde_json::json;
use spotlight::{
    Error,
    config::Config,
    infra::{
        clock::Clock,
        jobs,
        mail::{Letter, Mail, MailSettings},
    },
    language::Language,
};
use std::{path::Path, sync::Arc, time::Duration};

crate::scenarios![
    a_mail_server_that_hangs_delays_mail_and_nothing_else,
    a_code_for_a_mailbox_that_is_refused_leaves_nothing_behind,
    a_letter_about_an_account_is_parked_where_its_mailbox_is_refused,
    a_code_that_is_good_no_more_is_not_sent,
    the_folder_is_readable_and_its_letters_can_do_nothing,
];

#[derive(Debug)]
struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> DateTime<Utc> {
        first_moment()
    }
}

fn letter(id: &str) -> Letter {
    Letter::new(id, "mina@example.kr", Language::Ko, "예매가 확정되었습니다: \"봄밤 <인디> 공연\" 😀")
        .paragraph("좌석 2개를 예매하셨습니다. <b>굵게</b> & 그대로")
        .code("012345")
}

fn settings(url: &str) -> MailSettings {
    let mut settings = Config::load(None, &[]).unwrap().mail;
    settings.url = SecretString::from(url);
    settings.timeout_seconds = 5;
    settings
}

fn open(settings: &MailSettings, data: &Path) -> Mail {
    Mail::open(settings, data, Arc::new(StoppedClock)).unwrap()
}

/// What `.ci/mail` started.
struct Servers {
    urls: Vec<String>,
    authority: String,
    folder: String,
}

impl Servers {
    #[expect(clippy::disallowed_methods, reason = "settings of the suite")]
    fn started() -> Option<Self> {
        let of = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let urls = of("SPOTLIGHT_TEST_SMTP")?.split(',').map(ToOwned::to_owned).collect();
        let needed = |name| of(name).unwrap_or_else(|| panic!("{name} is missing beside SPOTLIGHT_TEST_SMTP"));
        Some(Self { urls, authority: needed("SPOTLIGHT_TEST_SMTP_CA"), folder: needed("SPOTLIGHT_TEST_SMTP_FOLDER") })
    }

    /// By its scheme.
    fn settings(&self, scheme: &str) -> MailSettings {
        let url = self.urls.iter().find(|url| url.starts_with(&format!("{scheme}://"))).unwrap();
        let mut settings = settings(url);
        settings.ca_file = self.authority.clone().into();
        settings
    }
}

pub fn trials() -> Vec<Trial> {
    let is_missing = Servers::started().is_none();
    if is_missing {
        eprintln!(
            "NOT RUN over SMTP with TLS and sign-in: SPOTLIGHT_TEST_SMTP is not set (.ci/mail starts the servers)"
        );
    }
    let real = |name: &str, test: fn(Servers)| {
        let run = move || {
            test(Servers::started().ok_or("SPOTLIGHT_TEST_SMTP is not set: .ci/mail starts the servers")?);
            Ok::<(), Failed>(())
        };
        Trial::test(format!("mail::{name}"), run).with_ignored_flag(is_missing)
    };
    let plain = |name: &str, test: fn()| {
        Trial::test(format!("mail::{name}"), move || {
            test();
            Ok(())
        })
    };
    vec![
        plain("contract_of_the_folder", || {
            let data = tempfile::tempdir().unwrap();
            std::fs::create_dir(data.path().join("mail")).unwrap();
            contract(&settings("folder:"), data.path(), &data.path().join("mail"));
        }),
        real("contract_of_plain_smtp", |it| over("smtp", &it)),
        real("contract_of_smtp_with_starttls", |it| over("smtp+starttls", &it)),
        real("contract_of_smtp_over_tls", |it| over("smtps", &it)),
        real("a_wrong_password_is_not_the_letter_s_fault_and_is_never_told", a_wrong_password),
        plain("nothing_is_said_to_a_server_that_cannot_encrypt", no_encryption),
        real("a_certificate_of_a_stranger_is_refused", a_strange_certificate),
        plain("a_mailbox_refused_for_good_is_told_from_one_that_is_busy", refusals),
        plain("connections_are_used_again_and_closed_ones_replaced", connections),
        plain("a_server_that_never_answers_is_given_up", silence),
        plain("queued_letters_survive_a_kill", crate::mail_kill::queued_letters_survive_a_kill),
    ]
}

pub fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(test)
}

fn over(scheme: &str, servers: &Servers) {
    let data = tempfile::tempdir().unwrap();
    contract(&servers.settings(scheme), data.path(), Path::new(&servers.folder));
}

/// Letters under an id that only this run has.
fn id_of(data: &Path) -> String {
    data.file_name().unwrap().to_string_lossy().replace('.', "t")
}

/// What lies in the folder under this id.
fn arrived(folder: &Path, id: &str) -> Vec<Vec<u8>> {
    // What is still being written has another ending, and may be gone in a moment.
    let paths = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let files =
        paths.filter(|path| path.extension().is_some_and(|e| e == "eml")).map(|path| std::fs::read(path).unwrap());
    let is_it = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).contains(&format!("Message-ID: <{id}@"));
    files.filter(is_it).collect()
}

fn contract(settings: &MailSettings, data: &Path, folder: &Path) {
    let id = id_of(data);
    run(async {
        let mail = open(settings, data);
        mail.send(&letter(&id)).await.unwrap();
        let [bytes] = arrived(folder, &id).try_into().unwrap();
        assert!(bytes.is_ascii(), "a server need not know 8BITMIME");
        let message = MessageParser::default().parse(&bytes).unwrap();
        assert_eq!(message.subject(), Some("[소극장] 예매가 확정되었습니다: \"봄밤 <인디> 공연\" 😀"));
        assert_eq!(message.to().unwrap().first().unwrap().address(), Some("mina@example.kr"));
        assert_eq!(message.from().unwrap().first().unwrap().name(), Some("소극장"));
        assert_eq!(message.date().unwrap().to_timestamp(), first_moment().timestamp());
        assert_eq!(message.content_type().and_then(|kind| kind.subtype()), Some("alternative"));
        let (text, html) = (message.body_text(0).unwrap(), message.body_html(0).unwrap());
        assert!(text.contains("좌석 2개를 예매하셨습니다. <b>굵게</b> & 그대로") && text.contains("012345"), "{text}");
        assert!(html.contains("&lt;b&gt;굵게&lt;/b&gt; &amp; 그대로") && html.contains("012345"), "{html}");
        if let Some(to) = message.header("X-Envelope-To") {
            assert_eq!(to.as_text(), Some("mina@example.kr"));
        }
        // Many at once, over fewer connections.
        let many = (0..30).map(|number| letter(&format!("{id}-{number}"))).collect::<Vec<_>>();
        let sent = futures_util::future::join_all(many.iter().map(|letter| mail.send(letter))).await;
        sent.into_iter().for_each(|sent| sent.unwrap());
        for number in 0..30 {
            assert_eq!(arrived(folder, &format!("{id}-{number}")).len(), 1);
        }
        let bad = mail.send(&letter("../up")).await.unwrap_err().to_string();
        assert!(bad.contains("not an id"), "{bad}");
        mail.hang_up().await;
    });
}

fn a_wrong_password(servers: Servers) {
    use secrecy::ExposeSecret;
    for scheme in ["smtp", "smtp+starttls", "smtps"] {
        let mut settings = servers.settings(scheme);
        settings.url = settings.url.expose_secret().replace("p%40ss", "hunter2").into();
        let data = tempfile::tempdir().unwrap();
        let mail = open(&settings, data.path());
        let error = run(mail.send(&letter("l1"))).unwrap_err();
        assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
        for told in [error.to_string(), format!("{error:?}"), format!("{mail:?}"), format!("{settings:?}")] {
            assert!(!told.contains("hunter2") && !told.contains(&data_encoding::BASE64.encode(b"hunter2")), "{told}");
        }
    }
}

fn no_encryption() {
    let data = tempfile::tempdir().unwrap();
    run(async {
        let server = SmtpServer::start(Manners::default()).await;
        let url = server.url.replace("smtp://", "smtp+starttls://mina:hunter2@");
        let error = open(&settings(&url), data.path()).send(&letter("l1")).await.unwrap_err();
        assert!(error.is_away() && error.to_string().contains("STARTTLS is not supported"), "{error}");
        let said = server.said();
        assert!(said.first().is_some_and(|line| line.starts_with("EHLO")), "{said:?}");
        // Neither who we are, nor to whom, nor what.
        assert!(said.iter().skip(1).all(|line| line == "QUIT"), "{said:?}");
        assert!(server.taken().is_empty());
    });
}

fn a_strange_certificate(servers: Servers) {
    for scheme in ["smtp+starttls", "smtps"] {
        let mut settings = servers.settings(scheme);
        // What the system believes does not know the tests' authority.
        settings.ca_file = std::path::PathBuf::new();
        let data = tempfile::tempdir().unwrap();
        let error = run(open(&settings, data.path()).send(&letter("l1"))).unwrap_err();
        assert!(error.is_away() && error.to_string().to_lowercase().contains("certificate"), "{scheme}: {error}");
    }
}

fn refusals() {
    let data = tempfile::tempdir().unwrap();
    run(async {
        for (answer, is_hopeless) in
            [("550 5.1.1 <nobody@example.kr> is unknown", true), ("451 4.2.1 try later", false)]
        {
            let server = SmtpServer::start(Manners { to_nobody: answer, ..Manners::default() }).await;
            let mail = open(&settings(&server.url), data.path());
            let letter = Letter::new("l1", "nobody@example.kr", Language::En, "Hello");
            let error = mail.send(&letter).await.unwrap_err();
            assert_eq!((error.is_hopeless(), error.is_away()), (is_hopeless, !is_hopeless), "{error}");
            assert!(!error.to_string().contains("nobody@"), "an address in the log: {error}");
        }
    });
}

fn connections() {
    let data = tempfile::tempdir().unwrap();
    run(async {
        for (is_brief, expected) in [(false, 1), (true, 5)] {
            let server = SmtpServer::start(Manners { is_brief, ..Manners::default() }).await;
            let mail = open(&settings(&server.url), data.path());
            for number in 0..5 {
                mail.send(&letter(&format!("l{number}"))).await.unwrap();
            }
            assert_eq!((server.counted().len(), server.taken().len()), (5, 5));
            assert_eq!(server.connections(), expected, "hangs up after each: {is_brief}");
        }
    });
}

fn silence() {
    let data = tempfile::tempdir().unwrap();
    run(async {
        let server = SmtpServer::start(Manners { is_asleep: true, ..Manners::default() }).await;
        let mut settings = settings(&server.url);
        settings.timeout_seconds = 1;
        let error = open(&settings, data.path()).send(&letter("l1")).await.unwrap_err();
        assert!(error.is_away() && error.to_string().contains("took more than"), "{error}");
    });
}

async fn letters_waiting(app: &TestApp) -> Vec<job::Model> {
    job::Entity::find().filter(job::Column::Name.eq("send_code")).all(app.app.db.reads()).await.unwrap()
}

async fn ask_for_a_code(app: &TestApp, url: &str, email: &str) {
    let mutation = "mutation($input: EmailCodeSendInput!) { emailCodeSend(input: $input) { isAccepted } }";
    let input = json!({ "input": { "email": email, "purpose": "SIGN_UP" } });
    let answer = app.query_at(url, None, mutation, input).await;
    assert_eq!(answer.data()["emailCodeSend"]["isAccepted"], true);
}

async fn a_mail_server_that_hangs_delays_mail_and_nothing_else(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 1_000, 10).await;
    let booking = app.buy(&fan, &event, 1, "k1").await;
    let server = SmtpServer::start(Manners { is_asleep: true, ..Manners::default() }).await;
    let url = server.url.clone();
    let node = app
        .node("mailing", move |config| {
            config.mail = MailSettings { max_connections: 2, timeout_seconds: 50, ..settings(&url) };
        })
        .await;
    let all = async {
        for name in ["a", "b", "c"] {
            ask_for_a_code(&app, &node.url, &format!("{name}@example.kr")).await;
        }
        server.until_held(2).await;
        // Every place for letters hangs; what calls the provider goes on, and what calls nobody.
        let input = json!({ "bookingId": booking, "idempotencyKey": "k2" });
        app.mutate(Some(&fan.token), "bookingCancel", "booking { status }", input).await;
        while app.booking(&fan, &booking).await["payment"]["status"] != "CANCELED" {}
        while job::Entity::find().all(app.app.db.reads()).await.unwrap().iter().any(|job| job.name == "tell_canceled") {
        }
        assert!(server.taken().is_empty());
        assert_eq!(letters_waiting(&app).await.len(), 3);
        server.wake();
        // Those that hung were put off; the third never met a server that slept.
        let was_put_off = |row: &job::Model| row.last_error.is_some() && row.lease_until.is_none();
        server.until_taken(1).await;
        while letters_waiting(&app).await.iter().filter(|row| was_put_off(row)).count() != 2 {}
        app.move_clock(TimeDelta::seconds(2));
        while !letters_waiting(&app).await.is_empty() || !app.is_idle().await {}
    };
    tokio::select! {
        () = jobs::work(node.app.clone()) => panic!("the worker stopped"),
        done = tokio::time::timeout(Duration::from_secs(40), all) => done.expect("something waits for the mail server"),
    }
    assert_eq!((server.taken().len(), server.counted().len()), (3, 3), "each once: {:?}", server.taken());
    node.stop().await;
}

async fn a_code_for_a_mailbox_that_is_refused_leaves_nothing_behind(app: TestApp) {
    let server = SmtpServer::start(Manners { to_nobody: "550 5.1.1 unknown", ..Manners::default() }).await;
    let url = server.url.clone();
    let node = app.node("mailing", move |config| config.mail = settings(&url)).await;
    for email in ["nobody@example.kr", "mina@example.kr"] {
        ask_for_a_code(&app, &node.url, email).await;
    }
    while jobs::run_due(&node.app).await.unwrap() > 0 {}
    assert_eq!(server.taken().len(), 1);
    // Parked, it would keep the address for as long as nobody looks.
    assert_eq!(letters_waiting(&app).await, []);
    node.stop().await;
}

async fn a_letter_about_an_account_is_parked_where_its_mailbox_is_refused(app: TestApp) {
    let fan = app.fan("nobody").await;
    let server = SmtpServer::start(Manners { to_nobody: "550 5.1.1 unknown", ..Manners::default() }).await;
    let url = server.url.clone();
    let node = app.node("mailing", move |config| config.mail = settings(&url)).await;
    let input = json!({ "currentPassword": PASSWORD, "newPassword": "Another-1234" });
    app.mutate(Some(&fan.token), "passwordChange", "session { accessToken }", input).await;
    while jobs::run_due(&node.app).await.unwrap() > 0 {}
    let rows = job::Entity::find().filter(job::Column::Name.eq("password_changed")).all(app.app.db.reads());
    let [parked] = rows.await.unwrap().try_into().unwrap();
    assert!(parked.parked_at.is_some() && parked.attempts == 1, "{parked:?}");
    assert!(parked.last_error.as_ref().is_some_and(|why| why.contains("unknown")), "{parked:?}");
    assert!(!parked.payload.contains("nobody"), "{parked:?}");
    parked.delete(app.app.db.reads()).await.unwrap();
    node.stop().await;
}

async fn a_code_that_is_good_no_more_is_not_sent(app: TestApp) {
    // The server was away for as long as a code lives, or shorter.
    for (email, minutes) in [("a@example.kr", 4), ("b@example.kr", 5)] {
        ask_for_a_code(&app, &app.url, email).await;
        app.pass(TimeDelta::minutes(minutes)).await;
    }
    let letters = spotlight::infra::mail::read::newest(app.app.mail.folder().unwrap()).unwrap();
    assert_eq!(letters.map(|letter| letter.to).collect::<Vec<_>>(), ["a@example.kr"]);
    assert_eq!(letters_waiting(&app).await, []);
}

async fn the_folder_is_readable_and_its_letters_can_do_nothing(app: TestApp) {
    ask_for_a_code(&app, &app.url, "mina@example.kr").await;
    app.work().await;
    let page = async |path: &str| app.http.get(format!("{}{path}", app.url)).send().await.unwrap();
    let list = page("/mail").await.text().await.unwrap();
    let name = list.split("href=\"/mail/").nth(1).unwrap().split('"').next().unwrap();
    let shown = page(&format!("/mail/{name}")).await;
    let policy = shown.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && !policy.contains("script-src"), "{policy}");
    let shown = shown.text().await.unwrap();
    assert!(shown.contains("mina@example.kr") && shown.contains("<iframe sandbox=\"\""), "{shown}");
    for nothing in ["/mail/nothing", "/mail/..%2F..%2Ftest", "/mail/%2Fetc%2Fpasswd"] {
        assert_eq!(page(nothing).await.status(), 404, "{nothing}");
    }
}
