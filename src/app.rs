//! The composition root: everything that a use case may touch.

use crate::{
    auth::{blacklist, doubt::Doubts, password::Passwords, tokens::Tokens},
    booking::start::Queues,
    config::Config,
    infra::{
        alert::Alert,
        blob::{Blob, Spool},
        clock::{Clock, SystemClock},
        data_dir::{self, DataDirError},
        db::{Db, OpenError},
        ids::{Entropy, Ids, SystemEntropy},
        jobs::Registry,
        kakaopay::{ClientSettings, KakaoPayClient, PaymentProvider},
        kv::Kv,
        lock::Locks,
        mail::Mail,
        search::{Search, TantivySearch},
        social::Social,
    },
    notification::hub::Hub,
};
use std::{ops::Deref, sync::Arc, time::Duration};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// A cheap handle on the whole product.
#[derive(Clone, Debug)]
pub struct App(Arc<Ports>);

/// What stands behind [`App`].
#[derive(Debug)]
pub struct Ports {
    pub config: Config,
    /// This process, as the owner of leases.
    pub node: Box<str>,
    pub clock: Arc<dyn Clock>,
    pub ids: Ids,
    pub db: Db,
    pub kv: Kv,
    pub locks: Locks,
    /// Which tokens this node knows to be over.
    pub blacklist: blacklist::Memory,
    /// Which refreshes this node knows no end of.
    pub doubts: Doubts,
    pub search: Search,
    pub mail: Mail,
    pub alert: Alert,
    pub blob: Blob,
    /// Where files wait until they are objects.
    pub spool: Spool,
    pub provider: Arc<dyn PaymentProvider>,
    pub social: Social,
    pub tokens: Tokens,
    pub passwords: Passwords,
    pub jobs: Registry,
    pub hub: Hub,
    /// Buyers who wait for their turn at an event.
    pub queues: Queues,
    /// Held by whoever asks the database whether it answers.
    pub readiness: Arc<tokio::sync::Mutex<()>>,
    /// Work that outlives its request; shutdown waits for it.
    pub tasks: TaskTracker,
    pub shutdown: CancellationToken,
}

impl Deref for App {
    type Target = Ports;
    fn deref(&self) -> &Ports {
        &self.0
    }
}

/// What tests put in the place of the real world.
#[derive(Debug)]
pub struct World {
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

impl Default for World {
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock), entropy: Arc::new(SystemEntropy) }
    }
}

/// Why the product could not be put together; each names the setting to look at.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    #[error(transparent)]
    Database(#[from] OpenError),
    #[error("kv.url: {0}")]
    Kv(String),
    #[error("search.url: {0}")]
    Search(String),
    #[error("auth.keys_dir: {0}")]
    Keys(String),
    #[error("auth.bcrypt_threads: {0}")]
    Passwords(std::io::Error),
    #[error("alert.url: {0}")]
    Alert(String),
    #[error("{0}")]
    Mail(String),
    #[error("kakaopay: {0}")]
    KakaoPay(String),
    #[error("social: {0}")]
    Social(String),
}

impl App {
    /// Opens everything that the configuration names, and brings the database up to date.
    pub async fn build(config: Config, world: World) -> Result<Self, BuildError> {
        let World { clock, entropy } = world;
        let data = &config.data_dir;
        data_dir::prepare(data)?;
        let ids = Ids::new(Arc::clone(&clock), entropy);
        let db = Db::connect(&config.database, data).await?;
        db.migrate().await?;
        let kv = Kv::open(&config.kv, &db, &ids, &clock).await.map_err(|error| BuildError::Kv(error.to_string()))?;
        let tasks = TaskTracker::new();
        let index = TantivySearch::open(&data.join("search")).map_err(|error| BuildError::Search(error.to_string()))?;
        let ports = Ports {
            node: ids.uuid().simple().to_string().into_boxed_str(),
            locks: Locks::new(kv.clone(), ids.clone(), tasks.clone()),
            blacklist: blacklist::Memory::new(Duration::from_secs(config.auth.access_seconds)),
            doubts: Doubts::default(),
            search: Search::Tantivy(index),
            mail: Mail::open(&config.mail, data, Arc::clone(&clock)).map_err(BuildError::Mail)?,
            alert: Alert::open(&config.alert.url).map_err(|error| BuildError::Alert(error.to_string()))?,
            blob: Blob::folder(data.join("objects")),
            spool: Spool::new(data.join("incoming")),
            provider: provider(&config)?,
            social: Social::build(&config).map_err(|error| BuildError::Social(error.to_string()))?,
            tokens: Tokens::load(&config.keys_dir(), &config.auth).map_err(BuildError::Keys)?,
            passwords: Passwords::start(config.auth.bcrypt_threads, config.auth.bcrypt_cost)
                .map_err(BuildError::Passwords)?,
            jobs: crate::job_registry(),
            hub: Hub::default(),
            queues: Queues::default(),
            readiness: Arc::default(),
            tasks,
            shutdown: CancellationToken::new(),
            config,
            clock,
            ids,
            db,
            kv,
        };
        Ok(Self(Arc::new(ports)))
    }

    /// Runs money work in a task of its own: a client that hangs up must not cut it in half.
    #[expect(clippy::disallowed_methods, reason = "the one home of tasks that outlive their request")]
    pub async fn outlive<T: Send + 'static>(
        &self,
        work: impl Future<Output = crate::Result<T>> + Send + 'static,
    ) -> crate::Result<T> {
        let task = tokio::spawn(self.tasks.track_future(work));
        task.await.unwrap_or_else(|error| Err(crate::Error::fault(format!("the task died: {error}"))))
    }
}

fn provider(config: &Config) -> Result<Arc<dyn PaymentProvider>, BuildError> {
    let settings = &config.kakaopay;
    let base_url = if settings.url == "sandbox:" {
        format!("{}{}", config.public_url(), crate::http::SANDBOX_KAKAOPAY)
    } else {
        settings.url.clone()
    };
    let client = KakaoPayClient::new(ClientSettings {
        base_url,
        secret_key: settings.secret_key.clone(),
        cid: settings.cid.clone(),
        timeout: Duration::from_secs(settings.timeout_seconds),
    });
    Ok(Arc::new(client.map_err(|error| BuildError::KakaoPay(error.to_string()))?))
}
