//! Points: a ledger. Every change is an entry with its cause and the balance after it; one cause makes one entry; the
//! balance is the sum of the entries and never negative. A charge is a payment like any other: see `charge`.

pub mod charge;
pub mod expire_charge;
pub mod graphql;
pub mod ledger;
pub mod query;
