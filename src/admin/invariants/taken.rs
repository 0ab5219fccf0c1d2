//! What the provider took, and where it is.

use super::Rule;

pub(super) const RULES: &[Rule] = &[
    (
        "taken_is_kept_or_returned",
        "what was taken is kept as what was due, or goes back, all of it",
        "SELECT COUNT(*) FROM payment p WHERE (p.status = 'APPROVED' AND (p.taken_amount IS NULL OR p.taken_amount <> p.amount)) OR (p.status = \
         'CANCELED' AND p.taken_amount <> p.canceled_amount)",
    ),
    (
        "nothing_taken_for_given_up",
        "nothing is taken for what is open or was given up",
        "SELECT COUNT(*) FROM payment p WHERE p.taken_amount IS NOT NULL AND p.status NOT IN ('APPROVED', 'CANCELING', \
         'CANCELED')",
    ),
];
