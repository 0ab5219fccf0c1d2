//! One database with people in it, for all runs: what an earlier run left in disorder, a later one sees.

use crate::{Result, server::Plan};
use chrono::TimeDelta;
use entity::{
    coupon,
    enums::{CouponKind, DiscountKind, PointEntryKind, Role, UserCouponStatus},
    ids::{CouponId, UserCouponId, UserId},
    point_account, user, user_coupon,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, Database, EntityTrait, IntoActiveModel, QueryFilter,
    sea_query::Expr,
};
use serde_json::{Value, json};
use spotlight::{
    app::{App, World as Sources},
    auth::session::{self, Holder},
    config::Config,
};
use std::path::Path;
use tempfile::TempDir;

/// Settings that differ from the defaults: what is waited for is short, so that a thousand runs end today. But for an
/// operation: one that is slow on a busy machine is no fault, and whose time is up is told nothing of what it did.
const SHORT: &[(&str, &str)] = &[
    ("auth.access_seconds", "86400"),
    ("edge.operation_seconds", "25"),
    ("kakaopay.timeout_seconds", "1"),
    ("booking.payment_grace_seconds", "2"),
    ("mail.timeout_seconds", "1"),
    ("worker.lease_seconds", "2"),
    ("worker.poll_millis", "100"),
    ("log.filter", "warn"),
];

pub struct World {
    /// The same database, looked at from this process.
    pub app: App,
    pub plan: Plan,
    _folder: TempDir,
}

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct Member {
    pub id: UserId,
    pub token: String,
}

impl World {
    /// A fresh database at `address` (`sqlite`, or a server), and a fresh data folder.
    pub async fn make(address: &str, more: &[(&str, String)], is_as_configured: bool) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let url = fresh(address, folder.path()).await?;
        let mut settings: Vec<(String, String)> = vec![("database.url".into(), url)];
        settings.push(("server.listen".into(), free_address()?));
        settings.push(("auth.access_seconds".into(), "86400".into()));
        if !is_as_configured {
            settings.extend(SHORT.iter().map(|(key, value)| ((*key).into(), (*value).into())));
        }
        settings.extend(more.iter().map(|(key, value)| ((*key).into(), value.clone())));
        let data = folder.path().join("data");
        std::fs::create_dir(&data)?;
        let plan = Plan { folder: data, settings };
        let app = App::build(config(&plan)?, Sources::default()).await?;
        Ok(Self { app, plan, _folder: folder })
    }

    /// A data folder for one more node: the same keys.
    pub fn node(&self, name: &str) -> Result<Plan> {
        let folder = self.plan.folder.with_file_name(name);
        std::fs::create_dir_all(folder.join("keys"))?;
        for key in std::fs::read_dir(self.plan.folder.join("keys"))? {
            let key = key?;
            std::fs::copy(key.path(), folder.join("keys").join(key.file_name()))?;
        }
        let mut settings = self.plan.settings.clone();
        settings.push(("server.listen".into(), free_address()?));
        Ok(Plan { folder, settings })
    }

    pub async fn member(&self, name: &str, role: Role) -> Result<Member> {
        let app = &self.app;
        let id = app.ids.next::<UserId>();
        let row = user::Model {
            id,
            email: Some(format!("{name}-{id}@spotlight.test")),
            password_hash: None,
            nickname: name.to_owned(),
            birth_date: None,
            phone_number: None,
            location: None,
            role,
            language: "ko".to_owned(),
            is_reminded_by_mail: false,
            notification_count: 0,
            created_at: app.clock.now(),
            withdrawn_at: None,
        };
        user::Entity::insert(row.into_active_model().reset_all()).exec_without_returning(app.db.reads()).await?;
        let account = point_account::Model { user_id: id, balance: 0, held: 0 };
        let account = account.into_active_model().reset_all();
        point_account::Entity::insert(account).exec_without_returning(app.db.reads()).await?;
        let token = session::begin(app, Holder::Member(id, role)).await?.access_token;
        Ok(Member { id, token })
    }

    pub async fn give_points(&self, member: &Member, points: i64) -> Result<()> {
        let txn = self.app.db.begin().await?;
        let kind = PointEntryKind::Adjustment;
        spotlight::point::ledger::add(&txn, &self.app, member.id, kind, points, &format!("torture {}", member.id))
            .await?;
        Ok(txn.commit().await?)
    }

    /// A coupon of 1,000 won, of which there are so many.
    pub async fn coupon(&self, kind: CouponKind, quantity: i32) -> Result<CouponId> {
        let (app, now) = (&self.app, self.app.clock.now());
        let row = coupon::Model {
            id: app.ids.next(),
            code: app.ids.code(),
            name: "torture".to_owned(),
            kind,
            discount_kind: DiscountKind::Fixed,
            discount_value: 1_000,
            discount_cap: None,
            minimum_purchase: 0,
            valid_from: now - TimeDelta::days(1),
            valid_until: now + TimeDelta::days(30),
            quantity,
            remaining: quantity,
            version: 1,
            created_at: now,
            deleted_at: None,
        };
        let id = row.id;
        coupon::Entity::insert(row.into_active_model().reset_all()).exec_without_returning(app.db.reads()).await?;
        Ok(id)
    }

    /// A coupon of 1,000 won in the member's hand, the only one of its kind; answers its id.
    pub async fn give_coupon(&self, member: &Member) -> Result<UserCouponId> {
        let (app, db) = (&self.app, self.app.db.reads());
        let coupon_id = self.coupon(CouponKind::Standard, 1).await?;
        let own = user_coupon::Model {
            id: app.ids.next(),
            user_id: member.id,
            coupon_id,
            status: UserCouponStatus::Available,
            issued_at: app.clock.now(),
            used_at: None,
        };
        let id = own.id;
        user_coupon::Entity::insert(own.into_active_model().reset_all()).exec_without_returning(db).await?;
        coupon::Entity::update_many()
            .col_expr(coupon::Column::Remaining, Expr::value(0))
            .filter(coupon::Column::Id.eq(coupon_id))
            .exec(db)
            .await?;
        Ok(id)
    }

    /// What an artist sends to publish an event.
    pub fn event_input(&self, title: &str, price: i64, capacity: i32) -> Value {
        let at = |days| self.app.clock.now() + TimeDelta::days(days);
        json!({
            "title": title, "content": "torture", "category": "MUSIC", "venue": { "name": "v", "address": "a" },
            "bookingOpensAt": at(-1), "bookingClosesAt": at(9), "startsAt": at(10), "endsAt": at(11),
            "ticketTypes": [{ "name": "일반", "price": price, "capacity": capacity }],
        })
    }
}

/// The same after each restart: browsers come back to it.
fn free_address() -> Result<String> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

fn config(plan: &Plan) -> Result<Config> {
    let text = |value: &str| value.parse().unwrap_or_else(|_| value.into());
    let mut overrides = vec![("data_dir", plan.folder.display().to_string().into()), ("demo", false.into())];
    overrides.extend(plan.settings.iter().map(|(key, value)| (key.as_str(), text(value))));
    Ok(Config::load(None, &overrides)?)
}

async fn fresh(address: &str, folder: &Path) -> Result<String> {
    if address == "sqlite" {
        return Ok(format!("sqlite:{}", folder.join("torture.db").display()));
    }
    let name = folder.file_name().map(|name| name.to_string_lossy().to_lowercase().replace('.', "torture_"));
    let name = name.ok_or("the folder has no name")?;
    let server = Database::connect(address).await?;
    server.execute_unprepared(&format!("CREATE DATABASE {name}")).await?;
    server.close().await?;
    let (base, _) = address.rsplit_once('/').ok_or("the address names no database")?;
    Ok(format!("{base}/{name}"))
}
