//! People: who is asking, and what they may do. Sign-up and sessions are in `auth`.

pub mod email_change;
pub mod graphql;
pub mod graphql_profile;
pub mod profile;
pub mod query;
pub mod viewer;
pub mod withdraw;
