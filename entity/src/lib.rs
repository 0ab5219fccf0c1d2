//! The tables, one short file each, and the typed ids. Knows nothing of the server.
//!
//! What a table owns is said at the top of its file; states and rules live in the server's `model.rs` files.

pub mod enums;
pub mod ids;
mod password_hash;
mod typeid;

pub mod admin;
pub mod admin_recovery_code;
pub mod attachment;
pub mod audit_log;
pub mod booking;
pub mod booking_line;
pub mod coupon;
pub mod event;
pub mod idempotency_key;
pub mod invariant_check;
pub mod job;
pub mod kv;
pub mod notification;
pub mod payment;
pub mod payment_event;
pub mod point_account;
pub mod point_entry;
pub mod reminder;
pub mod review;
pub mod review_like;
pub mod settlement;
pub mod settlement_line;
pub mod settlement_run;
pub mod social_account;
pub mod ticket;
pub mod ticket_type;
pub mod user;
pub mod user_coupon;

pub use password_hash::PasswordHash;
