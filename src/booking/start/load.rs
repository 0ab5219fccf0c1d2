//! What a group is decided on, read in as many statements for a hundred requests as for one.

use super::{
    model::{Answer, Desk, OwnCoupon, Seats, Used},
    request::Request,
};
use crate::{
    booking::{idempotency, model::Discount, query},
    error::Result,
    event,
    infra::db::padded,
    user,
};
use chrono::{DateTime, Utc};
use entity::{
    coupon,
    enums::{EventStatus, UserCouponStatus},
    event::Column as Event,
    idempotency_key,
    ids::{CouponId, EventId, TicketTypeId, UserCouponId, UserId},
    point_account, ticket_type, user_coupon,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QueryResult,
    QuerySelect, Statement,
    sea_query::{Asterisk, Expr, ExprTrait, LockType, Order, Query, SelectStatement, UnionType},
};
use std::collections::{BTreeSet, HashMap, HashSet};

/// How to read.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// Inside the transaction that writes: buyers shared, then the event, ticket types, coupons and points for oneself, each
    /// in id order.
    pub is_locking: bool,
    /// The keys that were used before: only needed when one of the group may have been, and not read already.
    pub has_keys: bool,
    pub now: DateTime<Utc>,
}

/// What a transaction asks first: who of the buyers is there, and the event with its stock. Locked in this order, each in the
/// order of its ids. One question, but for MySQL: it locks what stands in a union while it still plans it, the event first.
pub fn opening(backend: DbBackend, id: EventId, group: &[Request]) -> Vec<Statement> {
    let mut present = user::query::select_present(buyers(group));
    let stock = stock(id, group).lock(own_lock(backend)).take();
    if backend == DbBackend::MySql {
        return vec![backend.build(nothing_of_stock(&mut present)), backend.build(&stock)];
    }
    // Locks belong to a whole question there, so that each is a question of its own.
    let mut both = Query::select();
    both.column("id").from_subquery(present, "present");
    nothing_of_stock(&mut both);
    let stock = Query::select().column(Asterisk).from_subquery(stock, "stock").take();
    vec![backend.build(both.union(UnionType::All, stock))]
}

/// In the row of a buyer.
fn nothing_of_stock(select: &mut SelectStatement) -> &mut SelectStatement {
    for name in ["price", "remaining", "per_person_limit", "status", "booking_opens_at", "booking_closes_at"] {
        select.expr_as(Expr::cust("NULL"), name);
    }
    select
}

/// The same without a lock, in a row for each ticket type and none for the buyers: they are counted.
pub fn glance(backend: DbBackend, id: EventId, group: &[Request]) -> Statement {
    let count = user::query::count_present(&buyers(group));
    backend.build(stock(id, group).expr_as(Expr::SubQuery(None, Box::new(count.into())), PRESENT))
}

const PRESENT: &str = "present";

/// The answer to either.
#[derive(Debug)]
pub struct Opened {
    present: HashSet<UserId>,
    pub stock: Vec<Stock>,
}

impl Opened {
    pub fn of(answers: &[Vec<QueryResult>]) -> Result<Self> {
        let mut opened = Self { present: HashSet::new(), stock: Vec::new() };
        for row in answers.iter().flatten() {
            match row.try_get::<Option<i64>>("", "price")? {
                None => _ = opened.present.insert(row.try_get("", "id")?),
                Some(_) => opened.stock.push(Stock::from_query_result(row, "")?),
            }
        }
        Ok(opened)
    }

    /// `None`: one of the buyers is not there. (Where none of the ticket types is, nobody has counted them, and nobody can be
    /// granted anything.)
    pub fn glanced(rows: &[QueryResult], group: &[Request]) -> Result<Option<Self>> {
        let present = buyers(group);
        let count: Option<i64> = rows.first().map(|row| row.try_get("", PRESENT)).transpose()?;
        if count.is_some_and(|count| usize::try_from(count) != Ok(present.len())) {
            return Ok(None);
        }
        let stock = rows.iter().map(|row| Stock::from_query_result(row, "")).collect::<Result<_, DbErr>>()?;
        Ok(Some(Self { present: present.into_iter().collect(), stock }))
    }
}

/// For requests that are all for this event.
pub async fn desk(
    db: &impl ConnectionTrait,
    id: EventId,
    group: &[Request],
    opened: Opened,
    reading: Reading,
) -> Result<Desk> {
    let Opened { present, stock } = opened;
    let is_open = match stock.first() {
        Some(row) => Some(row.is_open(reading.now)),
        // None of the ticket types is this event's: which of the two is unknown?
        None => event::query::by_id(db, id).await?.map(|_| true),
    };
    let limited: Vec<TicketTypeId> =
        stock.iter().filter(|row| row.per_person_limit.is_some()).map(|row| row.id).collect();
    let seats = stock
        .into_iter()
        .map(|row| (row.id, Seats { price: row.price, remaining: row.remaining, limit: row.per_person_limit }));
    Ok(Desk {
        absent: buyers(group).into_iter().filter(|buyer| !present.contains(buyer)).collect(),
        is_open,
        seats: seats.collect(),
        has: has(db, group, &limited).await?,
        coupons: coupons(db, group, reading).await?,
        points: points(db, group, reading).await?,
        keys: if reading.has_keys {
            keys(&db.query_all_raw(select_keys(db.get_database_backend(), group)).await?)?
        } else {
            HashMap::new()
        },
    })
}

fn buyers(group: &[Request]) -> BTreeSet<UserId> {
    group.iter().map(|request| request.buyer).collect()
}

/// A ticket type with what decides whether its event is on sale.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Stock {
    pub id: TicketTypeId,
    pub price: i64,
    pub remaining: i32,
    pub per_person_limit: Option<i32>,
    pub status: EventStatus,
    pub booking_opens_at: DateTime<Utc>,
    pub booking_closes_at: DateTime<Utc>,
}

impl Stock {
    fn is_open(&self, now: DateTime<Utc>) -> bool {
        event::model::is_open(self.status, self.booking_opens_at, self.booking_closes_at, now)
    }
}

/// The event and its ticket types in one statement. To be locked in this order, each for oneself alone: were the event shared, a
/// rush at two nodes could hold it between them for as long as it lasts, and who cancels the event would never have it.
fn stock(id: EventId, group: &[Request]) -> SelectStatement {
    let wanted: BTreeSet<TicketTypeId> = group.iter().flat_map(|request| request.wanted.keys().copied()).collect();
    use ticket_type::Column as Type;
    let mut select = Query::select();
    select
        .columns([Type::Id, Type::Price, Type::Remaining, Type::PerPersonLimit].map(|column| column.as_column_ref()))
        .columns([Event::Status, Event::BookingOpensAt, Event::BookingClosesAt].map(|column| column.as_column_ref()))
        .from(entity::event::Entity)
        .inner_join(ticket_type::Entity, Type::EventId.into_expr().equals(Event::Id.as_column_ref()))
        .and_where(Event::Id.eq(id))
        .and_where(Type::Id.is_in(padded(wanted)))
        .order_by(Type::Id.as_column_ref(), Order::Asc);
    select
}

/// For oneself alone. PostgreSQL's stronger one would hold up every row elsewhere that refers to what is locked.
pub fn own_lock(backend: DbBackend) -> LockType {
    if backend == DbBackend::Postgres { LockType::NoKeyUpdate } else { LockType::Update }
}

async fn has(
    db: &impl ConnectionTrait,
    group: &[Request],
    limited: &[TicketTypeId],
) -> Result<HashMap<(UserId, TicketTypeId), i64>> {
    let wants_limited = |request: &&Request| limited.iter().any(|id| request.wanted.contains_key(id));
    let buyers: BTreeSet<UserId> = group.iter().filter(wants_limited).map(|request| request.buyer).collect();
    if buyers.is_empty() { Ok(HashMap::new()) } else { query::seats_of(db, buyers, limited).await }
}

async fn coupons(
    db: &impl ConnectionTrait,
    group: &[Request],
    reading: Reading,
) -> Result<HashMap<UserCouponId, OwnCoupon>> {
    let ids: BTreeSet<UserCouponId> = group.iter().filter_map(|request| request.user_coupon_id).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let select = user_coupon::Entity::find().filter(user_coupon::Column::Id.is_in(ids));
    let mut select = select.order_by_asc(user_coupon::Column::Id);
    if reading.is_locking {
        select = select.lock_exclusive();
    }
    let owned = select.all(db).await?;
    let kinds: BTreeSet<CouponId> = owned.iter().map(|own| own.coupon_id).collect();
    let kinds = coupon::Entity::find().filter(coupon::Column::Id.is_in(kinds)).all(db).await?;
    let kinds: HashMap<CouponId, coupon::Model> = kinds.into_iter().map(|row| (row.id, row)).collect();
    let known = owned.into_iter().filter_map(|own| {
        let row = kinds.get(&own.coupon_id)?;
        let is_usable = own.status == UserCouponStatus::Available
            && row.deleted_at.is_none()
            && (row.valid_from..row.valid_until).contains(&reading.now);
        let discount = Discount { kind: row.discount_kind, value: row.discount_value, cap: row.discount_cap };
        let minimum_purchase = row.minimum_purchase;
        Some((own.id, OwnCoupon { owner: own.user_id, is_usable, minimum_purchase, discount }))
    });
    Ok(known.collect())
}

async fn points(db: &impl ConnectionTrait, group: &[Request], reading: Reading) -> Result<HashMap<UserId, i64>> {
    let payers: BTreeSet<UserId> =
        group.iter().filter(|request| request.points > 0).map(|request| request.buyer).collect();
    if payers.is_empty() {
        return Ok(HashMap::new());
    }
    let select = point_account::Entity::find().filter(point_account::Column::UserId.is_in(payers));
    let mut select = select.order_by_asc(point_account::Column::UserId);
    if reading.is_locking {
        select = select.lock_exclusive();
    }
    let accounts = select.all(db).await?;
    Ok(accounts.into_iter().map(|account| (account.user_id, account.balance - account.held)).collect())
}

/// Asks what was answered to the group's keys before.
pub fn select_keys(backend: DbBackend, group: &[Request]) -> Statement {
    backend.build(&idempotency::select_used(group.iter().map(|request| &request.key)))
}

/// The same in a text that comes again.
pub fn glance_keys(backend: DbBackend, group: &[Request]) -> Statement {
    backend.build(&idempotency::select_used(padded(group.iter().map(|request| &request.key)).into_iter()))
}

/// The answer to it.
pub fn keys(rows: &[QueryResult]) -> Result<HashMap<(UserId, String), Used>> {
    let used = |row: &QueryResult| {
        let row = idempotency_key::Model::from_query_result(row, "")?;
        let (operation, input_hash, answer) = (row.operation, row.input_hash, Answer::Stored(row.answer));
        Ok(((row.user_id, row.key), Used { operation, input_hash, answer }))
    };
    Ok(rows.iter().map(used).collect::<Result<_, DbErr>>()?)
}
