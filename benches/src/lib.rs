//! What the binaries of this package share: a world to measure in ([`world`]), a server in a process of its own
//! ([`server`]), clients that cost little themselves ([`http`], [`feed`]), what GraphQL is compared with ([`bare`]),
//! what a database can do by itself ([`limit`]) and a sale's buyers ([`sale`]), and the middle of several rounds.
//!
//! What always holds: client and server speak over loopback; what was raised above the defaults is printed; a figure
//! counts only if every answer was the right one. The figures that were measured are in `README.md`.

pub mod bare;
pub mod feed;
pub mod http;
pub mod limit;
pub mod sale;
pub mod server;
pub mod world;

/// Whatever went wrong ends a benchmark: half a figure is none.
pub type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;

/// The one in the middle; the rounds around it had more luck, or less.
#[must_use]
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
