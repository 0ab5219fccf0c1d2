//! `couponCreate`, `couponUpdate`, `couponDelete`: each is one transaction with its row of the audit log.

use super::model::{Changes, Draft, normal_code};
use crate::{
    admin::audit::{self, Actor, Change},
    app::App,
    booking::{idempotency, idempotency::Key},
    error::{Code, Error, Fault, Problem, Result},
    infra::db::is_unique,
    transaction,
};
use chrono::{DateTime, Utc};
use entity::{
    coupon::{ActiveModel, Column, Entity, Model},
    ids::{CouponId, TypedId},
};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr};
use serde_json::{Value, json};

/// With a key, the same again answers the same coupon.
pub async fn create(app: &App, actor: Actor, draft: &Draft) -> Result<Model> {
    let now = app.clock.now();
    let key = key(actor, draft)?;
    if let Some(made) = made_before(app, key.as_ref()).await? {
        return Ok(made);
    }
    draft.check(now).check()?;
    let row = row(app, draft, now);
    let made = transaction!(app, txn => {
        if let Some(key) = &key {
            key.store(txn, &row.id.to_string(), now).await?;
        }
        Entity::insert(ActiveModel::from(row.clone()).reset_all()).exec_without_returning(txn).await?;
        note(txn, app, actor, "coupon.create", row.id, None, Some(&row)).await
    });
    match made {
        Err(Error::Fault(Fault::Database(error))) if is_unique(&error, "coupon_code", "coupon.code") => {
            let ko = "이미 쓰이고 있는 코드입니다.";
            Err(Problem::new(Code::Taken, &["code"], ko, "There is a coupon with this code.").into())
        }
        Err(error) if idempotency::lost_to_twin(&error) => made_before(app, key.as_ref()).await?.ok_or(error),
        other => other.map(|()| row),
    }
}

/// An admin's keys are kept beside those of members: ids of both are unguessable and never the same.
fn key(actor: Actor, draft: &Draft) -> Result<Option<Key>> {
    let Some(key) = &draft.idempotency_key else { return Ok(None) };
    let what = json!({
        "name": draft.name, "kind": draft.kind, "discountKind": draft.discount_kind, "discountValue": draft.discount_value,
        "discountCap": draft.discount_cap, "minimumPurchase": draft.minimum_purchase, "validFrom": draft.valid_from,
        "validUntil": draft.valid_until, "quantity": draft.quantity, "code": draft.code,
    });
    Key::new(actor.admin.uuid().into(), key, "couponCreate", &what).map(Some)
}

async fn made_before(app: &App, key: Option<&Key>) -> Result<Option<Model>> {
    let Some(key) = key else { return Ok(None) };
    let Some(answer) = key.seen(app.db.reads()).await? else { return Ok(None) };
    let id: CouponId = answer.parse()?;
    Ok(Entity::find_by_id(id).one(app.db.reads()).await?)
}

fn row(app: &App, draft: &Draft, now: DateTime<Utc>) -> Model {
    let code = draft.code.as_deref().map_or_else(|| app.ids.code().chars().take(10).collect(), normal_code);
    Model {
        id: app.ids.next(),
        code,
        name: draft.name.trim().to_owned(),
        kind: draft.kind,
        discount_kind: draft.discount_kind,
        discount_value: draft.discount_value,
        discount_cap: draft.discount_cap,
        minimum_purchase: draft.minimum_purchase,
        valid_from: draft.valid_from,
        valid_until: draft.valid_until,
        quantity: draft.quantity,
        remaining: draft.quantity,
        version: 0,
        created_at: now,
        deleted_at: None,
    }
}

pub async fn update(app: &App, actor: Actor, id: CouponId, changes: &Changes) -> Result<Model> {
    transaction!(app, txn => {
        let old = lock(txn, id).await?;
        let new = match changes.on(&old) {
            Ok(new) => new,
            Err(problems) => return Err(problems.check().err().unwrap_or_else(|| Error::fault("refused without a reason"))),
        };
        ActiveModel::from(new.clone()).reset_all().update(txn).await?;
        note(txn, app, actor, "coupon.update", id, Some(&old), Some(&new)).await?;
        Ok(new)
    })
}

/// Nobody gets one any more, and who has one cannot use it. A hold that set one aside keeps its price: it was promised.
pub async fn delete(app: &App, actor: Actor, id: CouponId) -> Result<CouponId> {
    transaction!(app, txn => {
        let old = lock(txn, id).await?;
        Entity::update_many()
            .col_expr(Column::DeletedAt, Expr::value(app.clock.now()))
            // Whoever read it before this sees that it has changed.
            .col_expr(Column::Version, Expr::value(old.version + 1))
            .filter(Column::Id.eq(id))
            .exec(txn)
            .await?;
        note(txn, app, actor, "coupon.delete", id, Some(&old), None).await?;
        Ok(id)
    })
}

async fn lock(txn: &impl ConnectionTrait, id: CouponId) -> Result<Model> {
    let row = Entity::find_by_id(id).lock_exclusive().one(txn).await?.filter(|row| row.deleted_at.is_none());
    row.ok_or_else(|| Error::not_found(&["couponId"]))
}

async fn note(
    txn: &impl ConnectionTrait,
    app: &App,
    actor: Actor,
    action: &'static str,
    id: CouponId,
    before: Option<&Model>,
    after: Option<&Model>,
) -> Result<()> {
    let mut change = Change::new(action, "coupon", id);
    if let Some(row) = before {
        change = change.before(facts(row));
    }
    if let Some(row) = after {
        change = change.after(facts(row));
    }
    audit::write(txn, app, actor, change).await
}

fn facts(row: &Model) -> Value {
    json!({
        "code": row.code, "name": row.name, "kind": row.kind, "discountKind": row.discount_kind,
        "discountValue": row.discount_value, "discountCap": row.discount_cap, "minimumPurchase": row.minimum_purchase,
        "validFrom": row.valid_from, "validUntil": row.valid_until, "quantity": row.quantity,
    })
}
