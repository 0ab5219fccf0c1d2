//! Those who keep order: a table, a sign-in and tokens of their own. No member becomes an admin, and no admin's token opens
//! a member's door. Accounts are made from the command line only.

pub mod audit;
pub mod create;
pub mod graphql;
pub mod graphql_totp;
pub mod invariants;
pub mod password_change;
pub mod proof;
pub mod query;
pub mod reset;
pub mod sign_in;
pub mod totp;
