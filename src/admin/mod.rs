//! Those who keep order: a table, a sign-in and tokens of their own. No member becomes an admin, and no admin's token opens
//! a member's door. Accounts are made from the command line only.
//!
//! Always: a change that an admin makes is one row of the audit log (`audit`), in the transaction of the change, and the
//! database refuses to change that row. What admins see is in `list`; what they do, one file for each verb.

pub mod audit;
pub mod create;
pub mod event_remove;
pub mod gauges;
pub mod graphql;
pub mod graphql_decide;
pub mod graphql_lists;
pub mod graphql_mutation;
pub mod graphql_people;
pub mod graphql_sales;
pub mod graphql_totp;
pub mod graphql_work;
pub mod invariants;
pub mod job_retry;
pub mod keys_rotate;
pub mod list;
pub mod password_change;
mod payment_change;
pub mod payment_decide;
pub mod payment_reconcile;
pub mod proof;
pub mod query;
pub mod reason;
pub mod reset;
pub mod review_remove;
pub mod role_change;
pub mod sign_in;
pub mod totp;
pub mod user_remove;
