//! People: who is asking, and what they may do. Sign-up and sessions are in `auth`.

pub mod graphql;
pub mod query;
pub mod viewer;
