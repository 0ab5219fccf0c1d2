//! The server in a process of its own: this program again, as `spotlight serve`.

use crate::Result;
use std::{
    fs::File,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
};

/// True if this process is to be the server: then the program's `main` is the product's.
#[must_use]
pub fn is_asked_for() -> bool {
    std::env::args().nth(1).is_some_and(|first| first == "serve")
}

/// A running server. It is killed when this is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    pub address: SocketAddr,
}

impl Server {
    /// Starts it on `folder`, with every setting at its default, and waits until it is ready. Its log goes to a file in
    /// the folder.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start(folder: &Path) -> Result<Self> {
        Self::start_with(folder, "")
    }

    /// As [`Server::start`], with these settings, which are TOML.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start_with(folder: &Path, settings: &str) -> Result<Self> {
        let file = folder.join("settings.toml");
        std::fs::write(&file, settings)?;
        let child = Command::new(std::env::current_exe()?)
            .args(["serve", "--no-demo", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(folder)
            .arg("--config")
            .arg(file)
            .stdout(Stdio::piped())
            .stderr(File::create(folder.join("server.log"))?)
            .spawn()?;
        // From here on it is killed whatever goes wrong.
        let mut server = Self { child, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        let lines = BufReader::new(server.child.stdout.take().ok_or("the server has no output")?).lines();
        for line in lines {
            if let Some((_, address)) = line?.split_once("ready at http://") {
                server.address = address.parse()?;
                return Ok(server);
            }
        }
        Err("the server stopped before it was ready: see server.log".into())
    }

    /// Its resident memory, as the kernel counts it.
    ///
    /// # Errors
    /// If it is gone.
    pub fn resident_kib(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches("kB").trim().parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.child.kill().and_then(|()| self.child.wait()).is_err() {
            eprintln!("the server of this benchmark may still be running");
        }
    }
}
