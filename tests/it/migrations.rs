//! What a migration makes of rows that were there before it: a database of an older version, brought up to date.

use crate::harness::{Database, first_moment};
use entity::{
    enums::{PaymentPurpose, PaymentStatus, Role},
    ids::{PaymentId, UserId},
    payment, user,
};
use futures_util::future::BoxFuture;
use libtest_mimic::{Failed, Trial};
use migration::{Index, Migrator, MigratorTrait, SchemaManager};
use sea_orm::{Database as Connect, DatabaseConnection, EntityTrait, QueryOrder, Set};
use spotlight::infra::{
    clock::SystemClock,
    ids::{Ids, SystemEntropy},
};
use std::sync::Arc;

pub fn trials(databases: &[Database]) -> Vec<Trial> {
    let one = |database: &Database| {
        [
            trial(database, "what_was_taken_is_filled_in_for_old_payments", |database| {
                Box::pin(what_was_taken_is_filled_in_for_old_payments(database))
            }),
            trial(database, "indexes_of_a_sale_go_and_come_back", |database| {
                Box::pin(indexes_of_a_sale_go_and_come_back(database))
            }),
        ]
    };
    databases.iter().flat_map(one).collect()
}

fn trial(database: &Database, name: &str, run: fn(Database) -> BoxFuture<'static, ()>) -> Trial {
    let database = database.clone();
    Trial::test(format!("migrations::{name} [{}]", database.name()), move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failed::from)?;
        runtime.block_on(run(database));
        Ok(())
    })
}

/// Migrated as far as the one before `name`.
async fn before(database: &Database, name: &str) -> DatabaseConnection {
    let all = Migrator::migrations();
    let steps = all.iter().position(|migration| migration.name() == name).unwrap();
    let query = if database.name() == "sqlite" { "?mode=rwc" } else { "" };
    let db = Connect::connect(format!("{}{query}", database.url())).await.unwrap();
    Migrator::up(&db, Some(u32::try_from(steps).unwrap())).await.unwrap();
    db
}

/// Whether each index is there, and whether two payments without a number of the provider's may be.
async fn indexes_of_a_sale_go_and_come_back(database: Database) {
    let folder = tempfile::tempdir().unwrap();
    let database = database.fresh(folder.path()).await;
    let db = before(&database, "m20261126_000042_lean_sale").await;
    let manager = SchemaManager::new(&db);
    let there = async |table: &str, index: &str| manager.has_index(table, index).await.unwrap();
    let state = async || {
        [
            there("ticket", "ticket_user").await,
            there("ticket", "ticket_event").await,
            there("booking", "booking_newest").await,
            there("payment", "payment_newest").await,
            there("job", "job_due").await,
            there("job", "job_parked").await,
            there("booking", "booking_coupon").await,
            there("payment", "payment_tid").await,
        ]
    };
    let (old, new) =
        ([true, true, true, true, true, false, true, true], [false, false, false, false, false, true, true, true]);
    assert_eq!(state().await, old);
    // Something that a run which was stopped had done already.
    manager.drop_index(Index::drop().name("ticket_user").table("ticket").to_owned()).await.unwrap();
    Migrator::up(&db, Some(1)).await.unwrap();
    assert_eq!(state().await, new);
    let ids = Ids::new(Arc::new(SystemClock), Arc::new(SystemEntropy));
    let owner = member(&db, &ids).await;
    let paid = |tid: Option<&str>| payment::ActiveModel {
        tid: Set(tid.map(str::to_owned)),
        taken_amount: Set(None),
        ..old_payment(ids.next(), owner, PaymentStatus::Pending, 1_000, 0)
    };
    for (tid, is_taken) in [(None, true), (None, true), (Some("T1"), true), (Some("T1"), false)] {
        let insert = payment::Entity::insert(paid(tid)).exec_without_returning(&db).await;
        assert_eq!(insert.is_ok(), is_taken, "{tid:?} {insert:?}");
    }
    Migrator::down(&db, Some(1)).await.unwrap();
    assert_eq!(state().await, old);
    Migrator::up(&db, Some(1)).await.unwrap();
    assert_eq!(state().await, new);
    db.close().await.unwrap();
    database.drop().await;
}

/// Status, what was due, what went back, and what must have been taken.
const OLD: [(PaymentStatus, i64, i64, Option<i64>); 10] = [
    (PaymentStatus::Approved, 10_000, 0, Some(10_000)),
    // A part went back, and it is still paid.
    (PaymentStatus::Approved, 10_000, 4_000, Some(10_000)),
    (PaymentStatus::Canceled, 10_000, 10_000, Some(10_000)),
    // More was taken than was due, and all of it went back.
    (PaymentStatus::Canceled, 10_000, 11_000, Some(11_000)),
    // On its way back: how much it is, the provider says.
    (PaymentStatus::Canceling, 10_000, 0, None),
    (PaymentStatus::Approving, 10_000, 0, None),
    (PaymentStatus::Pending, 10_000, 0, None),
    (PaymentStatus::Ready, 10_000, 0, None),
    (PaymentStatus::Failed, 10_000, 0, None),
    (PaymentStatus::Expired, 10_000, 0, None),
];

async fn what_was_taken_is_filled_in_for_old_payments(database: Database) {
    let folder = tempfile::tempdir().unwrap();
    let database = database.fresh(folder.path()).await;
    let db = before(&database, "m20261125_000040_payment_taken").await;
    let ids = Ids::new(Arc::new(SystemClock), Arc::new(SystemEntropy));
    let owner = member(&db, &ids).await;
    let mut due: Vec<(PaymentId, Option<i64>)> = Vec::new();
    for (status, amount, canceled, taken) in OLD {
        let id = ids.next();
        payment::Entity::insert(old_payment(id, owner, status, amount, canceled))
            .exec_without_returning(&db)
            .await
            .unwrap();
        due.push((id, taken));
    }
    assert!(payment::Entity::find().all(&db).await.is_err(), "the column is not there yet");
    Migrator::up(&db, None).await.unwrap();
    let rows = payment::Entity::find().order_by_asc(payment::Column::Id).all(&db).await.unwrap();
    let found: Vec<_> = rows.into_iter().map(|row| (row.id, row.taken_amount)).collect();
    due.sort_by_key(|(id, _)| *id);
    assert_eq!(found, due);
    db.close().await.unwrap();
    database.drop().await;
}

async fn member(db: &DatabaseConnection, ids: &Ids) -> UserId {
    let id = ids.next();
    let row = user::ActiveModel {
        id: Set(id),
        nickname: Set("미나".into()),
        role: Set(Role::User),
        language: Set("ko".into()),
        is_reminded_by_mail: Set(false),
        notification_count: Set(0),
        created_at: Set(first_moment()),
        ..<user::ActiveModel as Default>::default()
    };
    user::Entity::insert(row).exec_without_returning(db).await.unwrap();
    id
}

/// As a version wrote it that knew nothing of what was taken.
fn old_payment(
    id: PaymentId,
    owner: UserId,
    status: PaymentStatus,
    amount: i64,
    canceled: i64,
) -> payment::ActiveModel {
    payment::ActiveModel {
        id: Set(id),
        purpose: Set(PaymentPurpose::PointCharge),
        user_id: Set(owner),
        status: Set(status),
        amount: Set(amount),
        canceled_amount: Set(canceled),
        created_at: Set(first_moment()),
        changed_at: Set(first_moment()),
        ..<payment::ActiveModel as Default>::default()
    }
}
