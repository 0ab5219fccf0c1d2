//! The real twin: one Redis, or a cluster. Each operation is one command or one script on one key, so it is as atomic there
//! as in a table.
//!
//! A Redis that is gone is an error within a second, and for the second after that an error at once: nobody waits for what
//! has just failed to answer. Read `connect` next.

mod connect;
mod pause;

use super::{KvError, Tally};
use connect::Connection;
use pause::Pause;
use redis::{Cmd, ErrorKind, FromRedisValue, RedisError, Script, ScriptInvocation, ServerErrorKind, cmd};
use std::{
    fmt,
    sync::{Arc, LazyLock},
    time::Duration,
};

pub use connect::{KvSettings, is_address};

/// Replaces what is expected: the key; expected, new, time to live in milliseconds or nothing.
static COMPARE_AND_SET: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end \
         if ARGV[3] == '' then redis.call('SET', KEYS[1], ARGV[2]) \
         else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end return 1",
    )
});
/// Removes what is expected: the key; expected.
static COMPARE_AND_DELETE: LazyLock<Script> = LazyLock::new(|| {
    Script::new("if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0")
});

/// Adds one up to a bound: the key; the bound, the first one's time to live. Whether it was added, and what is left.
static COUNT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local count = redis.call('GET', KEYS[1]) \
         if not count then redis.call('SET', KEYS[1], 1, 'PX', ARGV[2]) return {1, tonumber(ARGV[2])} end \
         local left = redis.call('PTTL', KEYS[1]) \
         if tonumber(count) >= tonumber(ARGV[1]) then return {0, left} end \
         redis.call('INCR', KEYS[1]) return {1, left}",
    )
});
/// Takes one back; what is gone stays gone.
static UNCOUNT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local count = redis.call('GET', KEYS[1]) \
         if count and tonumber(count) > 0 then redis.call('DECR', KEYS[1]) end return 1",
    )
});

/// Connected once, shared by all.
#[derive(Clone)]
pub struct RedisKv {
    connection: Connection,
    prefix: Arc<str>,
    pause: Arc<Pause>,
}

impl fmt::Debug for RedisKv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedisKv")
    }
}

impl RedisKv {
    /// Connects; an address where nobody answers is an error.
    pub async fn open(settings: &KvSettings) -> Result<Self, KvError> {
        let connection = Connection::open(settings).await.map_err(told)?;
        let kv = Self { connection, prefix: settings.prefix.as_str().into(), pause: Arc::default() };
        let _pong: String = kv.run(&cmd("PING")).await?;
        Ok(kv)
    }

    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    async fn run<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, KvError> {
        self.pause.check()?;
        let answer = match self.connection.clone() {
            Connection::One(mut one) => command.query_async(&mut one).await,
            Connection::Cluster(mut cluster) => command.query_async(&mut cluster.repeating).await,
        };
        self.pause.learn(&answer);
        answer.map_err(told)
    }

    /// For what would come to something else the second time.
    async fn run_once<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, KvError> {
        self.pause.check()?;
        let answer = match self.connection.clone() {
            Connection::One(mut one) => command.query_async(&mut one).await,
            Connection::Cluster(mut cluster) => match command.query_async(&mut cluster.once).await {
                Err(error) if is_refused(&error) => command.query_async(&mut cluster.repeating).await,
                answer => answer,
            },
        };
        self.pause.learn(&answer);
        answer.map_err(told)
    }

    async fn script<T: FromRedisValue>(&self, invocation: &ScriptInvocation<'_>) -> Result<T, KvError> {
        self.pause.check()?;
        let answer: Result<T, RedisError> = match self.connection.clone() {
            Connection::One(mut one) => invocation.invoke_async(&mut one).await,
            Connection::Cluster(mut cluster) => match invocation.invoke_async(&mut cluster.once).await {
                Err(error) if is_refused(&error) => invocation.invoke_async(&mut cluster.repeating).await,
                answer => answer,
            },
        };
        self.pause.learn(&answer);
        answer.map_err(told)
    }

    pub async fn get(&self, key: &str) -> Result<Option<String>, KvError> {
        self.run(cmd("GET").arg(self.key(key))).await
    }

    pub async fn set(&self, key: &str, value: &str, ttl: Option<Duration>) -> Result<(), KvError> {
        let mut command = cmd("SET");
        command.arg(self.key(key)).arg(value);
        self.run(expiring(&mut command, ttl)).await
    }

    pub async fn set_if_absent(&self, key: &str, value: &str, ttl: Option<Duration>) -> Result<bool, KvError> {
        let mut command = cmd("SET");
        command.arg(self.key(key)).arg(value).arg("NX");
        let written: Option<String> = self.run_once(expiring(&mut command, ttl)).await?;
        Ok(written.is_some())
    }

    pub async fn take(&self, key: &str) -> Result<Option<String>, KvError> {
        self.run_once(cmd("GETDEL").arg(self.key(key))).await
    }

    pub async fn delete(&self, key: &str) -> Result<bool, KvError> {
        let removed: i64 = self.run_once(cmd("DEL").arg(self.key(key))).await?;
        Ok(removed == 1)
    }

    pub async fn compare_and_set(
        &self,
        key: &str,
        expected: &str,
        new: &str,
        ttl: Option<Duration>,
    ) -> Result<bool, KvError> {
        let life = ttl.map_or_else(String::new, |ttl| millis(ttl).to_string());
        self.script(COMPARE_AND_SET.key(self.key(key)).arg(expected).arg(new).arg(life)).await
    }

    pub async fn count(&self, key: &str, most: u32, ttl: Duration) -> Result<Tally, KvError> {
        let (is_counted, left): (bool, i64) = self.script(COUNT.key(self.key(key)).arg(most).arg(millis(ttl))).await?;
        Ok(Tally { is_counted, left: Duration::from_millis(u64::try_from(left).unwrap_or(0)) })
    }

    pub async fn uncount(&self, key: &str) -> Result<(), KvError> {
        let _done: bool = self.script(&UNCOUNT.key(self.key(key))).await?;
        Ok(())
    }

    pub async fn compare_and_delete(&self, key: &str, expected: &str) -> Result<bool, KvError> {
        self.script(COMPARE_AND_DELETE.key(self.key(key)).arg(expected)).await
    }
}

/// A node that answered that the key is elsewhere, or that it serves nobody now, has done nothing.
fn is_refused(error: &RedisError) -> bool {
    use ServerErrorKind::{Ask, BusyLoading, ClusterDown, MasterDown, Moved, ReadOnly, TryAgain};
    let nowhere = |kind| matches!(kind, Ask | BusyLoading | ClusterDown | MasterDown | Moved | ReadOnly | TryAgain);
    matches!(error.kind(), ErrorKind::Server(kind) if nowhere(kind))
}

fn expiring(command: &mut Cmd, ttl: Option<Duration>) -> &mut Cmd {
    match ttl {
        Some(ttl) => command.arg("PX").arg(millis(ttl)),
        None => command,
    }
}

/// Redis knows no shorter life than a millisecond.
fn millis(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX / 2).max(1)
}

fn told(error: RedisError) -> KvError {
    KvError(error.to_string())
}
