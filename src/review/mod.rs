//! Reviews. Reading them is here; writing them is a later chapter.

pub mod graphql;
pub mod model;
pub mod query;
