//! Who gets what: the requests of a group are decided one after the other, each on what those before it left. Pure.

use super::request::Request;
use crate::{
    booking::{
        hold::sold_out,
        idempotency::{Key, reused},
        model::{Discount, Price, original, price},
    },
    error::{Code, Error, More, Problem, Result},
};
use entity::ids::{TicketTypeId, UserCouponId, UserId};
use std::collections::{BTreeMap, HashMap, HashSet};

/// What there is to be had, as it was read once for the whole group, and is counted down.
#[derive(Clone, Debug, Default)]
pub struct Desk {
    /// Who has left: a token may outlive its account by minutes.
    pub absent: HashSet<UserId>,
    /// `None`: there is no such event.
    pub is_open: Option<bool>,
    pub seats: BTreeMap<TicketTypeId, Seats>,
    /// How many seats a buyer has already, of ticket types with a limit.
    pub has: HashMap<(UserId, TicketTypeId), i64>,
    pub coupons: HashMap<UserCouponId, OwnCoupon>,
    /// Points that nothing else holds.
    pub points: HashMap<UserId, i64>,
    /// What was answered to keys before.
    pub keys: HashMap<(UserId, String), Used>,
}

#[derive(Clone, Debug)]
pub struct Seats {
    pub price: i64,
    pub remaining: i32,
    pub limit: Option<i32>,
}

#[derive(Clone, Debug)]
pub struct OwnCoupon {
    pub owner: UserId,
    pub is_usable: bool,
    pub minimum_purchase: i64,
    pub discount: Discount,
}

/// A key that was used.
#[derive(Clone, Debug)]
pub struct Used {
    pub operation: String,
    pub input_hash: String,
    pub answer: Answer,
}

#[derive(Clone, Debug)]
pub enum Answer {
    /// As it was stored.
    Stored(String),
    /// That of a request before it in this group.
    OfGroup(usize),
}

/// What becomes of a request.
#[derive(Debug)]
pub enum Verdict {
    Granted(Price),
    Known(Answer),
    Refused(Error),
}

impl Desk {
    /// Decides a group, in the order of arrival.
    pub fn decide(mut self, group: &[Request]) -> Vec<Verdict> {
        let decided = group.iter().enumerate().map(|(index, request)| match self.one(index, request) {
            Ok(verdict) => verdict,
            Err(error) => Verdict::Refused(error),
        });
        decided.collect()
    }

    fn one(&mut self, index: usize, request: &Request) -> Result<Verdict> {
        let Key { user, key, operation, input_hash } = &request.key;
        if let Some(used) = self.keys.get(&(*user, key.clone())) {
            let is_same = used.operation == *operation && used.input_hash == *input_hash;
            return if is_same { Ok(Verdict::Known(used.answer.clone())) } else { Err(reused()) };
        }
        if self.absent.contains(&request.buyer) {
            return Err(Error::Unauthenticated);
        }
        self.check_event()?;
        self.check_seats(request)?;
        self.check_limits(request)?;
        let price = self.price(request)?;
        if self.points.get(&request.buyer).copied().unwrap_or_default() < price.points {
            let ko = "포인트가 부족합니다.";
            return Err(Problem::new(Code::InsufficientPoints, &["points"], ko, "Not enough points.").into());
        }
        self.take(index, request, price);
        Ok(Verdict::Granted(price))
    }

    fn check_event(&self) -> Result<()> {
        match self.is_open {
            None => Err(Error::not_found(&["eventId"])),
            Some(true) => Ok(()),
            Some(false) => {
                let ko = "예매 기간이 아닙니다.";
                Err(Problem::new(Code::BookingClosed, &["eventId"], ko, "Booking is not open.").into())
            }
        }
    }

    fn check_seats(&self, request: &Request) -> Result<()> {
        for (index, id) in request.named.iter().enumerate() {
            if !self.seats.contains_key(id) {
                return Err(Error::not_found(&["lines", &index.to_string(), "ticketTypeId"]));
            }
        }
        let is_lacking = |(id, quantity): &(&TicketTypeId, &i32)| {
            self.seats.get(id).is_none_or(|seats| seats.remaining < **quantity)
        };
        let lacking: Vec<TicketTypeId> = request.wanted.iter().filter(is_lacking).map(|(id, _)| *id).collect();
        if lacking.is_empty() { Ok(()) } else { Err(sold_out(lacking)) }
    }

    fn check_limits(&self, request: &Request) -> Result<()> {
        for (id, quantity) in &request.wanted {
            let Some(limit) = self.seats.get(id).and_then(|seats| seats.limit) else { continue };
            let has = self.has.get(&(request.buyer, *id)).copied().unwrap_or_default();
            if has + i64::from(*quantity) > i64::from(limit) {
                let ko = format!("한 사람이 {limit}장까지 예매할 수 있습니다.");
                let en = format!("One person may hold at most {limit}.");
                return Err(Problem::new(Code::LimitExceeded, &["lines"], ko, en).into());
            }
        }
        Ok(())
    }

    fn price(&self, request: &Request) -> Result<Price> {
        let lines = request.wanted.iter();
        let lines = lines.filter_map(|(id, quantity)| Some((self.seats.get(id)?.price, *quantity)));
        let original = original(lines).ok_or_else(|| Error::fault("the price does not fit"))?;
        let discount = request.user_coupon_id.map(|id| self.discount(request.buyer, id, original)).transpose()?;
        let price = price(original, discount, request.points);
        if request.user_coupon_id.is_some() && price.coupon == 0 {
            // It would be used up for nothing.
            return Err(unusable());
        }
        match request.expected_total {
            Some(expected) if expected != price.due => {
                let ko = format!("결제 금액이 {}원으로 바뀌었습니다.", price.due);
                let en = format!("The total is {} won now.", price.due);
                let problem = Problem::new(Code::AmountChanged, &["expectedTotal"], ko, en);
                Err(problem.with(More::ExpectedTotal(price.due)).into())
            }
            _ => Ok(price),
        }
    }

    fn discount(&self, buyer: UserId, id: UserCouponId, original: i64) -> Result<Discount> {
        let own = self.coupons.get(&id).filter(|coupon| coupon.owner == buyer);
        let own = own.ok_or_else(|| Error::not_found(&["userCouponId"]))?;
        if own.is_usable && original >= own.minimum_purchase { Ok(own.discount) } else { Err(unusable()) }
    }

    /// What the next ones do not have any more.
    fn take(&mut self, index: usize, request: &Request, price: Price) {
        for (id, quantity) in &request.wanted {
            if let Some(seats) = self.seats.get_mut(id) {
                seats.remaining -= quantity;
            }
            *self.has.entry((request.buyer, *id)).or_default() += i64::from(*quantity);
        }
        if let Some(coupon) = request.user_coupon_id.and_then(|id| self.coupons.get_mut(&id)) {
            coupon.is_usable = false;
        }
        *self.points.entry(request.buyer).or_default() -= price.points;
        let Key { user, key, operation, input_hash } = request.key.clone();
        let used = Used { operation: operation.to_owned(), input_hash, answer: Answer::OfGroup(index) };
        self.keys.insert((user, key), used);
    }
}

fn unusable() -> Error {
    let ko = "이 예매에 쓸 수 없는 쿠폰입니다.";
    Problem::new(Code::CouponUnusable, &["userCouponId"], ko, "The coupon cannot be used for this booking.").into()
}

#[cfg(test)]
mod tests;
