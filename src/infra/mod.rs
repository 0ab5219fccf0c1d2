//! The outside world: one room for each need, each with an embedded twin that needs no server.

pub mod alert;
pub mod blob;
pub mod bucket;
pub mod clock;
pub mod data_dir;
pub mod db;
pub mod ids;
pub mod jobs;
pub mod kakaopay;
pub mod kill_point;
pub mod kv;
pub mod lock;
pub mod mail;
pub mod network;
pub mod process;
pub mod search;
pub mod social;
pub mod telemetry;
