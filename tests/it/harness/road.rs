//! A road between a server and its database that breaks at a COMMIT: before it arrives there, or with the database's answer
//! on its way back. It knows no more of the two protocols than where a message ends and what a COMMIT is.

use super::{Node, TestApp};
use secrecy::ExposeSecret;
use spotlight::config::Config;
use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;
use url::Url;

/// Where it breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The database never hears of the COMMIT, and rolls back.
    Before,
    /// The database has committed and said so; nobody hears it.
    Answer,
}

#[derive(Clone)]
pub struct Road {
    /// The database's address by this road.
    pub url: String,
    database: String,
    is_postgres: bool,
    plan: Arc<Mutex<Option<Plan>>>,
    broken: Arc<Mutex<Vec<String>>>,
    /// Nothing gets through any more.
    closed: CancellationToken,
}

struct Plan {
    /// COMMITs that pass before.
    passing: usize,
    cut: Cut,
    /// It breaks at each COMMIT from there on.
    is_lasting: bool,
    /// Afterwards the road is closed.
    is_last: bool,
    is_done: bool,
}

impl Road {
    /// To the scenario's database; `None` if it is a file, and says so.
    pub async fn to_database(app: &TestApp) -> Option<Self> {
        let mut url = Url::parse(app.app.config.database.url.expose_secret()).unwrap();
        let Some(port) = url.port() else {
            eprintln!("SKIPPED on sqlite: there is no connection that could break");
            return None;
        };
        let is_postgres = url.scheme().starts_with('p');
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let database = format!("{}:{port}", url.host_str().unwrap());
        url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        url.set_query(Some(if is_postgres { "sslmode=disable" } else { "ssl-mode=DISABLED" }));
        let road = Self {
            url: url.to_string(),
            database,
            is_postgres,
            plan: Arc::default(),
            broken: Arc::default(),
            closed: CancellationToken::new(),
        };
        let (open, stop, tasks) = (road.clone(), app.app.shutdown.clone(), app.app.tasks.clone());
        app.app.tasks.spawn(async move {
            while let Some(Ok((server, _))) = stop.run_until_cancelled(listener.accept()).await {
                let (road, stop) = (open.clone(), stop.clone());
                tasks.spawn(async move {
                    // However it ends, both ends are closed.
                    let _ended = stop.run_until_cancelled(road.closed.run_until_cancelled(road.carry(server))).await;
                });
            }
        });
        Some(road)
    }

    /// A node that reaches the scenario's database by such a road; `None` where there is no connection to cut.
    pub async fn with_node(app: &TestApp, change: impl FnOnce(&mut Config)) -> Option<(Self, Node)> {
        let road = Self::to_database(app).await?;
        let (url, provider) = (road.url.clone(), format!("{}/sandbox/kakaopay", app.url));
        let node = app.node("by-road", |config| {
            config.database.url = url.into();
            // The provider's own memory is not behind that road.
            config.kakaopay.url = provider;
            change(config);
        });
        let node = node.await;
        Some((road, node))
    }

    /// Breaks at the COMMIT that comes after so many others.
    pub fn arm(&self, passing: usize, cut: Cut) {
        *self.plan.lock().unwrap() = Some(Plan { passing, cut, is_lasting: false, is_last: false, is_done: false });
    }

    /// The same, and the database is away from there on.
    pub fn arm_for_good(&self, passing: usize, cut: Cut) {
        *self.plan.lock().unwrap() = Some(Plan { passing, cut, is_lasting: false, is_last: true, is_done: false });
    }

    /// Breaks at every COMMIT, until it is disarmed.
    pub fn arm_all(&self, cut: Cut) {
        *self.plan.lock().unwrap() = Some(Plan { passing: 0, cut, is_lasting: true, is_last: false, is_done: false });
    }

    /// Whether it broke; from here on it holds.
    pub fn disarm(&self) -> bool {
        self.plan.lock().unwrap().take().is_some_and(|plan| plan.is_done)
    }

    /// The messages at which it broke: a COMMIT each, with what came along.
    pub fn broken(&self) -> Vec<String> {
        self.broken.lock().unwrap().clone()
    }

    /// Whether it breaks at this COMMIT.
    fn due(&self, message: &[u8]) -> Option<Cut> {
        let mut plan = self.plan.lock().unwrap();
        let plan = plan.as_mut().filter(|plan| plan.is_lasting || !plan.is_done)?;
        if plan.passing > 0 {
            plan.passing -= 1;
            return None;
        }
        plan.is_done = true;
        self.broken.lock().unwrap().push(String::from_utf8_lossy(message).into_owned());
        Some(plan.cut)
    }

    async fn carry(&self, mut server: TcpStream) -> io::Result<()> {
        let mut database = TcpStream::connect(&self.database).await?;
        let mut asked = Messages { is_postgres: self.is_postgres, ..Messages::default() };
        let (mut from_server, mut from_database) = (vec![0; 16_384], vec![0; 16_384]);
        loop {
            tokio::select! {
                size = server.read(&mut from_server) => {
                    let size = size?;
                    if size == 0 {
                        return Ok(());
                    }
                    asked.bytes.extend(&from_server[..size]);
                    while let Some(message) = asked.next() {
                        let cut = if asked.is_commit(&message) { self.due(&message) } else { None };
                        if cut == Some(Cut::Before) {
                            return Ok(());
                        }
                        database.write_all(&message).await?;
                        if cut == Some(Cut::Answer) {
                            self.swallow_answer(&mut database).await?;
                            if self.plan.lock().unwrap().as_ref().is_some_and(|plan| plan.is_last) {
                                self.closed.cancel();
                            }
                            return Ok(());
                        }
                    }
                }
                size = database.read(&mut from_database) => {
                    let size = size?;
                    if size == 0 {
                        return Ok(());
                    }
                    server.write_all(&from_database[..size]).await?;
                }
            }
        }
    }

    /// Whoever sends a COMMIT has read all that was answered before: what comes now is its answer, and that to what came
    /// along in its message.
    async fn swallow_answer(&self, database: &mut TcpStream) -> io::Result<()> {
        let is_done =
            if self.is_postgres { postgres_committed(database).await? } else { mysql_committed(database).await? };
        if !is_done {
            // It did not commit: then this was no cut.
            self.plan.lock().unwrap().take();
        }
        Ok(())
    }
}

/// CommandComplete of a COMMIT comes last before ReadyForQuery.
async fn postgres_committed(database: &mut TcpStream) -> io::Result<bool> {
    let mut last = Vec::new();
    loop {
        let mut head = [0; 5];
        database.read_exact(&mut head).await?;
        let length = usize::try_from(u32::from_be_bytes([head[1], head[2], head[3], head[4]])).unwrap();
        let mut body = vec![0; length - 4];
        database.read_exact(&mut body).await?;
        match head[0] {
            b'Z' => return Ok(last == b"COMMIT\0"),
            b'C' => last = body,
            _ => last.clear(),
        }
    }
}

/// OK for each statement, or rows; each but the last says that more follow.
async fn mysql_committed(database: &mut TcpStream) -> io::Result<bool> {
    const MORE_FOLLOW: u8 = 8;
    loop {
        let body = mysql_packet(database).await?;
        let flags = match body[0] {
            0 => ok_flags(&body),
            0xff => return Ok(false),
            columns => mysql_rows(database, columns).await?,
        };
        if flags & MORE_FOLLOW == 0 {
            return Ok(true);
        }
    }
}

async fn mysql_packet(database: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut head = [0; 4];
    database.read_exact(&mut head).await?;
    let mut body = vec![0; usize::from(head[0]) | usize::from(head[1]) << 8 | usize::from(head[2]) << 16];
    database.read_exact(&mut body).await?;
    Ok(body)
}

/// Two numbers stand before the flags, each as long as its first byte says.
fn ok_flags(body: &[u8]) -> u8 {
    let long = |at: usize| match body[at] {
        0xfc => 3,
        0xfd => 4,
        0xfe => 9,
        _ => 1,
    };
    body[1 + long(1) + long(1 + long(1))]
}

/// What stands behind the number of columns: the flags at the end of the rows.
async fn mysql_rows(database: &mut TcpStream, columns: u8) -> io::Result<u8> {
    /// An end of the old kind, which also stands between the columns and the rows.
    const OLD_END: usize = 5;
    for _ in 0..columns {
        mysql_packet(database).await?;
    }
    let mut is_in_rows = false;
    loop {
        let body = mysql_packet(database).await?;
        // A long row begins like that, too.
        let is_end = body[0] == 0xfe && body.len() < 9;
        if is_end && (is_in_rows || body.len() != OLD_END) {
            return Ok(if body.len() == OLD_END { body[3] } else { ok_flags(&body) });
        }
        is_in_rows = true;
    }
}

/// What was asked, message by message.
#[derive(Default)]
struct Messages {
    is_postgres: bool,
    /// PostgreSQL's first messages have no letter.
    has_letters: bool,
    bytes: VecDeque<u8>,
}

impl Messages {
    fn next(&mut self) -> Option<Vec<u8>> {
        let at = |index: usize| self.bytes.get(index).copied().map(usize::from);
        let length = if self.is_postgres {
            let begin = usize::from(self.has_letters);
            let bytes = [at(begin)?, at(begin + 1)?, at(begin + 2)?, at(begin + 3)?];
            begin + bytes.into_iter().fold(0, |length, byte| length << 8 | byte)
        } else {
            4 + (at(0)? | at(1)? << 8 | at(2)? << 16)
        };
        if self.bytes.len() < length {
            return None;
        }
        let message: Vec<u8> = self.bytes.drain(..length).collect();
        if self.is_postgres && !self.has_letters {
            // After the start-up message of version 3, and not after the question for TLS.
            self.has_letters = message[4..6] == [0, 3];
        }
        Some(message)
    }

    /// Alone, or at the end of what is written.
    fn is_commit(&self, message: &[u8]) -> bool {
        let text = if self.is_postgres {
            let text = if self.has_letters && message[0] == b'Q' { &message[5..] } else { b"" };
            text.strip_suffix(b"\0").unwrap_or_default()
        } else {
            // COM_QUERY.
            message[4..].strip_prefix(b"\x03").unwrap_or_default()
        };
        {
            let text = text.strip_suffix(b";END").unwrap_or(text);
            let text = text.strip_suffix(b" AND CHAIN").unwrap_or(text);
            text == b"COMMIT" || text.ends_with(b";COMMIT")
        }
    }
}
