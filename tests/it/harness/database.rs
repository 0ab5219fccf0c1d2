//! The databases that the suite runs on, and what must hold in each when a scenario is over.

use sea_orm::{ConnectionTrait, Database as Connect, DatabaseConnection};
use spotlight::app::App;
use std::path::Path;

/// An address to run on, or a fresh database at such an address.
#[derive(Clone, Debug)]
pub struct Database {
    /// Where databases are made; empty for SQLite.
    server: String,
    url: String,
}

impl Database {
    /// What `SPOTLIGHT_TEST_DATABASES` names.
    #[expect(clippy::disallowed_methods, reason = "the one setting of the suite")]
    pub fn wanted() -> Vec<Self> {
        let wanted = std::env::var("SPOTLIGHT_TEST_DATABASES").unwrap_or_else(|_| "sqlite".to_owned());
        let of = |address: &str| {
            let server = if address == "sqlite" { "" } else { address };
            Self { server: server.to_owned(), url: "sqlite:".to_owned() }
        };
        wanted.split(',').map(str::trim).filter(|address| !address.is_empty()).map(of).collect()
    }

    /// The kinds that nothing was run on.
    pub fn missing(wanted: &[Self]) -> Vec<&'static str> {
        let kinds = ["sqlite", "mysql", "postgres"];
        kinds.into_iter().filter(|kind| !wanted.iter().any(|database| database.name() == *kind)).collect()
    }

    pub fn name(&self) -> &'static str {
        match self.server.split(':').next().unwrap_or_default() {
            "mysql" | "mariadb" => "mysql",
            "postgres" | "postgresql" => "postgres",
            _ => "sqlite",
        }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// An empty database of this kind.
    pub async fn fresh(&self, folder: &Path) -> Self {
        if self.server.is_empty() {
            let url = format!("sqlite:{}", folder.join("test.db").display());
            return Self { server: String::new(), url };
        }
        let name = format!("it_{}", folder.file_name().unwrap().to_string_lossy().to_lowercase().replace('.', ""));
        self.at_server(&format!("CREATE DATABASE {name}")).await;
        let (base, _) = self.server.rsplit_once('/').unwrap();
        Self { server: self.server.clone(), url: format!("{base}/{name}") }
    }

    pub async fn drop(&self) {
        if !self.server.is_empty() {
            let (_, name) = self.url.rsplit_once('/').unwrap();
            self.at_server(&format!("DROP DATABASE {name}")).await;
        }
    }

    async fn at_server(&self, sql: &str) {
        let server: DatabaseConnection = Connect::connect(&self.server).await.unwrap();
        server.execute_unprepared(sql).await.unwrap();
        server.close().await.unwrap();
    }

    /// What is due and was not done, or was parked.
    pub async fn left_over_jobs(&self, app: &App) -> Vec<String> {
        use entity::job;
        use sea_orm::EntityTrait;
        let rows = job::Entity::find().all(app.db.reads()).await.unwrap();
        let now = spotlight::infra::clock::Clock::now(app.clock.as_ref());
        rows.into_iter()
            .filter(|row| row.run_at <= now || row.parked_at.is_some())
            .map(|row| format!("{} {:?}", row.name, row.last_error))
            .collect()
    }

    /// The rules that must always hold.
    pub async fn broken_invariants(&self, app: &App) -> Vec<String> {
        let outcomes = spotlight::admin::invariants::check(app).await.unwrap();
        outcomes.into_iter().filter(|outcome| outcome.broken > 0).map(|o| format!("{}: {}", o.rule, o.broken)).collect()
    }
}
