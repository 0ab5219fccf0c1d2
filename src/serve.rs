//! `spotlight serve`: opens everything, says where it is, and ends in order.

use crate::{
    app::{App, BuildError, World},
    config::Config,
    demo, event, http,
    infra::{data_dir::DataLock, jobs, process},
};
use std::{io, time::Duration};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

/// How long what is running may take to finish after the signal.
const DRAIN: Duration = Duration::from_secs(20);

pub async fn serve(mut config: Config, world: World) -> Result<(), String> {
    let _ours = DataLock::take(&config.data_dir).map_err(|error| error.to_string())?;
    process::raise_file_limit(config.server.connections.most);
    let listen = config.server.listen;
    let listener = TcpListener::bind(listen).await;
    let listener = listener.map_err(|error| format!("server.listen: cannot listen on {listen}: {error}"))?;
    // Port 0 asks for any free one; from here on the real one counts.
    config.server.listen = listener.local_addr().map_err(|error| error.to_string())?;
    if !config.is_production() && !listen.ip().is_loopback() {
        tracing::warn!(
            "development settings on {listen}, which others can reach: the sandbox takes no real money, the demo world has \
             known passwords, and /mail is not served"
        );
    }
    let app = App::build(config, world).await.map_err(|error: BuildError| error.to_string())?;
    let is_new = prepare(&app).await.map_err(|error| error.to_string())?;
    // Whoever reads that we are ready may stop us at once.
    let stop = stop_signals().map_err(|error| format!("cannot hear signals: {error}"))?;
    announce(&app, is_new);
    run(app, listener, stop).await
}

/// Fills an empty database with the demo world; rebuilds an index that was lost. True if it is a new world.
async fn prepare(app: &App) -> crate::Result<bool> {
    let is_new = app.config.demo && demo::fill_if_empty(app).await?;
    jobs::plan_schedules(app).await?;
    if app.search.needs_reindex() {
        event::index::reindex(app).await?;
    }
    Ok(is_new)
}

#[expect(clippy::disallowed_methods, reason = "the worker lives as long as the server")]
async fn run(app: App, listener: TcpListener, stop: impl Future<Output = ()>) -> Result<(), String> {
    let worker = tokio::spawn(jobs::work(app.clone()));
    let (router, connections) = (http::router(&app), app.config.server.connections.clone());
    let serving = http::listen(listener, router, connections, app.shutdown.clone(), app.tasks.clone());
    tokio::select! {
        () = serving => {}
        () = stop => tracing::info!("stopping: finishing what is under way"),
    }
    app.shutdown.cancel();
    app.tasks.close();
    let drained = tokio::time::timeout(DRAIN, async {
        app.tasks.wait().await;
        worker.await
    });
    if drained.await.is_err() {
        tracing::warn!("something did not finish in time; its job goes on at the next start");
    }
    app.db.close().await.map_err(|error| error.to_string())
}

/// Ends with the first signal to stop; they are heard from now on.
fn stop_signals() -> io::Result<impl Future<Output = ()>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// What a person needs first; then the one line that a script waits for.
fn announce(app: &App, is_new: bool) {
    let url = app.config.public_url();
    if app.config.demo {
        println!("{}", demo::welcome(&url, app.config.shows_mail(), is_new));
    }
    println!("spotlight is ready at {url}");
}
