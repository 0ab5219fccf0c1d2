//! Taking money, and giving it back.
//!
//! Always: the intent is written before every call to the provider and the outcome after it (`payment_event`); a call
//! whose outcome nobody knows leaves the payment in doubt (`APPROVING`, `CANCELING`), and the reconciler asks the
//! provider; amounts are compared at each step. What a payment is for is told apart in `purpose` alone. Read `model`, then
//! `prepare`, `approve`, `cancel`, `reconcile`; `decide` for what the provider will not tell.

pub mod approve;
pub mod ask;
mod begin;
pub mod cancel;
pub mod compare;
pub mod decide;
pub mod give_up;
pub mod graphql;
pub mod model;
pub mod open;
pub mod prepare;
pub mod purpose;
pub mod query;
pub mod reconcile;
pub mod return_url;
pub mod state;
pub mod stuck;
mod wrong;
