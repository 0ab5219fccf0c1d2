//! A MariaDB and a PostgreSQL of our own, whose data outlives their processes (`.ci/databases`).

use crate::Result;
use tokio::process::Command;

#[derive(Clone, Debug)]
pub struct Pair {
    name: String,
    addresses: Vec<String>,
}

impl Pair {
    pub async fn start() -> Result<Self> {
        let name = format!("restarts-{}", std::process::id());
        let line = script(&["start", &name, "kept"]).await?;
        let (_, addresses) = line.trim().split_once('=').ok_or("where are the servers?")?;
        let addresses = addresses.split(',').map(str::to_owned).collect();
        Ok(Self { name, addresses })
    }

    /// Where the server of this kind is, `mysql` or `postgres`.
    pub fn address(&self, kind: &str) -> Result<&str> {
        let of_kind = self.addresses.iter().find(|address| address.split(':').next() == Some(kind));
        Ok(of_kind.ok_or_else(|| format!("{kind} is neither mysql nor postgres"))?)
    }

    /// SIGKILL; returns when none of its processes is there any more.
    pub async fn kill(&self, kind: &str) -> Result<()> {
        script(&["kill", kind, &self.name]).await.map(drop)
    }

    /// As an administrator stops it.
    pub async fn halt(&self, kind: &str) -> Result<()> {
        script(&["halt", kind, &self.name]).await.map(drop)
    }

    /// Where it was, with what it had; returns when it answers.
    pub async fn back(&self, kind: &str) -> Result<()> {
        script(&["back", kind, &self.name]).await.map(drop)
    }

    pub async fn stop(&self) -> Result<()> {
        script(&["stop", &self.name, "kept"]).await.map(drop)
    }
}

async fn script(arguments: &[&str]) -> Result<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../.ci/databases");
    let ran = Command::new(path).args(arguments).output().await?;
    if ran.status.success() {
        return Ok(String::from_utf8(ran.stdout)?);
    }
    Err(format!(".ci/databases {}: {}", arguments.join(" "), String::from_utf8_lossy(&ran.stderr)).into())
}
