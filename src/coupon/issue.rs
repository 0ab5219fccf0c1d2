//! `couponIssue`: one to each person, never more than there are.
//!
//! `STANDARD` coupons are taken optimistically: read, then changed only if nobody changed them since, with bounded
//! retries. `LIMITED` ones queue on the row's lock, first come, first served. In both the write itself is guarded, and
//! the unique index on person and coupon is the last word. On SQLite every writer waits its turn anyway.

use super::{
    model::{Closed, closed},
    query,
};
use crate::{
    app::App,
    error::{Code, Error, Fault, More, Problem, Result},
    infra::{db::is_unique, jobs},
    notification::coupon_issued::TellCouponIssued,
    transaction, user,
    user::viewer::Buyer,
};
use entity::{
    coupon::{Column, Entity, Model},
    enums::{CouponKind, UserCouponStatus},
    ids::{CouponId, UserCouponId, UserId},
    user_coupon,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, ExprTrait},
};
use std::time::Duration;

/// Rounds against others who read the same version. In each one of them wins, and the pools of the nodes bound how many there are.
const MOST_ROUNDS: u32 = 24;

pub async fn issue(app: &App, buyer: Buyer, id: CouponId) -> Result<UserCouponId> {
    let user = buyer.id();
    // Answers most of a rush without a lock: who has one, and who comes when none is left.
    let seen = Entity::find_by_id(id).one(app.db.reads()).await?.ok_or_else(not_found)?;
    refuse_second(app, user, id).await?;
    check(app, &seen)?;
    let issued = match seen.kind {
        CouponKind::Standard => optimistic(app, user, id).await,
        CouponKind::Limited => transaction!(app, txn => locked(txn, app, user, id).await),
    };
    match issued {
        Err(Error::Fault(Fault::Database(error)))
            if is_unique(&error, "user_coupon_one_each", "user_coupon.user_id") =>
        {
            refuse_second(app, user, id).await?;
            Err(error.into())
        }
        other => other,
    }
}

async fn optimistic(app: &App, user: UserId, id: CouponId) -> Result<UserCouponId> {
    for round in 0..MOST_ROUNDS {
        let issued = transaction!(app, txn => {
            user::query::lock_present(txn, user).await?;
            let coupon = Entity::find_by_id(id).one(txn).await?.ok_or_else(not_found)?;
            check(app, &coupon)?;
            if take(txn, &coupon).await? { give(txn, app, user, id).await.map(Some) } else { Ok(None) }
        })?;
        if let Some(issued) = issued {
            return Ok(issued);
        }
        // Full jitter over 4, 8 … at most 128 ms: who lost together does not come back together.
        let window = 4_u64 << Ord::min(round, 5);
        tokio::time::sleep(Duration::from_millis(app.ids.below(window) + 1)).await;
    }
    let ko = "지금 요청이 몰리고 있습니다. 잠시 뒤에 다시 시도해 주세요.";
    Err(Problem::new(Code::Busy, &["couponId"], ko, "Too many at once. Try again in a moment.").into())
}

async fn locked(txn: &impl ConnectionTrait, app: &App, user: UserId, id: CouponId) -> Result<UserCouponId> {
    user::query::lock_present(txn, user).await?;
    let coupon = Entity::find_by_id(id).lock_exclusive().one(txn).await?.ok_or_else(not_found)?;
    check(app, &coupon)?;
    if take(txn, &coupon).await? {
        return give(txn, app, user, id).await;
    }
    Err(Error::fault(format!("{id} changed under its lock")))
}

/// One piece less, if nobody changed the coupon since it was read.
async fn take(txn: &impl ConnectionTrait, coupon: &Model) -> Result<bool> {
    let taken = Entity::update_many()
        .col_expr(Column::Remaining, Expr::col(Column::Remaining).sub(1))
        .col_expr(Column::Version, Expr::col(Column::Version).add(1))
        .filter(Column::Id.eq(coupon.id))
        .filter(Column::Version.eq(coupon.version))
        .filter(Column::Remaining.gt(0))
        .exec(txn)
        .await?;
    Ok(taken.rows_affected == 1)
}

async fn give(txn: &impl ConnectionTrait, app: &App, user_id: UserId, coupon_id: CouponId) -> Result<UserCouponId> {
    let now = app.clock.now();
    let id: UserCouponId = app.ids.next();
    let row = user_coupon::Model {
        id,
        user_id,
        coupon_id,
        status: UserCouponStatus::Available,
        issued_at: now,
        used_at: None,
    };
    user_coupon::Entity::insert(user_coupon::ActiveModel::from(row).reset_all()).exec_without_returning(txn).await?;
    jobs::enqueue(txn, &app.ids, now, now, &TellCouponIssued { user_coupon_id: id }).await?;
    Ok(id)
}

async fn refuse_second(app: &App, user: UserId, id: CouponId) -> Result<()> {
    let Some(own) = query::of_person(app.db.reads(), user, id).await? else { return Ok(()) };
    let (ko, en) = ("이미 받은 쿠폰입니다.", "You have this coupon already.");
    Err(Problem::new(Code::AlreadyIssued, &["couponId"], ko, en).with(More::AlreadyIssued(own.id)).into())
}

fn not_found() -> Error {
    Error::not_found(&["couponId"])
}

fn check(app: &App, coupon: &Model) -> Result<()> {
    let (code, ko, en) = match closed(coupon, app.clock.now()) {
        None => return Ok(()),
        Some(Closed::Gone) => return Err(not_found()),
        Some(Closed::NotYet) => (Code::NotAllowed, "아직 받을 수 없는 쿠폰입니다.", "It is not given out yet."),
        Some(Closed::Over) => (Code::NotAllowed, "기간이 끝난 쿠폰입니다.", "Its time is over."),
        Some(Closed::Exhausted) => (Code::CouponExhausted, "쿠폰이 모두 소진되었습니다.", "None is left."),
    };
    Err(Problem::new(code, &["couponId"], ko, en).into())
}
