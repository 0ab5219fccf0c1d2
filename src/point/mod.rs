//! Points: a ledger. Every change is an entry with its cause and the balance after it; one cause makes one entry; the
//! balance is the sum of the entries and never negative.

pub mod graphql;
pub mod ledger;
pub mod query;
