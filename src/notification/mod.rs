//! What people are told: a row first, a push second.
//!
//! Always: one row for each person, kind and subject; `seq` counts up for each person in commit order, because the
//! person's own row is locked while it is given out; so a subscriber who passes the last one it saw misses nothing,
//! over a reconnect, a restart or a move to another node. Read `store`, then `feed`.

pub mod canceled;
pub mod changed;
pub mod charge_returned;
pub mod confirmed;
pub mod coupon_issued;
pub mod feed;
pub mod graphql;
pub mod hub;
pub mod mark_read;
pub mod query;
pub mod remind;
pub mod store;
pub mod text;
