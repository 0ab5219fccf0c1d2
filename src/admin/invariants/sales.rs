//! What a sale consists of.

use super::Rule;

pub(super) const RULES: &[Rule] = &[
    (
        "seats_have_tickets_of_their_type",
        "each seat of a confirmed booking has a valid ticket of its own type",
        // Both sides counted in one pass: joined, MariaDB at times looks by ticket type, through all tickets of it, for each line.
        "SELECT COUNT(*) FROM (SELECT booking_id, ticket_type_id FROM (SELECT l.booking_id, l.ticket_type_id, l.quantity AS \
         seats FROM booking_line l JOIN booking b ON b.id = l.booking_id WHERE b.status = 'CONFIRMED' UNION ALL SELECT \
         t.booking_id, t.ticket_type_id, -1 FROM ticket t JOIN booking b ON b.id = t.booking_id WHERE b.status = 'CONFIRMED' \
         AND t.status <> 'CANCELED') seat GROUP BY booking_id, ticket_type_id HAVING SUM(seats) <> 0) wrong",
    ),
    (
        "discount_is_of_own_coupon",
        "a discount is that of a coupon of one's own",
        "SELECT COUNT(*) FROM booking b LEFT JOIN user_coupon c ON c.id = b.user_coupon_id WHERE b.coupon_discount < 0 OR \
         (b.coupon_discount > 0 AND b.user_coupon_id IS NULL) OR (b.user_coupon_id IS NOT NULL AND (c.id IS NULL OR \
         c.user_id <> b.user_id))",
    ),
];
