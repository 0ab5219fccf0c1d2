//! A booking takes seats, coupon and points, and becomes tickets when it is paid.
//!
//! Always: sold + held + left = capacity for each ticket type; no ticket without a paid or free booking; what is set
//! aside is used or given back exactly once. Every step is one short transaction that changes a state it expected;
//! no call to the outside happens under a lock. Read `model`, then `start`, `confirm`, `follow`, `expire`, `cancel`, `refund`.

pub mod cancel;
pub mod confirm;
pub mod expire;
pub mod follow;
pub mod graphql;
pub mod graphql_mutation;
pub mod hold;
pub mod hold_again;
pub mod idempotency;
#[cfg(test)]
mod machine;
pub mod model;
pub mod paid;
pub mod query;
pub mod refund;
pub mod release;
pub mod start;
pub mod state;
