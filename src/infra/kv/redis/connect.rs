//! Addresses, certificates and bounded waits.

use redis::{
    Client, ConnectionInfo, IntoConnectionInfo, RedisResult, TlsCertificates,
    aio::{ConnectionManager, ConnectionManagerConfig},
    cluster::ClusterClientBuilder,
    cluster_async::ClusterConnection,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::{path::PathBuf, time::Duration};

/// `[kv]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KvSettings {
    /// `embedded:`, `redis://`, `rediss://` (TLS), `redis-cluster://` or `rediss-cluster://` with nodes separated by commas.
    pub url: SecretString,
    /// Before every key, so that several products may share one Redis.
    pub prefix: String,
    /// The certificate authority of a Redis behind TLS, if it is not a public one.
    pub ca_file: Option<PathBuf>,
    /// How long an answer may take.
    pub timeout_millis: u64,
}

#[derive(Clone)]
pub(super) enum Connection {
    One(ConnectionManager),
    Cluster(Cluster),
}

/// Two ways into a cluster.
#[derive(Clone)]
pub(super) struct Cluster {
    /// For what comes to the same if it is done twice: asks again when an answer is lost.
    pub repeating: ClusterConnection,
    /// For everything else.
    pub once: ClusterConnection,
}

impl KvSettings {
    fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_millis)
    }

    /// The nodes, each as an address of its own.
    fn nodes(&self) -> Option<Vec<String>> {
        let (scheme, rest) = self.url.expose_secret().split_once("://")?;
        let one = scheme.strip_suffix("-cluster")?;
        let (account, hosts) =
            rest.rsplit_once('@').map_or((String::new(), rest), |(who, hosts)| (format!("{who}@"), hosts));
        Some(hosts.split(',').map(|host| format!("{one}://{account}{host}")).collect())
    }

    fn certificates(&self) -> RedisResult<TlsCertificates> {
        let root_cert = self.ca_file.as_deref().map(std::fs::read).transpose()?;
        Ok(TlsCertificates { client_tls: None, root_cert })
    }
}

/// Whether an address can be one: its parts are read as the library will read them.
pub fn is_address(url: &str) -> bool {
    let settings = KvSettings { url: url.into(), prefix: String::new(), ca_file: None, timeout_millis: 0 };
    let nodes = settings.nodes().unwrap_or_else(|| vec![url.to_owned()]);
    nodes.iter().all(|node| {
        let info: RedisResult<ConnectionInfo> = node.as_str().into_connection_info();
        info.is_ok()
    })
}

impl Connection {
    pub async fn open(settings: &KvSettings) -> RedisResult<Self> {
        // One provider of TLS for the whole process; whoever was first has set it.
        let _set_before = rustls::crypto::aws_lc_rs::default_provider().install_default();
        match settings.nodes() {
            Some(nodes) => Self::cluster(settings, nodes).await,
            None => Self::one(settings).await,
        }
    }

    async fn one(settings: &KvSettings) -> RedisResult<Self> {
        let client = if settings.url.expose_secret().starts_with("rediss:") {
            Client::build_with_tls(settings.url.expose_secret(), settings.certificates()?)?
        } else {
            Client::open(settings.url.expose_secret())?
        };
        let waits = ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_max_delay(Duration::from_millis(200))
            .set_connection_timeout(Some(settings.timeout()))
            .set_response_timeout(Some(settings.timeout()));
        ConnectionManager::new_with_config(client, waits).await.map(Self::One)
    }

    async fn cluster(settings: &KvSettings, nodes: Vec<String>) -> RedisResult<Self> {
        let certificates = settings.url.expose_secret().starts_with("rediss").then(|| settings.certificates());
        let certificates = certificates.transpose()?;
        let connect = async |retries: u32| {
            let builder = ClusterClientBuilder::new(nodes.clone())
                .retries(retries)
                .min_retry_wait(20)
                .max_retry_wait(200)
                .connection_timeout(settings.timeout())
                .response_timeout(settings.timeout())
                .overall_response_timeout(Some(settings.timeout().saturating_mul(2)));
            // Certificates turn TLS on.
            let builder = match certificates.clone() {
                Some(certificates) => builder.certs(certificates),
                None => builder,
            };
            builder.build()?.get_async_connection().await
        };
        Ok(Self::Cluster(Cluster { repeating: connect(2).await?, once: connect(0).await? }))
    }
}
