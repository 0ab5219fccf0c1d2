//! What a sale consists of.

use super::Rule;

pub(super) const RULES: &[Rule] = &[
    (
        "seats_have_tickets_of_their_type",
        "each seat of a confirmed booking has a valid ticket of its own type",
        // Counted once and joined: asked for each line, MariaDB looks by ticket type, through all tickets of it.
        "SELECT COUNT(*) FROM booking_line l JOIN booking b ON b.id = l.booking_id LEFT JOIN (SELECT booking_id, \
         ticket_type_id, COUNT(*) AS held FROM ticket WHERE status <> 'CANCELED' GROUP BY booking_id, ticket_type_id) t ON \
         t.booking_id = l.booking_id AND t.ticket_type_id = l.ticket_type_id WHERE b.status = 'CONFIRMED' AND l.quantity <> \
         COALESCE(t.held, 0)",
    ),
    (
        "discount_is_of_own_coupon",
        "a discount is that of a coupon of one's own",
        "SELECT COUNT(*) FROM booking b LEFT JOIN user_coupon c ON c.id = b.user_coupon_id WHERE b.coupon_discount < 0 OR \
         (b.coupon_discount > 0 AND b.user_coupon_id IS NULL) OR (b.user_coupon_id IS NOT NULL AND (c.id IS NULL OR \
         c.user_id <> b.user_id))",
    ),
];
