//! What stops a start, and what it says.

use crate::harness::TestApp;
use spotlight::{
    app::{App, World},
    config::Config,
    infra::{data_dir::DataLock, db::Db},
};

crate::scenarios![
    a_data_folder_that_cannot_be_written_is_named,
    a_database_newer_than_the_binary_is_refused,
    an_unknown_scheme_is_named_without_its_password,
    a_new_data_folder_is_its_owner_s_alone,
    what_lies_in_an_old_data_folder_is_closed_to_everybody_else,
    what_the_binary_writes_is_its_owner_s_alone,
    a_second_server_on_one_data_folder_is_refused,
    letters_and_people_of_the_sandbox_are_shown_to_this_machine_only,
];

async fn a_data_folder_that_cannot_be_written_is_named(_: TestApp) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a-file");
    std::fs::write(&file, "").unwrap();
    let config = Config::load(None, &[("data_dir", file.join("data").display().to_string().into())]).unwrap();
    let error = App::build(config, World::default()).await.unwrap_err().to_string();
    assert!(error.starts_with("data_dir: cannot write to"), "{error}");
}

async fn a_database_newer_than_the_binary_is_refused(app: TestApp) {
    use sea_orm::ConnectionTrait;
    let sql = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29991231_000001_future', 0)";
    let txn = app.app.db.begin().await.unwrap();
    txn.execute_unprepared(sql).await.unwrap();
    txn.commit().await.unwrap();
    let error = app.app.db.migrate().await.unwrap_err().to_string();
    assert!(error.contains("newer version") && error.contains("m29991231_000001_future"), "{error}");
}

async fn an_unknown_scheme_is_named_without_its_password(app: TestApp) {
    let mut settings = app.app.config.database.clone();
    for (url, named) in [
        ("postgre://me:hunter2@db/spotlight", "postgre"),
        ("postgres://me:hunter2@db:x/spotlight", "database.url"),
        ("mysql://me:hunter2@:3306:x/spotlight", "database.url"),
        ("hunter2@db:5432/spotlight", "database.url"),
        ("hunter2", "database.url"),
    ] {
        settings.url = url.into();
        let error = Db::connect(&settings, &app.app.config.data_dir).await.unwrap_err().to_string();
        assert!(error.starts_with("database.url:") && error.contains(named), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

async fn a_new_data_folder_is_its_owner_s_alone(app: TestApp) {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = tempfile::tempdir().unwrap();
    let (new, old) = (folder.path().join("new/data"), folder.path().join("old"));
    std::fs::create_dir(&old).unwrap();
    std::fs::set_permissions(&old, std::fs::Permissions::from_mode(0o750)).unwrap();
    for data in [&new, &old] {
        let mut config = app.app.config.clone();
        config.data_dir.clone_from(data);
        config.database.url = "sqlite:".into();
        let made = App::build(config, World::default()).await.unwrap();
        made.db.close().await.unwrap();
        assert_eq!(mode(&data.join("mail")), 0o700);
    }
    assert_eq!((mode(&new), mode(&old)), (0o700, 0o750));
}

async fn what_lies_in_an_old_data_folder_is_closed_to_everybody_else(app: TestApp) {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let set = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    for name in ["mail", "keys"] {
        std::fs::create_dir_all(data.join(name)).unwrap();
        set(&data.join(name), 0o777);
    }
    std::fs::write(data.join("spotlight.db"), "").unwrap();
    set(&data.join("spotlight.db"), 0o644);
    spotlight::infra::data_dir::prepare(&data).unwrap();
    assert_eq!((mode(&data.join("mail")), mode(&data.join("keys"))), (0o770, 0o770));
    assert_eq!(mode(&data.join("spotlight.db")), 0o640);
    drop(app);
}

async fn what_the_binary_writes_is_its_owner_s_alone(app: TestApp) {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    // Whatever the shell's habits are.
    let start = "umask 000; exec \"$0\" migrate --data-dir \"$1\"";
    let mut shell = std::process::Command::new("sh");
    let made = shell.args(["-c", start, env!("CARGO_BIN_EXE_spotlight")]).arg(&data).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let mode = std::fs::metadata(data.join("spotlight.db")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    drop(app);
}

async fn a_second_server_on_one_data_folder_is_refused(app: TestApp) {
    let folder = tempfile::tempdir().unwrap();
    let first = DataLock::take(folder.path()).unwrap();
    let error = DataLock::take(folder.path()).unwrap_err().to_string();
    assert!(error.starts_with("data_dir: another server is using"), "{error}");
    drop(first);
    DataLock::take(folder.path()).unwrap();
    drop(app);
}

async fn letters_and_people_of_the_sandbox_are_shown_to_this_machine_only(app: TestApp) {
    let config = app.app.config.clone();
    assert!(config.shows_mail());
    let mut open = config.clone();
    open.server.listen = "0.0.0.0:8080".parse().unwrap();
    assert!(!open.shows_mail());
    let folder = tempfile::tempdir().unwrap();
    open.data_dir = folder.path().to_owned();
    let open = App::build(open, World::default()).await.unwrap();
    assert_eq!(status(&app.app, "/mail").await, 200);
    assert_eq!(status(&open, "/mail").await, 404);
    // Whoever reaches the consent page is whoever they say.
    for sandbox in ["/sandbox/kakao/unlinked", "/sandbox/naver/oauth2.0/authorize"] {
        assert_ne!(status(&app.app, sandbox).await, 404, "{sandbox}");
        assert_eq!(status(&open, sandbox).await, 404, "{sandbox}");
    }
    assert!(open.social.kakao.is_none() && open.social.naver.is_none());
    assert_eq!(status(&open, "/playground").await, 200);
    open.db.close().await.unwrap();
}

async fn status(app: &App, path: &str) -> u16 {
    use tower::ServiceExt;
    let request = axum::http::Request::get(path).body(axum::body::Body::empty()).unwrap();
    let response = spotlight::http::router(app).oneshot(request).await.unwrap();
    assert!(response.headers().contains_key("x-request-id"), "{path} is outside the request log");
    response.status().as_u16()
}
