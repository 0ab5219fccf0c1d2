//! What was written of money stays as it was written: the database refuses every change of it.

use crate::harness::{TestApp, booking_input};
use entity::{payment_event, point_entry};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, EntityTrait, QueryOrder};
use secrecy::ExposeSecret;
use serde_json::json;
use spotlight::infra::db::Db;

crate::scenarios![
    the_log_of_a_payment_and_the_entries_of_points_refuse_to_be_changed,
    an_account_that_may_make_no_triggers_migrates_without_them,
];

async fn rows(db: &DatabaseConnection) -> (Vec<payment_event::Model>, Vec<point_entry::Model>) {
    let events = payment_event::Entity::find().order_by_asc(payment_event::Column::Id).all(db).await.unwrap();
    (events, point_entry::Entity::find().order_by_asc(point_entry::Column::Id).all(db).await.unwrap())
}

async fn the_log_of_a_payment_and_the_entries_of_points_refuse_to_be_changed(app: TestApp) {
    let (artist, fan, db) = (app.artist("haneul").await, app.fan("mina").await, app.app.db.reads());
    app.give_points(&fan, 3_000).await;
    let event = app.event(&artist, 5_000, 10).await;
    let mut input = booking_input(&event, 1, "k");
    input["points"] = json!(1_000);
    let payload = app.mutate(Some(&fan.token), "bookingStart", crate::harness::BOOKING, input).await;
    app.pay(&payload, "approve", "none").await;
    let before = rows(db).await;
    assert!(before.0.len() >= 3 && before.1.len() == 2, "{before:?}");
    for table in ["payment_event", "point_entry"] {
        let mut changes = vec![format!("UPDATE {table} SET id = id"), format!("DELETE FROM {table}")];
        if db.get_database_backend() == DbBackend::Postgres {
            changes.push(format!("TRUNCATE {table}"));
        }
        for sql in changes {
            let refused = db.execute_unprepared(&sql).await;
            let why = refused.map(drop).unwrap_err().to_string();
            assert!(why.contains(&format!("{table} is append-only")), "{sql}: {why}");
        }
    }
    assert_eq!(rows(db).await, before);
}

/// Only MySQL asks for a right of its own.
async fn an_account_that_may_make_no_triggers_migrates_without_them(app: TestApp) {
    let (root, url) = (app.app.db.reads(), app.app.config.database.url.expose_secret());
    if root.get_database_backend() != DbBackend::MySql {
        eprintln!("SKIPPED: only MySQL asks for a right to make triggers");
        return;
    }
    let mut address = url::Url::parse(url).unwrap();
    let name = format!("{}_bare", address.path().trim_start_matches('/'));
    let run = async |sql: &str| root.execute_unprepared(&sql.replace("NAME", &name)).await.unwrap();
    run("CREATE DATABASE NAME").await;
    run("CREATE USER 'NAME'@'127.0.0.1'").await;
    let rights = "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX, DROP, REFERENCES";
    run(&format!("GRANT {rights} ON NAME.* TO 'NAME'@'127.0.0.1'")).await;
    address.set_username(&name).unwrap();
    address.set_path(&name);
    let mut settings = app.app.config.database.clone();
    settings.url = address.to_string().into();
    let db = Db::connect(&settings, &app.app.config.data_dir).await.unwrap();
    db.migrate().await.unwrap();
    db.close().await.unwrap();
    let bare: DatabaseConnection = Database::connect(address.as_str()).await.unwrap();
    assert_eq!(rows(&bare).await, (Vec::new(), Vec::new()), "the tables are there");
    bare.close().await.unwrap();
    run("DROP DATABASE NAME").await;
    run("DROP USER 'NAME'@'127.0.0.1'").await;
}
