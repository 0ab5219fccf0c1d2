//! Points and payments.

use super::Rule;

pub(super) const RULES: &[Rule] = &[
    (
        "balance_is_sum",
        "a balance is the sum of its entries",
        "SELECT COUNT(*) FROM point_account a WHERE a.balance <> COALESCE((SELECT SUM(e.amount) FROM point_entry e WHERE \
         e.user_id = a.user_id), 0)",
    ),
    (
        "balance_covers_held",
        "no balance is below what is held, nor that below zero",
        "SELECT COUNT(*) FROM point_account a WHERE a.held < 0 OR a.balance < a.held",
    ),
    (
        // The order of ids and times is not that of commits, so the chain is followed by its links: each balance after an entry
        // is the one before exactly one other entry, but for the first, 0, and the last, which is the account's.
        "entries_chain",
        "each entry goes on from the balance that another left",
        "SELECT COUNT(*) FROM (SELECT s.user_id FROM (SELECT user_id, balance_after AS link, 1 AS times FROM point_entry \
         UNION ALL SELECT user_id, balance_after - amount, -1 FROM point_entry UNION ALL SELECT user_id, 0, 1 FROM \
         point_account UNION ALL SELECT user_id, balance, -1 FROM point_account) s GROUP BY s.user_id, s.link HAVING \
         SUM(s.times) <> 0) loose",
    ),
    (
        "cause_once",
        "one cause makes one entry",
        "SELECT COUNT(*) FROM (SELECT e.cause FROM point_entry e GROUP BY e.kind, e.cause HAVING COUNT(*) > 1) twice",
    ),
    (
        "held_points_of_holds",
        "held points are those of held bookings",
        "SELECT COUNT(*) FROM point_account a WHERE a.held <> COALESCE((SELECT SUM(b.points_used) FROM booking b WHERE \
         b.user_id = a.user_id AND b.status = 'HELD'), 0)",
    ),
    (
        "spent_points_of_sales",
        "points of sales are spent, those of canceled ones given back",
        "SELECT COUNT(*) FROM point_account a WHERE COALESCE((SELECT SUM(e.amount) FROM point_entry e WHERE e.user_id = \
         a.user_id AND e.kind IN ('SPEND', 'GIVE_BACK')), 0) <> -COALESCE((SELECT SUM(b.points_used) FROM booking b WHERE \
         b.user_id = a.user_id AND b.status IN ('CONFIRMED', 'CANCELING')), 0)",
    ),
    (
        // An entry's cause is unique, so that as many, and as much, is each once.
        "charge_credited_once",
        "each paid charge is credited once, any other never",
        "SELECT COUNT(*) FROM point_account a WHERE COALESCE((SELECT SUM(p.amount) FROM payment p WHERE p.user_id = \
         a.user_id AND p.purpose = 'POINT_CHARGE' AND p.status = 'APPROVED'), 0) <> COALESCE((SELECT SUM(e.amount) FROM \
         point_entry e WHERE e.user_id = a.user_id AND e.kind = 'CHARGE'), 0) OR (SELECT COUNT(*) FROM payment p WHERE \
         p.user_id = a.user_id AND p.purpose = 'POINT_CHARGE' AND p.status = 'APPROVED') <> (SELECT COUNT(*) FROM \
         point_entry e WHERE e.user_id = a.user_id AND e.kind = 'CHARGE')",
    ),
    (
        "payment_has_purpose",
        "a payment is for one booking's due, or for points",
        "SELECT COUNT(*) FROM payment p LEFT JOIN booking b ON b.id = p.booking_id WHERE (p.purpose = 'BOOKING' AND (b.id \
         IS NULL OR b.amount_due <> p.amount)) OR (p.purpose = 'POINT_CHARGE' AND p.booking_id IS NOT NULL) OR (p.booking_id \
         IS NOT NULL AND EXISTS (SELECT 1 FROM payment q WHERE q.booking_id = p.booking_id AND q.id <> p.id))",
    ),
    (
        "returned_is_written",
        "what went back is written where it went back, and only there",
        "SELECT COUNT(*) FROM payment p WHERE (p.status = 'CANCELED') <> (p.canceled_amount > 0)",
    ),
    (
        "won_accounted_for",
        "every won taken is ticketed, credited or returned",
        "SELECT COUNT(*) FROM (SELECT 1 AS x) one WHERE COALESCE((SELECT SUM(p.amount - p.canceled_amount) FROM payment p \
         WHERE p.status = 'APPROVED'), 0) <> COALESCE((SELECT SUM(b.amount_due) FROM booking b WHERE b.status = \
         'CONFIRMED'), 0) + COALESCE((SELECT SUM(e.amount) FROM point_entry e WHERE e.kind = 'CHARGE'), 0)",
    ),
];
