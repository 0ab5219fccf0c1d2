//! A server in a process of its own, which can be killed from inside and from outside.

use crate::Result;
use std::{
    fs::File,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

/// How servers are started: a data folder and the settings, as `SPOTLIGHT_…` names them.
#[derive(Clone, Debug)]
pub struct Plan {
    pub folder: PathBuf,
    pub settings: Vec<(String, String)>,
}

/// What one start adds.
#[derive(Clone, Debug, Default)]
pub struct Rehearsal {
    pub kill_at: Option<String>,
    pub steps_to: Option<PathBuf>,
    pub clock_ahead: i64,
}

#[derive(Debug)]
pub struct Server {
    child: Child,
    pub address: SocketAddr,
}

impl Plan {
    /// Starts it, and waits until it is ready. Its log is appended to `server.log` in the folder.
    pub async fn start(&self, rehearsal: &Rehearsal) -> Result<Server> {
        let log = File::options().create(true).append(true).open(self.folder.join("server.log"))?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["serve", "--no-demo", "--data-dir"]).arg(&self.folder);
        command.arg(format!("--clock-ahead={}", rehearsal.clock_ahead));
        if let Some(step) = &rehearsal.kill_at {
            command.args(["--kill-at", step]);
        }
        if let Some(file) = &rehearsal.steps_to {
            command.arg("--steps-to").arg(file);
        }
        for (setting, value) in &self.settings {
            command.env(format!("SPOTLIGHT_{}", setting.to_uppercase().replace('.', "__")), value);
        }
        let child = command.stdout(Stdio::piped()).stderr(log).kill_on_drop(true).spawn()?;
        let mut server = Server { child, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        let mut lines = BufReader::new(server.child.stdout.take().ok_or("the server has no output")?).lines();
        while let Some(line) = lines.next_line().await? {
            if let Some((_, address)) = line.split_once("ready at http://") {
                server.address = address.parse()?;
                return Ok(server);
            }
        }
        Err(format!("the server stopped before it was ready: see {}", self.log().display()).into())
    }

    pub fn log(&self) -> PathBuf {
        self.folder.join("server.log")
    }

    /// What its servers logged as faults of their own.
    pub fn faults(&self) -> Result<Vec<String>> {
        let log = std::fs::read_to_string(self.log())?;
        Ok(log.lines().filter(|line| line.contains("ERROR")).map(str::to_owned).collect())
    }

    /// The steps that a server wrote down.
    pub fn steps(file: &Path) -> Result<Vec<String>> {
        Ok(std::fs::read_to_string(file)?.lines().map(str::to_owned).collect())
    }
}

impl Server {
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Whether it was killed, or stopped otherwise.
    pub fn is_gone(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// SIGKILL from outside, unless it is gone.
    pub async fn kill(&mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }
}
