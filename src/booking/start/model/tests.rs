//! A group against a naive shop that serves one after the other and forgets nothing.

use super::*;
use crate::error::Error;
use entity::{enums::DiscountKind, ids::EventId};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use uuid::Uuid;

const TYPES: u128 = 2;
const PEOPLE: u128 = 4;
const LIMIT: i32 = 3;

fn ticket_type(number: u128) -> TicketTypeId {
    Uuid::from_u128(100 + number).into()
}

fn person(number: u128) -> UserId {
    Uuid::from_u128(200 + number).into()
}

/// Each person has one coupon of their own.
fn coupon(number: u128) -> UserCouponId {
    Uuid::from_u128(300 + number).into()
}

prop_compose! {
    fn request()(
        who in 0..PEOPLE, lines in prop::collection::btree_map(0..=TYPES, 1..4_i32, 1..3), key in 0..6_u8,
        whose in prop::option::of(0..PEOPLE), points in 0..3_i64, expected in prop::option::of(0..6_i64),
    ) -> Request {
        let wanted: BTreeMap<TicketTypeId, i32> = lines.into_iter().map(|(id, many)| (ticket_type(id), many)).collect();
        let user_coupon_id = whose.map(coupon);
        let (points, expected_total) = (points * 500, expected.map(|thousands| thousands * 1_000));
        let input_hash = format!("{wanted:?}{user_coupon_id:?}{points}{expected_total:?}");
        let key = Key { user: person(who), key: key.to_string(), operation: "bookingStart", input_hash };
        Request {
            buyer: person(who), event_id: EventId(Uuid::nil()), named: wanted.keys().copied().collect(), wanted,
            user_coupon_id, points, expected_total, return_url: None, key,
        }
    }
}

/// What was sold, one line for each seat, coupon and key; everything else is added up anew each time.
#[derive(Default)]
struct Shop {
    sold: Vec<(UserId, TicketTypeId, i32)>,
    coupons: Vec<UserCouponId>,
    spent: Vec<(UserId, i64)>,
    keys: Vec<(Key, usize)>,
}

impl Shop {
    /// As if it had been read from the database just now.
    fn desk(&self) -> Desk {
        let seats = (0..TYPES).map(|number| {
            let id = ticket_type(number);
            let sold: i32 = self.sold.iter().filter(|line| line.1 == id).map(|line| line.2).sum();
            let limit = (number == 1).then_some(LIMIT);
            (id, Seats { price: i64::try_from(number).unwrap() * 1_000, remaining: 7 - sold, limit })
        });
        let mut has = HashMap::new();
        for (who, id, many) in &self.sold {
            *has.entry((*who, *id)).or_default() += i64::from(*many);
        }
        let coupons = (0..PEOPLE).map(|number| {
            let discount = Discount { kind: DiscountKind::Fixed, value: 1_000, cap: None };
            let is_usable = !self.coupons.contains(&coupon(number));
            (coupon(number), OwnCoupon { owner: person(number), is_usable, minimum_purchase: 1_000, discount })
        });
        let points = (0..PEOPLE).map(|number| {
            let spent: i64 = self.spent.iter().filter(|(who, _)| *who == person(number)).map(|(_, won)| won).sum();
            (person(number), 1_500 - spent)
        });
        let keys = self.keys.iter().map(|(key, place)| {
            let (operation, input_hash) = (key.operation.to_owned(), key.input_hash.clone());
            ((key.user, key.key.clone()), Used { operation, input_hash, answer: Answer::Stored(place.to_string()) })
        });
        let (seats, coupons, points) = (seats.collect(), coupons.collect(), points.collect());
        Desk { absent: HashSet::new(), is_open: Some(true), seats, has, coupons, points, keys: keys.collect() }
    }

    fn serve(&mut self, place: usize, request: &Request) -> String {
        let verdict = self.desk().decide(std::slice::from_ref(request)).pop().unwrap();
        if let Verdict::Granted(price) = &verdict {
            self.sold.extend(request.wanted.iter().map(|(id, many)| (request.buyer, *id, *many)));
            self.coupons.extend(request.user_coupon_id);
            self.spent.push((request.buyer, price.points));
            self.keys.push((request.key.clone(), place));
        }
        said(&verdict)
    }
}

fn said(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Granted(price) => format!("{price:?}"),
        Verdict::Known(Answer::Stored(place)) => format!("as {place}"),
        Verdict::Known(Answer::OfGroup(place)) => format!("as {place}"),
        Verdict::Refused(Error::Refused(problems)) => format!("{problems:?}"),
        Verdict::Refused(other) => panic!("{other}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn each_gets_the_answer_that_it_would_have_got_alone(group in prop::collection::vec(request(), 1..24)) {
        let mut shop = Shop::default();
        let alone: Vec<String> = group.iter().enumerate().map(|(place, one)| shop.serve(place, one)).collect();
        let together: Vec<String> = Shop::default().desk().decide(&group).iter().map(said).collect();
        prop_assert_eq!(together, alone);
        for (id, seats) in shop.desk().seats {
            prop_assert!(seats.remaining >= 0, "{} of {} left", seats.remaining, id);
        }
    }
}

#[test]
fn nothing_can_be_had_where_booking_is_not_open() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let request = request().new_tree(&mut runner).unwrap().current();
    for (is_open, code) in [(None, Code::NotFound), (Some(false), Code::BookingClosed)] {
        let verdicts = Desk { is_open, ..Shop::default().desk() }.decide(std::slice::from_ref(&request));
        let Some(Verdict::Refused(Error::Refused(problems))) = verdicts.first() else { panic!("{verdicts:?}") };
        assert_eq!(problems.first().map(|problem| problem.code), Some(code));
    }
}
