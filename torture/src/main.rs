//! `cargo run -p torture -- crashes`: the server is killed (SIGKILL) at every commit and every call to the payment provider
//! that a purchase, a lapse, a cancellation, an event's cancellation and a charge of points pass, each in a run of its own;
//! it is started again, and within a minute all must be settled: nothing lost, nothing twice.
//!
//! `cargo run -p torture -- nodes --database mysql://… --kv redis://…`: three nodes on one database sell more than there is,
//! while one after the other is killed.
//!
//! `cargo run -p torture -- races`: what many want at the same time, round after round, on one node or several.
//!
//! `cargo run -p torture -- restarts`: the database's server is killed and started again in the middle of a sale.
//!
//! Read `world` for what is set up, `server` for the processes, `person` for what people do, then `crashes`, `nodes`,
//! `races` and `restarts`.

mod ask;
mod cluster;
mod crashes;
mod dice;
mod nodes;
mod person;
mod races;
mod restarts;
mod server;
mod settled;
mod show;
mod world;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Whatever goes wrong ends it, with a sentence.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, Parser)]
#[command(name = "torture", about = "Kills the server wherever that could hurt")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Kill the server at each step of each story
    Crashes(crashes::Crashes),
    /// Kill one of several nodes while they sell
    Nodes(nodes::Nodes),
    /// Let many want the same at the same time
    Races(races::Races),
    /// Kill the database's server while people buy
    Restarts(restarts::Restarts),
}

fn main() -> ExitCode {
    // The servers are this program again.
    if std::env::args().nth(1).is_some_and(|first| first == "serve") {
        return spotlight::main();
    }
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("torture: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(Box::pin(async {
        match arguments.command {
            Command::Crashes(crashes) => crashes.run().await,
            Command::Nodes(nodes) => nodes.run().await,
            Command::Races(races) => races.run().await,
            Command::Restarts(restarts) => restarts.run().await,
        }
    }))
}
