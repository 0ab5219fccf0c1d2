//! Coupons: made by admins, given away once to each person, used once in a booking.
//!
//! Always: issued + remaining = quantity; nobody has two of one. `model` says what a coupon may be, `manage` makes and
//! withdraws them, `issue` gives them out; holding and using them is in `booking::hold`.

pub mod graphql;
pub mod graphql_mutation;
pub mod issue;
pub mod manage;
pub mod model;
pub mod query;
