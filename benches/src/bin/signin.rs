//! A crowd that signs in at once, and what those who look at events notice of it: the 99th of a hundred answers while nobody
//! signs in, and while 200 people do. Passwords cost what they cost in production (bcrypt 12); who is told to come back
//! does so. The server is a process of its own, the clients have the same two cores.

use benches::{
    Result,
    http::{Connection, Request},
    server::{self, Server},
    world,
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel};
use serde_json::{Value, json};
use spotlight::{auth::password, demo, event};
use std::{
    net::SocketAddr,
    path::Path,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{task::JoinSet, time::sleep};

const PEOPLE: usize = 200;
const READERS: usize = 4;
/// Between two questions of one reader: a busy evening, not a flood.
const PACE: Duration = Duration::from_millis(20);
const QUIET: Duration = Duration::from_secs(10);
const PASSWORD: &str = "Spotlight1!";
const TARGET: f64 = 3.0;
/// All come from one address.
const SETTINGS: &str = "auth.throttle.sign_in_by_address = 100000\nedge.budget.capacity = 1000000000\n\
                        edge.budget.per_second = 1000000\n";
const QUERY: &str =
    "{ events(first: 20) { nodes { id title startsAt artist { nickname } ticketTypes { name price remaining } } } }";

fn main() -> ExitCode {
    if server::is_asked_for() {
        return spotlight::main();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    match runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(measure())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn measure() -> Result<()> {
    let folder = tempfile::tempdir()?;
    fill(folder.path()).await?;
    let server = Server::start_with(folder.path(), SETTINGS)?;
    let address = server.address;
    println!("{PEOPLE} people, {READERS} readers, bcrypt 12; edge.budget and auth.throttle are raised");
    // The first round warms it up.
    reads_during(address, quiet()).await?;
    let (times, ()) = reads_during(address, quiet()).await?;
    let idle = p99(times);
    let (times, (asked, took)) = reads_during(address, crowd(address)).await?;
    let busy = p99(times);
    let ratio = busy / idle;
    let verdict = if ratio <= TARGET { "kept" } else { "MISSED" };
    println!("all {PEOPLE} are signed in after {:.1} s, in {asked} requests", took.as_secs_f64());
    println!("p99 of 20 events  idle {idle:.2} ms  crowd {busy:.2} ms  ratio {ratio:.2} (at most {TARGET}: {verdict})");
    Ok(())
}

/// The demo world, and people with a password.
async fn fill(folder: &Path) -> Result<()> {
    let app = world::app(folder, |_| {}).await?;
    demo::fill_if_empty(&app).await?;
    event::index::reindex(&app).await?;
    world::sign_in(&app, PEOPLE).await?;
    let hash = password::hash(&app, PASSWORD.to_owned()).await?;
    for person in entity::user::Entity::find().all(app.db.reads()).await? {
        if person.email.as_deref().is_some_and(|email| email.starts_with("listener")) {
            let mut person = person.into_active_model();
            person.password_hash = Set(Some(hash.clone()));
            person.update(app.db.reads()).await?;
        }
    }
    Ok(app.db.close().await?)
}

async fn quiet() -> Result<()> {
    sleep(QUIET).await;
    Ok(())
}

/// What was read until `work` was done, and what came of it.
async fn reads_during<T>(server: SocketAddr, work: impl Future<Output = Result<T>>) -> Result<(Vec<f64>, T)> {
    let is_over = Arc::new(AtomicBool::new(false));
    let over = Arc::clone(&is_over);
    let work = async {
        let done = work.await;
        over.store(true, Ordering::Relaxed);
        done
    };
    let (times, done) = tokio::join!(reads(server, is_over), work);
    Ok((times?, done?))
}

/// Milliseconds of every answer.
async fn reads(server: SocketAddr, is_over: Arc<AtomicBool>) -> Result<Vec<f64>> {
    let mut readers: JoinSet<Result<Vec<f64>>> = JoinSet::new();
    for _ in 0..READERS {
        let is_over = Arc::clone(&is_over);
        readers.spawn(async move {
            let (mut connection, mut times) = (Connection::open(server).await?, Vec::new());
            let request = Request::graphql(QUERY, &json!({}));
            while !is_over.load(Ordering::Relaxed) {
                let began = Instant::now();
                let body = connection.ask(&request).await?;
                times.push(began.elapsed().as_secs_f64() * 1_000.0);
                if !body.starts_with(b"{\"data\":{") {
                    return Err(String::from_utf8_lossy(body).into_owned().into());
                }
                sleep(PACE).await;
            }
            Ok(times)
        });
    }
    let mut times = Vec::new();
    while let Some(done) = readers.join_next().await {
        times.extend(done??);
    }
    Ok(times)
}

fn p99(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() * 99 / 100).copied().unwrap_or(f64::NAN)
}

/// How many requests, and how long, it took until everybody was signed in.
async fn crowd(server: SocketAddr) -> Result<(u32, Duration)> {
    let began = Instant::now();
    let asked = Arc::new(AtomicU32::new(0));
    let mut people: JoinSet<Result<()>> = JoinSet::new();
    for number in 0..PEOPLE {
        people.spawn(sign_in(server, number, Arc::clone(&asked)));
    }
    while let Some(done) = people.join_next().await {
        done??;
    }
    Ok((asked.load(Ordering::Relaxed), began.elapsed()))
}

async fn sign_in(server: SocketAddr, number: usize, asked: Arc<AtomicU32>) -> Result<()> {
    let query = "mutation($email: String!, $password: String!) { signIn(input: { email: $email, password: $password }) { \
                 session { accessToken } userErrors { message } } }";
    let email = format!("listener{number}@spotlight.test");
    let request = Request::graphql(query, &json!({ "email": email, "password": PASSWORD }));
    let mut connection = Connection::open(server).await?;
    loop {
        asked.fetch_add(1, Ordering::Relaxed);
        let answer: Value = serde_json::from_slice(connection.answer(&request).await?.1)?;
        let field = |path: &str| answer.pointer(path).cloned().unwrap_or_default();
        if field("/data/signIn/session/accessToken").is_string() {
            return Ok(());
        }
        let Some(seconds) = field("/errors/0/extensions/retryAfter").as_u64() else {
            return Err(answer.to_string().into());
        };
        sleep(Duration::from_secs(seconds)).await;
    }
}
