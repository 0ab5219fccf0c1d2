//! The command line.

#[cfg(debug_assertions)]
use crate::infra::{clock::ClockAhead, kill_point};
use crate::{
    admin,
    app::{App, World},
    auth,
    config::{Config, Mistakes},
    event, graphql,
    infra::{
        clock::{Clock, SystemClock},
        data_dir::{self, DataDirError, DataLock},
        db::Db,
        process, telemetry,
    },
    payment, serve,
};
use clap::{Args, Parser, Subcommand};
use std::{path::PathBuf, process::ExitCode};

#[derive(Debug, Parser)]
#[command(
    name = "spotlight",
    version,
    about = "소극장 Spotlight Space: booking for small performances and exhibitions"
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    common: Common,
    #[cfg(debug_assertions)]
    #[command(flatten)]
    rehearsal: Rehearsal,
}

/// What rehearsals ask of a debug build: see `infra::kill_point`.
#[cfg(debug_assertions)]
#[derive(Debug, Args)]
struct Rehearsal {
    /// Kill this process at that step, as written by `--steps-to`
    #[arg(long, hide = true, global = true)]
    kill_at: Option<String>,
    /// Write each step to this file
    #[arg(long, hide = true, global = true)]
    steps_to: Option<PathBuf>,
    /// Let the clock be so many seconds ahead
    #[arg(long, hide = true, global = true, default_value_t = 0)]
    clock_ahead: i64,
}

#[derive(Debug, Args)]
struct Common {
    /// A TOML file of settings; config.default.toml is the manual.
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    /// Where to listen [setting: server.listen]
    #[arg(long, global = true)]
    listen: Option<String>,
    /// Everything that the embedded defaults keep [setting: data_dir]
    #[arg(long, global = true)]
    data_dir: Option<PathBuf>,
    /// Do not fill an empty database with the demo world [setting: demo]
    #[arg(long, global = true)]
    no_demo: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server (the default)
    Serve,
    /// Bring the database up to date, and stop
    Migrate,
    /// Rebuild the search index from the database, and stop; a server that runs on the data folder does it itself
    Reindex,
    /// Check what must always hold of seats, money, points and coupons
    Audit {
        /// Ask the payment provider too, about every payment that it ever had: it must have what we have written down
        #[arg(long)]
        provider: bool,
    },
    /// Admin accounts
    Admin {
        #[command(subcommand)]
        command: AdminCommand,
    },
    /// The keys that sign access tokens
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Print the GraphQL schema
    Schema,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Every key by its `kid`, and which one signs
    List,
    /// Make a new one that signs from now on; the old ones check what they signed until it has run out
    Rotate,
}

#[derive(Debug, Subcommand)]
enum AdminCommand {
    /// Make an account; the password is read from standard input
    Create { email: String },
    /// Every account, and whether it has a second factor
    List,
    /// A new password from standard input; the second factor is off, every session ends
    Reset { email: String },
    /// Remove an account; what it did stays in the audit log
    Remove { email: String },
}

/// The binary. One line on standard error says what is wrong, if something is.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("spotlight: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<(), String> {
    if matches!(cli.command, Some(Command::Schema)) {
        print!("{}", graphql::sdl());
        return Ok(());
    }
    let config = cli.common.load().map_err(|mistakes| mistakes.to_string())?;
    telemetry::start(&config.log)?;
    process::use_small_pages();
    process::keep_files_private();
    let world = cli.world()?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    runtime.block_on(Box::pin(async {
        match cli.command.unwrap_or(Command::Serve) {
            Command::Serve => serve::serve(config, world).await,
            Command::Migrate => migrate(&config).await,
            Command::Reindex => reindex(config).await,
            Command::Audit { provider } => audit(config, provider).await,
            Command::Admin { command } => admin_command(config, command).await,
            Command::Keys { command } => keys_command(config, command).await,
            Command::Schema => Ok(()),
        }
    }))
}

async fn migrate(config: &Config) -> Result<(), String> {
    data_dir::prepare(&config.data_dir).map_err(|error| error.to_string())?;
    let db = Db::connect(&config.database, &config.data_dir).await.map_err(|error| error.to_string())?;
    db.migrate().await.map_err(|error| error.to_string())?;
    println!("the database is up to date");
    Ok(())
}

async fn reindex(config: Config) -> Result<(), String> {
    let ours = DataLock::take(&config.data_dir);
    let app = App::build(config, World::default()).await.map_err(|error| error.to_string())?;
    if let Err(DataDirError::InUse(_)) = ours {
        event::index::ask_for_rebuild(&app).await.map_err(|error| error.to_string())?;
        println!("the running server was asked to rebuild its index; its log says when that is done");
        return Ok(());
    }
    let count = event::index::reindex(&app).await.map_err(|error| error.to_string())?;
    println!("{count} events are indexed");
    Ok(())
}

async fn audit(config: Config, with_provider: bool) -> Result<(), String> {
    let app = App::build(config, World::default()).await.map_err(|error| error.to_string())?;
    let outcomes = admin::invariants::check(&app).await.map_err(|error| error.to_string())?;
    for outcome in &outcomes {
        let verdict =
            if outcome.broken == 0 { "kept".to_owned() } else { format!("BROKEN by {} rows", outcome.broken) };
        println!("{verdict}: {} ({})", outcome.rule, outcome.slug);
    }
    let differences = if with_provider { compare(&app).await? } else { 0 };
    let broken = outcomes.iter().filter(|outcome| outcome.broken > 0).count();
    match (broken, differences) {
        (0, 0) => Ok(()),
        (0, _) => Err(format!("{differences} payments are not what the provider says")),
        (_, 0) => Err(format!("{broken} of {} rules are broken", outcomes.len())),
        _ => Err(format!(
            "{broken} of {} rules are broken, {differences} payments are not what the provider says",
            outcomes.len()
        )),
    }
}

/// How many payments differ.
async fn compare(app: &App) -> Result<usize, String> {
    let told = payment::compare::compare(app).await.map_err(|error| error.to_string())?;
    for difference in &told.differences {
        println!("DIFFERENT: {difference}");
    }
    println!("the provider was asked about {} payments; {} more are in doubt", told.asked, told.in_doubt);
    if told.decided > 0 {
        println!("{} of them were decided by admins, and still cannot be read", told.decided);
    }
    Ok(told.differences.len())
}

/// Needs neither database nor server: a server that runs sees the folder change. The audit log hears of a rotation if it can
/// be reached.
async fn keys_command(config: Config, command: KeysCommand) -> Result<(), String> {
    data_dir::prepare(&config.data_dir).map_err(|error| error.to_string())?;
    let (folder, life) = (config.keys_dir(), auth::tokens::life(&config.auth));
    let told = |error: String| format!("auth.keys_dir: {error}");
    match command {
        KeysCommand::List => {
            for key in auth::keys::Ring::load(&folder, life).map_err(told)?.keys {
                let until = key.ends_at.map_or("signs".to_owned(), |end| format!("checks until {}", end.to_rfc3339()));
                println!("{}\t{until}", key.kid);
            }
        }
        KeysCommand::Rotate => {
            let before = auth::keys::Ring::load(&folder, life).map_err(told)?.signing_kid;
            let kid = auth::keys::rotate(&folder, life, SystemClock.now()).map_err(told)?;
            println!("{kid} signs from now on; a server that runs sees it within a minute");
            let noted = async {
                let app = App::build(config, World::default()).await.map_err(|error| error.to_string())?;
                admin::keys_rotate::note(&app, &before, &kid).await.map_err(|error| error.to_string())
            };
            if let Err(error) = noted.await {
                eprintln!("it is not in the audit log: {error}");
            }
        }
    }
    Ok(())
}

async fn admin_command(config: Config, command: AdminCommand) -> Result<(), String> {
    let app = App::build(config, World::default()).await.map_err(|error| error.to_string())?;
    let told = |error: crate::Error| error.to_string();
    match command {
        AdminCommand::Create { email } => {
            println!("{}", admin::create::create(&app, &email, read_password()?).await.map_err(told)?);
        }
        AdminCommand::List => {
            for row in admin::query::all(app.db.reads()).await.map_err(told)? {
                let factor = if row.totp_secret.is_some() { "second factor" } else { "password only" };
                println!("{}\t{}\tsince {}\t{factor}", row.id, row.email, row.created_at.format("%F"));
            }
        }
        AdminCommand::Reset { email } => {
            admin::reset::reset(&app, &email, read_password()?).await.map_err(told)?;
            println!("{email} has a new password and no second factor; every session has ended");
        }
        AdminCommand::Remove { email } => {
            admin::reset::remove(&app, &email).await.map_err(told)?;
            println!("{email} is removed; every session has ended");
        }
    }
    Ok(())
}

fn read_password() -> Result<String, String> {
    eprintln!("password:");
    let mut secret = String::new();
    std::io::stdin().read_line(&mut secret).map_err(|error| error.to_string())?;
    Ok(secret.trim_end_matches(['\r', '\n']).to_owned())
}

impl Cli {
    #[cfg(debug_assertions)]
    fn world(&self) -> Result<World, String> {
        let Rehearsal { kill_at, steps_to, clock_ahead } = &self.rehearsal;
        let armed = kill_point::arm(kill_at.clone(), steps_to.as_deref());
        armed.map_err(|error| format!("--steps-to: {error}"))?;
        let clock = std::sync::Arc::new(ClockAhead(chrono::TimeDelta::seconds(*clock_ahead)));
        Ok(World { clock, ..World::default() })
    }

    #[cfg(not(debug_assertions))]
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "a debug build has flags that may be wrong")]
    fn world(&self) -> Result<World, String> {
        Ok(World::default())
    }
}

impl Common {
    fn load(&self) -> Result<Config, Mistakes> {
        let mut overrides: Vec<(&str, figment::value::Value)> = Vec::new();
        if let Some(listen) = &self.listen {
            overrides.push(("server.listen", listen.clone().into()));
        }
        if let Some(folder) = &self.data_dir {
            overrides.push(("data_dir", folder.display().to_string().into()));
        }
        if self.no_demo {
            overrides.push(("demo", false.into()));
        }
        Config::load(self.config.as_deref(), &overrides)
    }
}
