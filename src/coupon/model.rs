//! What a coupon may be: pure.

use crate::error::{Code, Problem, Problems};
use chrono::{DateTime, Utc};
use entity::{
    coupon::Model,
    enums::{CouponKind, DiscountKind},
};

/// Beyond these a coupon is a typing error.
const MOST_WON: i64 = 10_000_000;
const MOST_PURCHASE: i64 = 1_000_000_000;
const MOST_PIECES: i64 = 1_000_000;

/// What an admin wants to give away.
#[derive(Clone, Debug)]
pub struct Draft {
    pub name: String,
    pub kind: CouponKind,
    pub discount_kind: DiscountKind,
    pub discount_value: i64,
    pub discount_cap: Option<i64>,
    pub minimum_purchase: i64,
    pub valid_from: DateTime<Utc>,
    pub valid_until: DateTime<Utc>,
    pub quantity: i32,
    /// One is made up if there is none.
    pub code: Option<String>,
    /// With one, the same again makes no second coupon.
    pub idempotency_key: Option<String>,
}

impl Draft {
    pub fn check(&self, now: DateTime<Utc>) -> Problems {
        let mut problems = Problems::default();
        problems.length(&["name"], &self.name, 1, 100);
        match self.discount_kind {
            DiscountKind::Fixed => problems.range(&["discountValue"], self.discount_value, 1, MOST_WON),
            DiscountKind::Percent => problems.range(&["discountValue"], self.discount_value, 1, 100),
        }
        if let Some(cap) = self.discount_cap {
            problems.range(&["discountCap"], cap, 1, MOST_WON);
            problems.add_if(self.discount_kind == DiscountKind::Fixed, || {
                let ko = "정액 쿠폰에는 상한이 없습니다.";
                Problem::new(Code::Invalid, &["discountCap"], ko, "A fixed amount has no cap.")
            });
        }
        problems.range(&["minimumPurchase"], self.minimum_purchase, 0, MOST_PURCHASE);
        problems.range(&["quantity"], i64::from(self.quantity), 1, MOST_PIECES);
        problems.add_if(self.valid_until <= self.valid_from || self.valid_until <= now, || {
            let ko = "시작보다, 그리고 지금보다 뒤여야 합니다.";
            Problem::new(Code::Invalid, &["validUntil"], ko, "Must be after validFrom, and in the future.")
        });
        if let Some(code) = &self.code {
            let code = normal_code(code);
            problems.length(&["code"], &code, 3, 40);
            let is_plain = code.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'));
            problems.add_if(!is_plain, || {
                let ko = "영문자, 숫자, '-', '_'만 쓸 수 있습니다.";
                Problem::new(Code::Invalid, &["code"], ko, "Only letters, digits, - and _.")
            });
        }
        problems
    }
}

/// Codes are said and typed: case and the space around them do not count.
pub fn normal_code(code: &str) -> String {
    code.trim().to_ascii_uppercase()
}

/// What may change once people hold it: only what hurts none of them.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    pub name: Option<String>,
    pub valid_until: Option<DateTime<Utc>>,
    pub quantity: Option<i32>,
}

impl Changes {
    /// The coupon as it would be, or why not. Pieces that are given away stay given away.
    pub fn on(&self, old: &Model) -> Result<Model, Problems> {
        let mut problems = Problems::default();
        let issued = old.quantity - old.remaining;
        let mut new = Model { version: old.version + 1, ..old.clone() };
        if let Some(name) = &self.name {
            problems.length(&["name"], name, 1, 100);
            name.trim().clone_into(&mut new.name);
        }
        if let Some(until) = self.valid_until {
            problems.add_if(until < old.valid_until, || {
                let ko = "이미 받은 사람이 있으므로 앞당길 수 없습니다.";
                Problem::new(Code::NotAllowed, &["validUntil"], ko, "It may only be put off: people hold it.")
            });
            new.valid_until = until;
        }
        if let Some(quantity) = self.quantity {
            problems.range(&["quantity"], i64::from(quantity), i64::from(issued.max(1)), MOST_PIECES);
            new.quantity = quantity;
            new.remaining = quantity.saturating_sub(issued);
        }
        if problems.is_empty() { Ok(new) } else { Err(problems) }
    }
}

/// Why nobody gets one now; `None` if they do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    Gone,
    NotYet,
    Over,
    Exhausted,
}

/// A coupon is given out while it can be used.
pub fn closed(coupon: &Model, now: DateTime<Utc>) -> Option<Closed> {
    if coupon.deleted_at.is_some() {
        Some(Closed::Gone)
    } else if now < coupon.valid_from {
        Some(Closed::NotYet)
    } else if now >= coupon.valid_until {
        Some(Closed::Over)
    } else if coupon.remaining <= 0 {
        Some(Closed::Exhausted)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn coupon(quantity: i32, remaining: i32) -> Model {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        Model {
            id: uuid::Uuid::nil().into(),
            code: "X".into(),
            name: "x".into(),
            kind: CouponKind::Standard,
            discount_kind: DiscountKind::Fixed,
            discount_value: 1_000,
            discount_cap: None,
            minimum_purchase: 0,
            valid_from: at(100),
            valid_until: at(200),
            quantity,
            remaining,
            version: 7,
            created_at: at(0),
            deleted_at: None,
        }
    }

    #[test]
    fn a_coupon_is_given_out_while_it_can_be_used() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let deleted = Model { deleted_at: Some(at(1)), ..coupon(1, 1) };
        for (row, now, expected) in [
            (coupon(1, 1), 99, Some(Closed::NotYet)),
            (coupon(1, 1), 100, None),
            (coupon(1, 1), 199, None),
            (coupon(1, 1), 200, Some(Closed::Over)),
            (coupon(1, 0), 150, Some(Closed::Exhausted)),
            (deleted, 150, Some(Closed::Gone)),
        ] {
            assert_eq!(closed(&row, at(now)), expected, "{now}");
        }
    }

    proptest! {
        #[test]
        fn what_was_issued_stays_issued(quantity in 1..=1_000_i32, issued in 0..=1_000_i32, wanted in -5..=2_000_i32) {
            let issued = issued.min(quantity);
            let old = coupon(quantity, quantity - issued);
            let changes = Changes { quantity: Some(wanted), ..Changes::default() };
            match changes.on(&old) {
                Ok(new) => {
                    prop_assert!(wanted >= issued && wanted >= 1);
                    prop_assert_eq!((new.quantity - new.remaining, new.quantity), (issued, wanted));
                    prop_assert!(new.remaining >= 0 && new.version == 8);
                }
                Err(_) => prop_assert!(wanted < issued.max(1)),
            }
        }
    }
}
