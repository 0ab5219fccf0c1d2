//! What GraphQL costs: requests a second through `/graphql`, as it is served, against a bare axum handler that runs the
//! same statements on the same pool and writes its JSON by hand. One process, loopback, rounds of both in turns; the
//! figure is the middle of the rounds' ratios.

use axum::serve;
use benches::{
    Result,
    bare::{self, Bare, FIELDS},
    http::{Connection, Request, load},
    median, world,
};
use serde_json::{Value, json};
use spotlight::{app::App, demo, event, http};
use std::{fs::File, net::SocketAddr, path::Path, sync::Arc, time::Duration};
use tokio::{net::TcpListener, task::JoinSet};
use tracing_subscriber::{filter::Targets, fmt, layer::SubscriberExt, registry, util::SubscriberInitExt};

const CONNECTIONS: usize = 16;
const ROUNDS: usize = 9;
const ROUND: Duration = Duration::from_secs(2);
const TARGET: f64 = 0.6;

#[tokio::main]
async fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let app = filled(folder.path()).await?;
    log_to(folder.path(), &app)?;
    let page: Arc<[_]> = bare::found(&app).await.ok_or("the index does not answer")?.into();
    let first = *page.first().ok_or("the demo world is empty")?;
    let mut serving = JoinSet::new();
    let (ours, theirs) = start(&mut serving, &app, page).await?;
    println!(
        "{CONNECTIONS} connections, {ROUNDS} rounds of {} s each; the budget of points is raised",
        ROUND.as_secs()
    );
    let one = format!("query($id: ID!) {{ event(id: $id) {{ {FIELDS} }} }}");
    let list = format!("{{ events(first: 20) {{ nodes {{ {FIELDS} }} }} }}");
    let one = Request::graphql(&one, &json!({ "id": first.to_string() }));
    let list = Request::graphql(&list, &json!({}));
    for (name, question, path) in [
        ("event(id)", &one, format!("/event/{first}")),
        ("20 events, both ask the search index", &list, "/search".to_owned()),
        ("20 events, bare knows the page's ids already", &list, "/page".to_owned()),
    ] {
        compare(&app, name, (ours, question), (theirs, &Request::get(&path))).await?;
    }
    Ok(())
}

async fn filled(folder: &Path) -> Result<App> {
    let app = world::app(folder, |config| {
        // All the load comes from one address, which would have spent its points in a moment.
        config.edge.budget.capacity = 1 << 50;
        config.edge.budget.per_second = 1 << 40;
    })
    .await?;
    demo::fill_if_empty(&app).await?;
    event::index::reindex(&app).await?;
    Ok(app)
}

/// As `spotlight serve` logs, but into a file.
fn log_to(folder: &Path, app: &App) -> Result<()> {
    let log = Arc::new(File::create(folder.join("server.log"))?);
    let filter: Targets = app.config.log.filter.parse()?;
    let lines = fmt::layer().with_ansi(false).with_writer(log);
    Ok(registry().with(filter).with(lines).try_init()?)
}

async fn start(
    serving: &mut JoinSet<()>,
    app: &App,
    page: Arc<[entity::ids::EventId]>,
) -> Result<(SocketAddr, SocketAddr)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let ours = listener.local_addr()?;
    let connections = app.config.server.connections.clone();
    serving.spawn(http::listen(listener, http::router(app), connections, app.shutdown.clone(), app.tasks.clone()));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let theirs = listener.local_addr()?;
    let bare = serve(listener, bare::router(Bare { app: app.clone(), page }));
    serving.spawn(async {
        if let Err(error) = bare.await {
            eprintln!("the bare server stopped: {error}");
        }
    });
    Ok((ours, theirs))
}

async fn compare(app: &App, name: &str, ours: (SocketAddr, &Request), theirs: (SocketAddr, &Request)) -> Result<()> {
    let (our_data, our_statements) = ask(app, ours).await?;
    let (their_data, their_statements) = ask(app, theirs).await?;
    if our_data != their_data {
        return Err(format!("the answers differ:\n{our_data}\n{their_data}").into());
    }
    let (mut rates, mut ratios) = ((Vec::new(), Vec::new()), Vec::new());
    for _ in 0..ROUNDS {
        let bare = load(theirs.0, theirs.1, CONNECTIONS, ROUND).await?;
        let graphql = load(ours.0, ours.1, CONNECTIONS, ROUND).await?;
        rates.0.push(graphql);
        rates.1.push(bare);
        ratios.push(graphql / bare);
    }
    let (graphql, bare, ratio) = (median(rates.0), median(rates.1), median(ratios));
    let verdict = if ratio >= TARGET { "kept" } else { "MISSED" };
    println!("\n{name}: the same answer from {our_statements} statements, bare {their_statements}");
    println!("  GraphQL {graphql:7.0} requests/s\n  bare    {bare:7.0} requests/s");
    println!("  ratio   {ratio:7.2} (at least {TARGET}: {verdict})");
    Ok(())
}

/// One answer's data, and how many statements it took; the first asks warm everything up.
async fn ask(app: &App, (server, request): (SocketAddr, &Request)) -> Result<(Value, u64)> {
    let mut connection = Connection::open(server).await?;
    for _ in 0..20 {
        connection.ask(request).await?;
    }
    let before = app.db.statements();
    let answer: Value = serde_json::from_slice(connection.ask(request).await?)?;
    let statements = app.db.statements() - before;
    match answer {
        Value::Object(mut answer) if !answer.contains_key("errors") => {
            Ok((answer.remove("data").unwrap_or_default(), statements))
        }
        other => Err(other.to_string().into()),
    }
}
