//! The databases that the suite runs on, and what must hold in each when a scenario is over.

use sea_orm::{ConnectionTrait, Database as Connect, DatabaseConnection};
use spotlight::app::App;
use std::{collections::HashMap, path::Path};

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

    /// The one that needs no server.
    pub fn sqlite() -> Self {
        Self { server: String::new(), url: "sqlite:".to_owned() }
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

    /// Payments that are in doubt, and those of which the provider has another amount than they say: every won is ticketed
    /// or returned.
    pub async fn stray_money(&self, app: &App) -> Vec<String> {
        use entity::{enums::PaymentStatus, kv, payment};
        use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
        let db = app.db.reads();
        let stored = kv::Entity::find().filter(kv::Column::Key.starts_with("sandbox-kakaopay:")).all(db).await.unwrap();
        let mut kept: HashMap<String, i64> = HashMap::new();
        for row in stored {
            let it: serde_json::Value = serde_json::from_str(&row.value).unwrap();
            let left = it["taken"].as_i64().unwrap() - it["canceled"].as_i64().unwrap();
            kept.insert(it["tid"].as_str().unwrap().to_owned(), left);
        }
        let mut stray = Vec::new();
        for row in payment::Entity::find().all(db).await.unwrap() {
            let left = row.tid.as_ref().and_then(|tid| kept.remove(tid)).unwrap_or_default();
            let due = match row.status {
                PaymentStatus::Approved => row.amount - row.canceled_amount,
                PaymentStatus::Ready | PaymentStatus::Canceled | PaymentStatus::Failed | PaymentStatus::Expired => 0,
                PaymentStatus::Approving | PaymentStatus::Pending | PaymentStatus::Canceling => {
                    stray.push(format!("{} ends {:?}", row.id, row.status));
                    left
                }
            };
            if left != due {
                stray.push(format!("{} is {:?}: the provider keeps {left} instead of {due}", row.id, row.status));
            }
        }
        stray.extend(kept.into_iter().filter(|(_, left)| *left != 0).map(|(tid, left)| format!("{tid} keeps {left}")));
        stray
    }

    /// The rules that must always hold.
    pub async fn broken_invariants(&self, app: &App) -> Vec<String> {
        let outcomes = spotlight::admin::invariants::check(app).await.unwrap();
        outcomes.into_iter().filter(|outcome| outcome.broken > 0).map(|o| format!("{}: {}", o.rule, o.broken)).collect()
    }
}
