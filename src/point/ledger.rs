//! The only writes to the ledger, inside somebody's transaction.

use crate::{
    app::App,
    booking::hold::{all, by_user},
    error::{Error, Result},
};
use entity::{enums::PointEntryKind, ids::UserId, point_account, point_entry};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, ExprTrait},
};
use std::collections::BTreeMap;

/// What a hold set aside is spent.
pub async fn spend_held(txn: &impl ConnectionTrait, app: &App, user: UserId, points: i64, cause: &str) -> Result<()> {
    use point_account::Column;
    if points == 0 {
        return Ok(());
    }
    let spent = point_account::Entity::update_many()
        .col_expr(Column::Balance, Expr::col(Column::Balance).sub(points))
        .col_expr(Column::Held, Expr::col(Column::Held).sub(points))
        .filter(Column::UserId.eq(user))
        .filter(Column::Held.gte(points))
        .exec(txn)
        .await?;
    crate::booking::hold::one(spent.rows_affected, "points spent")?;
    enter(txn, app, user, PointEntryKind::Spend, -points, cause).await
}

/// The same for many causes at once, in their order.
pub async fn spend_all_held(txn: &impl ConnectionTrait, app: &App, spent: Vec<(UserId, i64, String)>) -> Result<()> {
    use point_account::Column;
    if spent.is_empty() {
        return Ok(());
    }
    let mut sums: BTreeMap<UserId, i64> = BTreeMap::new();
    for (user, points, _) in &spent {
        *sums.entry(*user).or_default() += points;
    }
    let changed = point_account::Entity::update_many()
        .col_expr(Column::Balance, Expr::col(Column::Balance).sub(by_user(&sums)))
        .col_expr(Column::Held, Expr::col(Column::Held).sub(by_user(&sums)))
        .filter(Column::UserId.is_in(sums.keys().copied()))
        .filter(Expr::col(Column::Held).gte(by_user(&sums)))
        .exec(txn)
        .await?;
    all(changed.rows_affected, sums.len(), "points spent")?;
    let accounts = point_account::Entity::find().filter(Column::UserId.is_in(sums.keys().copied())).all(txn).await?;
    // What each had before the first of its entries.
    let before = |row: point_account::Model| (row.user_id, row.balance + sums.get(&row.user_id).copied().unwrap_or(0));
    let mut balances: BTreeMap<UserId, i64> = accounts.into_iter().map(before).collect();
    let now = app.clock.now();
    let rows = spent.into_iter().map(|(user_id, points, cause)| {
        let balance = balances.entry(user_id).or_default();
        *balance -= points;
        let (id, kind, amount, balance_after) = (app.ids.next(), PointEntryKind::Spend, -points, *balance);
        let row = point_entry::Model { id, user_id, kind, cause, amount, balance_after, created_at: now };
        point_entry::ActiveModel::from(row).reset_all()
    });
    point_entry::Entity::insert_many(rows).exec_without_returning(txn).await?;
    Ok(())
}

/// What a canceled booking spent comes back.
pub async fn give_back(txn: &impl ConnectionTrait, app: &App, user: UserId, points: i64, cause: &str) -> Result<()> {
    add(txn, app, user, PointEntryKind::GiveBack, points, cause).await
}

/// Points come in.
pub async fn add(
    txn: &impl ConnectionTrait,
    app: &App,
    user: UserId,
    kind: PointEntryKind,
    points: i64,
    cause: &str,
) -> Result<()> {
    use point_account::Column;
    if points == 0 {
        return Ok(());
    }
    let added = point_account::Entity::update_many()
        .col_expr(Column::Balance, Expr::col(Column::Balance).add(points))
        .filter(Column::UserId.eq(user))
        .exec(txn)
        .await?;
    crate::booking::hold::one(added.rows_affected, "points added")?;
    enter(txn, app, user, kind, points, cause).await
}

/// All that is there goes, once for each cause. Nothing may be held.
pub async fn forfeit(txn: &impl ConnectionTrait, app: &App, user: UserId, cause: &str) -> Result<i64> {
    use point_account::Column;
    let done = point_entry::Entity::find()
        .filter(point_entry::Column::Kind.eq(PointEntryKind::Adjustment))
        .filter(point_entry::Column::Cause.eq(cause));
    let account = point_account::Entity::find_by_id(user).lock_exclusive().one(txn).await?;
    let points = account.map_or(0, |account| account.balance);
    if points == 0 || done.one(txn).await?.is_some() {
        return Ok(0);
    }
    let gone = point_account::Entity::update_many()
        .col_expr(Column::Balance, Expr::value(0))
        .filter(Column::UserId.eq(user))
        .filter(Column::Balance.eq(points))
        .filter(Column::Held.eq(0))
        .exec(txn)
        .await?;
    crate::booking::hold::one(gone.rows_affected, "points forfeited")?;
    enter(txn, app, user, PointEntryKind::Adjustment, -points, cause).await?;
    Ok(points)
}

/// The account's row is locked by the update before it, so the balance read here is the one after this entry.
async fn enter(
    txn: &impl ConnectionTrait,
    app: &App,
    user: UserId,
    kind: PointEntryKind,
    amount: i64,
    cause: &str,
) -> Result<()> {
    let account = point_account::Entity::find_by_id(user).one(txn).await?;
    let account = account.ok_or_else(|| Error::fault("no point account"))?;
    let row = point_entry::Model {
        id: app.ids.next(),
        user_id: user,
        kind,
        cause: cause.to_owned(),
        amount,
        balance_after: account.balance,
        created_at: app.clock.now(),
    };
    let row = point_entry::ActiveModel::from(row).reset_all();
    point_entry::Entity::insert(row).exec_without_returning(txn).await?;
    Ok(())
}
