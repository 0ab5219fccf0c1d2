//! Events and their ticket types, from the artist's draft to the listing.
//!
//! Always: opens < closes ≤ start < end; only the artist edits; after the first sale nothing changes that would hurt
//! a holder; `remaining` of a ticket type is capacity − held − sold and never below zero. Read `model` next.

pub mod cancel;
pub mod create;
pub mod graphql;
pub mod graphql_mutation;
pub mod graphql_query;
pub mod index;
pub mod list;
pub mod model;
pub mod query;
pub mod update;
