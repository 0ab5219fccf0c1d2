//! `couponCreate`, `couponUpdate`, `couponDelete`: each is one transaction with its row of the audit log.

use super::model::{Changes, Draft, normal_code};
use crate::{
    admin::audit::{self, Actor, Change},
    app::App,
    error::{Code, Error, Fault, Problem, Result},
    infra::db::is_unique,
    transaction,
};
use entity::{
    coupon::{ActiveModel, Column, Entity, Model},
    ids::CouponId,
};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr};
use serde_json::{Value, json};

pub async fn create(app: &App, actor: Actor, draft: &Draft) -> Result<Model> {
    let now = app.clock.now();
    draft.check(now).check()?;
    let code = draft.code.as_deref().map_or_else(|| app.ids.ticket_code().chars().take(10).collect(), normal_code);
    let row = Model {
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
    };
    let made = transaction!(app, txn => {
        Entity::insert(ActiveModel::from(row.clone()).reset_all()).exec_without_returning(txn).await?;
        note(txn, app, actor, "coupon.create", row.id, None, Some(&row)).await
    });
    match made {
        Err(Error::Fault(Fault::Database(error))) if is_unique(&error, "coupon_code", "coupon.code") => {
            let ko = "이미 쓰이고 있는 코드입니다.";
            Err(Problem::new(Code::Taken, &["code"], ko, "There is a coupon with this code.").into())
        }
        other => other.map(|()| row),
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
