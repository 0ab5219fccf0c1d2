//! What the last transaction of an event saw and left. A crowd that wants the same seats is decided on it, without asking
//! first: the database checks it under the locks, in the message that writes, and makes an error of it if it is no longer so.
//! Then all is asked anew. It is never an answer by itself, neither yes nor no.

use super::{
    load::{Stock, own_lock},
    model::{Desk, Seats},
    request::Request,
};
use crate::{event, user};
use chrono::{DateTime, Utc};
use entity::{
    enums::EventStatus,
    event::Column as Event,
    ids::{EventId, TicketTypeId, UserId},
    ticket_type::{self, Column as Type},
};
use sea_orm::{
    ColumnTrait, DbBackend, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Statement,
    sea_query::{CaseStatement, Cond, Expr, ExprTrait, SelectStatement},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicU64, Ordering},
};

/// How many were made on this node.
#[derive(Debug, Default)]
pub struct Guesses {
    right: AtomicU64,
    wrong: AtomicU64,
}

impl Guesses {
    pub fn count(&self, is_right: bool) {
        let outcome = if is_right { &self.right } else { &self.wrong };
        outcome.fetch_add(1, Ordering::Relaxed);
    }

    /// Those that the database took, and those that it did not.
    pub fn made(&self) -> (u64, u64) {
        (self.right.load(Ordering::Relaxed), self.wrong.load(Ordering::Relaxed))
    }
}

#[derive(Clone, Debug)]
pub struct Guess {
    event_id: EventId,
    status: EventStatus,
    opens_at: DateTime<Utc>,
    closes_at: DateTime<Utc>,
    seats: BTreeMap<TicketTypeId, Seats>,
}

impl Guess {
    /// After what was read, and taken of it.
    pub fn of(event_id: EventId, stock: &[Stock], taken: &BTreeMap<TicketTypeId, i32>) -> Option<Self> {
        let first = stock.first()?;
        let seats = stock.iter().map(|row| {
            let remaining = row.remaining - taken.get(&row.id).copied().unwrap_or_default();
            (row.id, Seats { price: row.price, remaining, limit: row.per_person_limit })
        });
        Some(Self {
            event_id,
            status: first.status,
            opens_at: first.booking_opens_at,
            closes_at: first.booking_closes_at,
            seats: seats.collect(),
        })
    }

    /// With what an older one knew of other ticket types.
    pub fn beside(mut self, older: Option<Self>) -> Self {
        for (id, seats) in older.into_iter().flat_map(|older| older.seats) {
            self.seats.entry(id).or_insert(seats);
        }
        self
    }

    /// What these may be decided on, if nothing else must be read for them.
    pub fn desk(&self, group: &[Request], now: DateTime<Utc>) -> Option<Desk> {
        let is_known = |id: &TicketTypeId| self.seats.get(id).is_some_and(|seats| seats.limit.is_none());
        let is_plain = |request: &Request| {
            request.user_coupon_id.is_none() && request.points == 0 && request.wanted.keys().all(is_known)
        };
        let is_open = event::model::is_open(self.status, self.opens_at, self.closes_at, now);
        group.iter().all(is_plain).then(|| Desk {
            is_open: Some(is_open),
            seats: self.seats.clone(),
            ..Desk::default()
        })
    }

    /// Whether some of each are left: the last ones are given out by who has asked.
    pub fn is_enough(&self, taken: &BTreeMap<TicketTypeId, i32>) -> bool {
        taken.iter().all(|(id, quantity)| self.seats.get(id).is_some_and(|seats| seats.remaining > *quantity))
    }

    pub fn take(&mut self, taken: &BTreeMap<TicketTypeId, i32>) {
        for (id, quantity) in taken {
            if let Some(seats) = self.seats.get_mut(id) {
                seats.remaining -= quantity;
            }
        }
    }

    /// Takes so many seats of a ticket type, and fails if any of this is not so: then the column's CHECK refuses it.
    pub fn take_seats(
        &self,
        backend: DbBackend,
        (id, quantity): (TicketTypeId, i32),
        buyers: &BTreeSet<UserId>,
    ) -> Statement {
        let present = user::query::count_present(buyers).into();
        let is_so = Cond::all()
            .add(Type::Remaining.gt(quantity))
            .add(Type::Price.eq(self.seats.get(&id).map_or(-1, |seats| seats.price)))
            .add(Type::PerPersonLimit.is_null())
            .add(Type::EventId.eq(self.event_id))
            .add(Expr::exists(self.select_event()))
            .add(Expr::SubQuery(None, Box::new(present)).eq(i64::try_from(buyers.len()).unwrap_or(-1)));
        let left = CaseStatement::new().case(is_so, Type::Remaining.into_expr().sub(quantity)).finally(-1);
        let take = ticket_type::Entity::update_many().col_expr(Type::Remaining, left.into());
        take.filter(Type::Id.eq(id)).build(backend)
    }

    fn select_event(&self) -> SelectStatement {
        let select = entity::event::Entity::find().select_only().expr(Expr::val(1));
        let same = select
            .filter(Event::Id.eq(self.event_id))
            .filter(Event::Status.eq(self.status))
            .filter(Event::BookingOpensAt.eq(self.opens_at))
            .filter(Event::BookingClosesAt.eq(self.closes_at));
        same.into_query()
    }
}

/// Locks the buyers and the event in the order of [`super::load::opening`]; the ticket types are locked when they are
/// written. On SQLite who writes is alone.
pub fn locks(backend: DbBackend, id: EventId, buyers: &BTreeSet<UserId>) -> Vec<Statement> {
    if backend == DbBackend::Sqlite {
        return Vec::new();
    }
    let event = entity::event::Entity::find().select_only().column(Event::Id).filter(Event::Id.eq(id));
    let present = user::query::select_present(buyers.clone());
    vec![backend.build(&present), event.lock(own_lock(backend)).build(backend)]
}
