//! Seats, bookings, tickets, coupons.

use super::Rule;

pub(super) const RULES: &[Rule] = &[
    (
        "seats_add_up",
        "sold + held + left = capacity",
        "SELECT COUNT(*) FROM ticket_type t WHERE t.remaining < 0 OR t.capacity <> t.remaining + COALESCE((SELECT \
         SUM(l.quantity) FROM booking_line l JOIN booking b ON b.id = l.booking_id WHERE l.ticket_type_id = t.id AND \
         b.status IN ('HELD', 'CONFIRMED', 'CANCELING')), 0)",
    ),
    (
        "tickets_match_seats",
        "a confirmed booking has one valid ticket for each seat, any other has none",
        "SELECT COUNT(*) FROM booking b WHERE (SELECT COUNT(*) FROM ticket t WHERE t.booking_id = b.id AND t.status <> \
         'CANCELED') <> CASE WHEN b.status = 'CONFIRMED' THEN (SELECT SUM(l.quantity) FROM booking_line l WHERE \
         l.booking_id = b.id) ELSE 0 END",
    ),
    (
        "confirmed_is_paid",
        "what is confirmed is paid or free, what is paid is confirmed",
        "SELECT COUNT(*) FROM booking b LEFT JOIN payment p ON p.booking_id = b.id WHERE (b.status = 'CONFIRMED' AND \
         b.amount_due > 0 AND COALESCE(p.status, '') <> 'APPROVED') OR (p.status = 'APPROVED' AND b.status <> 'CONFIRMED')",
    ),
    (
        "price_is_covered",
        "the seats' prices are what coupon, points and money pay for",
        "SELECT COUNT(*) FROM booking b WHERE b.original_amount <> b.coupon_discount + b.points_used + b.amount_due OR \
         b.original_amount <> COALESCE((SELECT SUM(l.unit_price * l.quantity) FROM booking_line l WHERE l.booking_id = \
         b.id), 0)",
    ),
    (
        "coupon_in_one_hand",
        "a coupon is in the hands of one booking at most",
        "SELECT COUNT(*) FROM (SELECT b.user_coupon_id FROM booking b WHERE b.user_coupon_id IS NOT NULL AND b.status IN \
         ('HELD', 'CONFIRMED', 'CANCELING') GROUP BY b.user_coupon_id HAVING COUNT(*) > 1) twice",
    ),
    (
        "coupon_state",
        "a person's coupon is held by a hold, used by a sale, and otherwise to be had",
        "SELECT COUNT(*) FROM user_coupon c WHERE c.status <> CASE WHEN EXISTS (SELECT 1 FROM booking b WHERE \
         b.user_coupon_id = c.id AND b.status = 'HELD') THEN 'HELD' WHEN EXISTS (SELECT 1 FROM booking b WHERE \
         b.user_coupon_id = c.id AND b.status IN ('CONFIRMED', 'CANCELING')) THEN 'USED' ELSE 'AVAILABLE' END",
    ),
    (
        "coupons_add_up",
        "coupons given out + left = quantity",
        "SELECT COUNT(*) FROM coupon c WHERE c.remaining < 0 OR c.quantity <> c.remaining + (SELECT COUNT(*) FROM \
         user_coupon u WHERE u.coupon_id = c.id)",
    ),
    (
        "coupon_once_each",
        "nobody has two of one coupon",
        "SELECT COUNT(*) FROM (SELECT u.user_id FROM user_coupon u GROUP BY u.user_id, u.coupon_id HAVING COUNT(*) > 1) \
         twice",
    ),
];
