//! The state machines of booking, payment, coupon and points together, without a database: whatever happens in whatever
//! order, nothing is lost and nothing is twice. The steps are those of the real `transition` functions; what each use case
//! does around them is told again here in a few lines, so that a rule that is wrong by design shows up as a short story.

use super::model::{Step, price, transition};
use crate::payment::model::{self as payment, may_be_taken};
use entity::enums::{BookingStatus, PaymentStatus, UserCouponStatus};
use proptest::prelude::*;

const CAPACITY: i64 = 5;
const SEAT: i64 = 1_000;
const COUPON: i64 = 700;

#[derive(Clone, Debug)]
enum Event {
    Start {
        seats: i64,
        points: i64,
        with_coupon: bool,
    },
    /// The provider gave a page, or did not.
    Ready(usize, bool),
    BeginApprove(usize),
    /// The provider takes the money, whether we hear of it or not: once, after an approve call was begun.
    Take(usize, bool),
    /// What we hear: that it certainly did nothing, or the answer of the order API.
    StepBack(usize),
    Ask(usize),
    /// Somebody says that nothing was taken, rightly or not; that it was, and has gone back outside.
    Deny(usize),
    Forget(usize),
    /// The hold is over, or is given up.
    Lapse(usize),
    Cancel(usize),
    FinishCancel(usize),
    CallOff,
    Charge(i64),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let who = 0_usize..4;
    let one = prop_oneof![
        4 => (1..=3_i64, 0..=2_500_i64, any::<bool>())
            .prop_map(|(seats, points, with_coupon)| Event::Start { seats, points, with_coupon }),
        4 => (who.clone(), any::<bool>()).prop_map(|(at, is_well)| Event::Ready(at, is_well)),
        4 => who.clone().prop_map(Event::BeginApprove),
        4 => (who.clone(), any::<bool>()).prop_map(|(at, is_right)| Event::Take(at, is_right)),
        1 => who.clone().prop_map(Event::StepBack),
        4 => who.clone().prop_map(Event::Ask),
        1 => who.clone().prop_map(Event::Deny),
        1 => who.clone().prop_map(Event::Forget),
        3 => who.clone().prop_map(Event::Lapse),
        3 => who.clone().prop_map(Event::Cancel),
        3 => who.prop_map(Event::FinishCancel),
        1 => Just(Event::CallOff),
        1 => (1..=2_000_i64).prop_map(Event::Charge),
    ];
    proptest::collection::vec(one, 1..60)
}

#[derive(Clone, Debug)]
struct Sale {
    status: BookingStatus,
    payment: Option<PaymentStatus>,
    due: i64,
    seats: i64,
    points: i64,
    has_coupon: bool,
    /// An approve call was made, and what the provider took and gave back.
    was_called: bool,
    taken: i64,
    returned: i64,
}

#[derive(Debug)]
struct World {
    left: i64,
    coupon: UserCouponStatus,
    balance: i64,
    held: i64,
    is_on: bool,
    sales: Vec<Sale>,
}

impl World {
    fn apply(&mut self, event: &Event) {
        match *event {
            Event::Start { seats, points, with_coupon } => self.start(seats, points, with_coupon),
            Event::Charge(points) => self.balance += points,
            Event::CallOff => {
                self.is_on = false;
                (0..self.sales.len()).for_each(|at| self.close(at));
            }
            Event::Ready(at, is_well) if self.is(at, PaymentStatus::Pending) => {
                self.pay(at, if is_well { payment::Step::Prepare } else { payment::Step::Fail });
                if !is_well {
                    self.release(at);
                }
            }
            Event::BeginApprove(at) if self.is(at, PaymentStatus::Ready) => {
                self.pay(at, payment::Step::BeginApprove);
                self.sales[at].was_called = true;
            }
            Event::Take(at, is_right) => self.take(at, is_right),
            // The provider refused the token: it did nothing, and this call never will.
            Event::StepBack(at) if self.is(at, PaymentStatus::Approving) && self.sales[at].taken == 0 => {
                self.pay(at, payment::Step::StepBack);
                self.sales[at].was_called = false;
            }
            Event::Ask(at) => self.ask(at),
            Event::Deny(at) if self.is(at, PaymentStatus::Approving) => {
                self.pay(at, payment::Step::Fail);
                self.release(at);
            }
            Event::Forget(at) if self.is(at, PaymentStatus::Approving) && self.sales[at].taken > 0 => {
                self.pay(at, payment::Step::BeginCancel);
                self.release(at);
                self.finish_cancel(at);
            }
            Event::Lapse(at) if self.is_booked(at, BookingStatus::Held) => self.lapse(at),
            Event::Cancel(at) if self.is_booked(at, BookingStatus::Confirmed) => self.begin_cancel(at),
            Event::FinishCancel(at) => self.finish_cancel(at),
            Event::Ready(..) | Event::BeginApprove(_) | Event::StepBack(_) | Event::Lapse(_) | Event::Cancel(_) => {}
            Event::Deny(_) | Event::Forget(_) => {}
        }
    }

    fn is(&self, at: usize, status: PaymentStatus) -> bool {
        self.sales.get(at).is_some_and(|sale| sale.payment == Some(status))
    }

    fn is_booked(&self, at: usize, status: BookingStatus) -> bool {
        self.sales.get(at).is_some_and(|sale| sale.status == status)
    }

    fn book(&mut self, at: usize, step: Step) {
        self.sales[at].status = transition(self.sales[at].status, step).expect("a step that leads somewhere");
    }

    fn pay(&mut self, at: usize, step: payment::Step) {
        let now = self.sales[at].payment.expect("a payment");
        self.sales[at].payment = Some(payment::transition(now, step).expect("a step that leads somewhere"));
    }

    fn start(&mut self, seats: i64, points: i64, with_coupon: bool) {
        let has_coupon = with_coupon && self.coupon == UserCouponStatus::Available;
        let discount = has_coupon.then_some(super::model::Discount {
            kind: entity::enums::DiscountKind::Fixed,
            value: COUPON,
            cap: None,
        });
        let price = price(seats * SEAT, discount, points);
        if !self.is_on || self.left < seats || self.balance - self.held < price.points || self.sales.len() == 4 {
            return;
        }
        self.left -= seats;
        self.held += price.points;
        if has_coupon {
            self.coupon = UserCouponStatus::Held;
        }
        let payment = (price.due > 0).then_some(PaymentStatus::Pending);
        self.sales.push(Sale {
            status: BookingStatus::Held,
            payment,
            due: price.due,
            seats,
            points: price.points,
            has_coupon,
            was_called: false,
            taken: 0,
            returned: 0,
        });
        if payment.is_none() {
            self.confirm(self.sales.len() - 1, Step::Confirm);
        }
    }

    fn confirm(&mut self, at: usize, step: Step) {
        self.book(at, step);
        let Sale { points, has_coupon, .. } = self.sales[at];
        self.held -= points;
        self.balance -= points;
        if has_coupon {
            assert_eq!(self.coupon, UserCouponStatus::Held);
            self.coupon = UserCouponStatus::Used;
        }
    }

    fn release(&mut self, at: usize) {
        if !self.is_booked(at, BookingStatus::Held) {
            return;
        }
        self.book(at, Step::Lapse);
        let Sale { points, has_coupon, seats, .. } = self.sales[at];
        self.left += seats;
        self.held -= points;
        if has_coupon {
            assert_eq!(self.coupon, UserCouponStatus::Held);
            self.coupon = UserCouponStatus::Available;
        }
    }

    fn take(&mut self, at: usize, is_right: bool) {
        let Some(sale) = self.sales.get_mut(at) else { return };
        if sale.was_called && sale.taken == 0 {
            sale.taken = if is_right { sale.due } else { sale.due + 1_000 };
        }
    }

    /// The reconciler, or the answer of the call itself.
    fn ask(&mut self, at: usize) {
        let Some(sale) = self.sales.get(at).cloned() else { return };
        let Some(status) = sale.payment.filter(|status| may_be_taken(*status)) else { return };
        if sale.taken == 0 {
            if status == PaymentStatus::Approving {
                self.pay(at, payment::Step::Fail);
                self.release(at);
            }
            return;
        }
        let step = match sale.status {
            BookingStatus::Held if self.is_on => Some(Step::Confirm),
            BookingStatus::Expired if self.is_on && self.hold_again(&sale) => Some(Step::Revive),
            _ => None,
        };
        match step.filter(|_| sale.taken == sale.due) {
            Some(step) => {
                self.pay(at, payment::Step::Approve);
                self.confirm(at, step);
            }
            None => {
                if step == Some(Step::Revive) {
                    self.undo_hold(&sale);
                }
                self.pay(at, payment::Step::BeginCancel);
                self.release(at);
            }
        }
    }

    /// All of it or nothing.
    fn hold_again(&mut self, sale: &Sale) -> bool {
        let has_coupon = !sale.has_coupon || self.coupon == UserCouponStatus::Available;
        if self.left < sale.seats || self.balance - self.held < sale.points || !has_coupon {
            return false;
        }
        self.left -= sale.seats;
        self.held += sale.points;
        if sale.has_coupon {
            self.coupon = UserCouponStatus::Held;
        }
        true
    }

    fn undo_hold(&mut self, sale: &Sale) {
        self.left += sale.seats;
        self.held -= sale.points;
        if sale.has_coupon {
            self.coupon = UserCouponStatus::Available;
        }
    }

    fn lapse(&mut self, at: usize) {
        match self.sales[at].payment {
            Some(PaymentStatus::Pending | PaymentStatus::Ready) => {
                self.pay(at, payment::Step::Lapse);
                self.release(at);
            }
            None | Some(PaymentStatus::Failed | PaymentStatus::Expired | PaymentStatus::Canceled) => self.release(at),
            // In doubt: the provider is asked first.
            Some(PaymentStatus::Approving | PaymentStatus::Approved | PaymentStatus::Canceling) => {}
        }
    }

    fn begin_cancel(&mut self, at: usize) {
        self.book(at, Step::BeginCancel);
        if self.sales[at].payment.is_some() {
            self.pay(at, payment::Step::BeginCancel);
        } else {
            self.finish_cancel(at);
        }
    }

    fn finish_cancel(&mut self, at: usize) {
        let Some(sale) = self.sales.get(at).cloned() else { return };
        match sale.payment {
            Some(PaymentStatus::Canceling) => {
                self.sales[at].returned = sale.taken;
                self.pay(at, payment::Step::FinishCancel);
            }
            None => {}
            Some(_) => return,
        }
        if sale.status == BookingStatus::Canceling {
            self.book(at, Step::FinishCancel);
            self.left += sale.seats;
            self.balance += sale.points;
            if sale.has_coupon {
                assert_eq!(self.coupon, UserCouponStatus::Used);
                self.coupon = UserCouponStatus::Available;
            }
        }
    }

    /// What a called-off event does to each booking.
    fn close(&mut self, at: usize) {
        if self.is_booked(at, BookingStatus::Held) {
            self.lapse(at);
        } else if self.is_booked(at, BookingStatus::Confirmed) {
            self.begin_cancel(at);
        }
    }

    fn check(&self) {
        use BookingStatus::{Canceling, Confirmed, Held};
        let of = |statuses: &'static [BookingStatus]| self.sales.iter().filter(|sale| statuses.contains(&sale.status));
        assert_eq!(self.left + of(&[Held, Confirmed, Canceling]).map(|sale| sale.seats).sum::<i64>(), CAPACITY);
        assert_eq!(self.held, of(&[Held]).map(|sale| sale.points).sum::<i64>());
        assert!(self.left >= 0 && self.held >= 0 && self.balance >= self.held);
        let holds = of(&[Held]).filter(|sale| sale.has_coupon).count();
        let uses = of(&[Confirmed, Canceling]).filter(|sale| sale.has_coupon).count();
        let expected = match self.coupon {
            UserCouponStatus::Available => (0, 0),
            UserCouponStatus::Held => (1, 0),
            UserCouponStatus::Used => (0, 1),
        };
        assert_eq!((holds, uses), expected);
        for sale in &self.sales {
            let is_paid = sale.payment.is_none_or(|status| status == PaymentStatus::Approved);
            assert!(sale.status != Confirmed || is_paid, "{sale:?}");
            match sale.payment {
                Some(PaymentStatus::Approved) => {
                    assert!(sale.status == Confirmed && sale.taken == sale.due, "{sale:?}")
                }
                Some(PaymentStatus::Canceled) => assert!(sale.taken > 0 && sale.returned == sale.taken, "{sale:?}"),
                Some(PaymentStatus::Pending) => assert_eq!(sale.taken, 0),
                Some(PaymentStatus::Ready | PaymentStatus::Approving | PaymentStatus::Canceling)
                | Some(PaymentStatus::Failed | PaymentStatus::Expired)
                | None => assert_eq!(sale.returned, 0),
            }
        }
    }

    /// Everything that was left to do is done: no call is on its way any more, each doubt is asked about.
    fn settle(&mut self) {
        for at in 0..self.sales.len() {
            self.lapse_if_held(at);
            self.ask(at);
            self.finish_cancel(at);
        }
    }

    fn lapse_if_held(&mut self, at: usize) {
        if self.is_booked(at, BookingStatus::Held) {
            self.lapse(at);
        }
    }
}

proptest! {
    #[test]
    fn any_order_of_any_events_keeps_what_must_hold(events in events()) {
        let coupon = UserCouponStatus::Available;
        let mut world = World { left: CAPACITY, coupon, balance: 2_000, held: 0, is_on: true, sales: Vec::new() };
        for event in &events {
            world.apply(event);
            world.check();
        }
        world.settle();
        world.check();
        for sale in &world.sales {
            let is_open = matches!(sale.status, BookingStatus::Held | BookingStatus::Canceling);
            prop_assert!(!is_open, "{:?}", sale);
            let kept = if sale.status == BookingStatus::Confirmed { sale.due } else { 0 };
            prop_assert_eq!(sale.taken - sale.returned, kept, "every won is ticketed or returned: {:?}", sale);
        }
    }
}
