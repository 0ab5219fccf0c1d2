//! The outside world: one room per need.
pub mod clock;
pub mod kakaopay;
pub mod kv;
pub mod mail;
pub mod search;
