//! Attachments: files of a person, an event or a review.
//!
//! Always: a file is what its content says, never what its name or its sender says; what tells where and by whom a
//! picture was taken is gone before it is kept; only who may edit the owner changes its files; an object is there before
//! its row, and is removed some time after its row. Read `model` next, then `upload`.

mod clean;
pub mod delete;
pub mod graphql;
mod model;
mod owner;
pub mod query;
pub mod remove;
pub mod reorder;
pub mod upload;

pub use model::Owner;
