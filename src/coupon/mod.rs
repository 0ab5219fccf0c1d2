//! Coupons: given away once to each person, used once in a booking. Issuing them is a later chapter; holding and using
//! them is in `booking::hold`.

pub mod graphql;
pub mod query;
