//! What an idle listener costs: a server in a process of its own, 8,000 people who listen to their notifications over
//! server-sent events, and, on a fresh server, as many over WebSocket. Prints the growth of the server's resident memory
//! for each of them.

use benches::{
    Result,
    feed::Transport,
    server::{self, Server},
    world,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{path::Path, process::ExitCode, time::Duration};
use tokio::task::JoinSet;

const LISTENERS: usize = 8_000;
/// Open before the first look: what the first ones cost is the server's, not theirs.
const FIRST: usize = 200;
/// Longer than the feed's look at the table and than the heartbeat, which both come every 15 seconds.
const SETTLE: Duration = Duration::from_secs(35);
const AT_ONCE: usize = 64;
const TARGET_KIB: f64 = 30.0;

fn main() -> ExitCode {
    if server::is_asked_for() {
        return spotlight::main();
    }
    match raise_file_limit().and_then(|()| measure_both()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("idle: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Inherited by the server.
fn raise_file_limit() -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    if let Some(maximum) = limit.maximum
        && maximum < u64::try_from(LISTENERS + 500)?
    {
        return Err(format!("at most {maximum} files may be open (ulimit -Hn); {LISTENERS} sockets need more").into());
    }
    Ok(setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })?)
}

#[tokio::main]
async fn measure_both() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let tokens = people(folder.path()).await?;
    println!("{LISTENERS} listeners of `notifications`, each a person of their own, every setting at its default");
    for (name, transport) in [("SSE", Transport::Sse), ("WebSocket", Transport::WebSocket)] {
        let each = measure(folder.path(), transport, &tokens).await?;
        let verdict = if each <= TARGET_KIB { "kept" } else { "MISSED" };
        println!("{name:9} {each:6.1} KiB for each listener (at most {TARGET_KIB} KiB: {verdict})");
    }
    Ok(())
}

async fn people(folder: &Path) -> Result<Vec<String>> {
    // Only while they are made; the server syncs as it always does.
    let app = world::app(folder, |config| config.database.sqlite_full_sync = false).await?;
    let tokens = world::sign_in(&app, LISTENERS + FIRST).await?;
    app.db.close().await?;
    Ok(tokens)
}

async fn measure(folder: &Path, transport: Transport, tokens: &[String]) -> Result<f64> {
    let server = Server::start(folder)?;
    let mut listening = JoinSet::new();
    let (first, others) = tokens.split_at(FIRST);
    open(&mut listening, &server, transport, first).await?;
    tokio::time::sleep(SETTLE).await;
    let before = server.resident_kib()?;
    open(&mut listening, &server, transport, others).await?;
    tokio::time::sleep(SETTLE).await;
    let after = server.resident_kib()?;
    if let Some(ended) = listening.try_join_next() {
        return Err(format!("a listener did not stay: {:?}", ended?).into());
    }
    println!("  server before {before:.0} KiB, after {after:.0} KiB");
    Ok((after - before) / f64::from(u32::try_from(others.len())?))
}

async fn open(
    listening: &mut JoinSet<Result<()>>,
    server: &Server,
    transport: Transport,
    tokens: &[String],
) -> Result<()> {
    let opening = stream::iter(tokens).map(|token| transport.open(server.address, token)).buffer_unordered(AT_ONCE);
    opening
        .try_for_each(|listener| {
            listening.spawn(listener.listen());
            std::future::ready(Ok(()))
        })
        .await
}
