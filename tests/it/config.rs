//! What stops a start, and what it says.

use crate::harness::TestApp;
use spotlight::{
    app::{App, World},
    config::Config,
    infra::db::Db,
};

crate::scenarios![
    a_data_folder_that_cannot_be_written_is_named,
    a_database_newer_than_the_binary_is_refused,
    an_unknown_scheme_is_named,
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

async fn an_unknown_scheme_is_named(app: TestApp) {
    let mut settings = app.app.config.database.clone();
    settings.url = "oracle://x".to_owned();
    let error = Db::connect(&settings, &app.app.config.data_dir).await.unwrap_err().to_string();
    assert!(error.starts_with("database.url:"), "{error}");
}
