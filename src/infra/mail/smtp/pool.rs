//! Connections that wait for the next letter. Our own and not lettre's: that one bounds only how many wait, puts a
//! connection back whose letter was given up in the middle (the next letter then reads the answers to this one), and asks
//! NOOP before each letter.

use super::address::{Address, Security};
use lettre::transport::smtp::{
    Error,
    authentication::{Credentials, DEFAULT_MECHANISMS},
    client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters},
    extension::ClientId,
};
use secrecy::ExposeSecret;
use std::{
    fmt,
    path::Path,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Servers hang up after five minutes (RFC 5321, 4.5.3.2.7), busy ones sooner.
const IDLE: Duration = Duration::from_secs(60);

pub(super) struct Pool {
    address: Address,
    tls: Option<TlsParameters>,
    hello: ClientId,
    places: Semaphore,
    idle: Mutex<Vec<(AsyncSmtpConnection, Instant)>>,
}

impl Pool {
    pub fn open(address: Address, ca_file: &Path, most: usize) -> Result<Self, String> {
        let tls = match address.security {
            Security::Plain => None,
            Security::StartTls | Security::Tls => Some(tls(&address.host, ca_file)?),
        };
        Ok(Self { address, tls, hello: ClientId::default(), places: Semaphore::new(most), idle: Mutex::default() })
    }

    /// One of so many that may send at once.
    pub async fn place(&self) -> Option<SemaphorePermit<'_>> {
        self.places.acquire().await.ok()
    }

    /// The one that was used last, if it is not too old.
    pub fn idle(&self) -> Option<AsyncSmtpConnection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(_, since)| since.elapsed() < IDLE);
        idle.pop().map(|(connection, _)| connection)
    }

    pub fn give_back(&self, connection: AsyncSmtpConnection) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push((connection, Instant::now()));
    }

    /// A new one, encrypted and let in as the address says.
    pub async fn connect(&self, timeout: Duration) -> Result<AsyncSmtpConnection, Error> {
        let Address { security, host, port, login } = &self.address;
        let from_the_start = self.tls.clone().filter(|_| *security == Security::Tls);
        let server = (host.as_str(), *port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, Some(timeout), &self.hello, from_the_start, None).await?;
        if let (Security::StartTls, Some(tls)) = (security, self.tls.clone()) {
            connection.starttls(tls, &self.hello).await?;
        }
        if let Some((user, password)) = login {
            let credentials = Credentials::new(user.clone(), password.expose_secret().to_owned());
            connection.auth(DEFAULT_MECHANISMS, &credentials).await?;
        }
        Ok(connection)
    }

    /// QUIT on every idle connection; a server that does not answer gets no longer than `patience` for all.
    pub async fn hang_up(&self, patience: Duration) {
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        let quits = idle.into_iter().map(|(mut connection, _)| async move { connection.quit().await.map(drop) });
        // Out of politeness: nothing depends on it.
        let _ = tokio::time::timeout(patience, futures_util::future::join_all(quits)).await;
    }
}

/// With a file, only what it holds is believed; without one, what the system believes.
fn tls(host: &str, ca_file: &Path) -> Result<TlsParameters, String> {
    let mut tls = TlsParameters::builder(host.to_owned());
    if !ca_file.as_os_str().is_empty() {
        let pem = std::fs::read(ca_file).map_err(|error| format!("mail.ca_file: {}: {error}", ca_file.display()))?;
        let unusable = || format!("mail.ca_file: {} holds no certificate in PEM", ca_file.display());
        if !pem.windows(5).any(|window| window == b"-----") {
            return Err(unusable());
        }
        let authority = Certificate::from_pem(&pem).map_err(|_| unusable())?;
        tls = tls.certificate_store(CertificateStore::None).add_root_certificate(authority);
    }
    tls.build().map_err(|error| format!("mail: TLS cannot be set up: {error}"))
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("address", &self.address).finish_non_exhaustive()
    }
}
