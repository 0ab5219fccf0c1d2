//! The limits in front of the engine: `[edge]` in the settings.

use serde::{Deserialize, Deserializer};
use std::time::Duration;

/// `[edge]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EdgeSettings {
    /// Bytes of a JSON body.
    pub body_bytes: usize,
    /// Bytes of a multipart body, all its files together.
    pub multipart_bytes: usize,
    /// Files of a multipart body.
    pub multipart_files: usize,
    /// Seconds that a multipart body may take to arrive.
    #[serde(rename = "multipart_seconds", deserialize_with = "seconds")]
    pub multipart_time: Duration,
    /// Multipart bodies of one account that may arrive at once.
    pub multipart_per_account: usize,
    /// Bytes of a document.
    pub query_bytes: usize,
    /// Seconds that a body may take to arrive.
    #[serde(rename = "body_seconds", deserialize_with = "seconds")]
    pub body_time: Duration,
    /// Seconds that one operation may take.
    #[serde(rename = "operation_seconds", deserialize_with = "seconds")]
    pub operation_time: Duration,
    /// Seconds between two signs of life on a stream or a WebSocket.
    #[serde(rename = "heartbeat_seconds", deserialize_with = "seconds")]
    pub heartbeat: Duration,
    /// Seconds until a WebSocket must have introduced itself.
    #[serde(rename = "init_seconds", deserialize_with = "seconds")]
    pub init_time: Duration,
    /// Seconds after which a reader that takes nothing is dropped.
    #[serde(rename = "slow_reader_seconds", deserialize_with = "seconds")]
    pub slow_reader: Duration,
    /// Seconds that a reserved stream waits for its reader.
    #[serde(rename = "reservation_seconds", deserialize_with = "seconds")]
    pub reservation_time: Duration,
    /// Bytes of one message on a WebSocket.
    pub message_bytes: usize,
    /// Operations at once on one WebSocket or reserved stream.
    pub socket_operations: usize,
    /// WebSockets and reserved streams of one account; visitors share one count, ten times as high, per address.
    pub sockets_per_account: usize,
    /// New persisted documents that the cluster keeps in an hour; those beyond it are run and not kept.
    pub documents_per_hour: u32,
    /// What one operation may cost.
    pub operation_cost: u64,
    /// `[edge.budget]`
    pub budget: BudgetSettings,
    /// `[edge.document]`
    pub document: DocumentLimits,
}

/// `[edge.budget]`: the points of an account; visitors share ten times as many per address.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BudgetSettings {
    pub capacity: u64,
    pub per_second: u64,
    /// How many a node takes at once from the store, to spend by itself.
    pub lease: u64,
}

impl Default for BudgetSettings {
    fn default() -> Self {
        Self { capacity: 20_000, per_second: 200, lease: 1_000 }
    }
}

/// `[edge.document]`: what a document may ask for; counted with every fragment expanded.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DocumentLimits {
    pub tokens: usize,
    /// Brackets of any kind inside each other, in the text.
    pub nesting: usize,
    pub definitions: usize,
    pub fragments: usize,
    /// Fields inside each other.
    pub depth: u64,
    /// The same below `__schema` and `__type`: what introspection queries of common tools need.
    pub introspection_depth: u64,
    /// Lists inside each other below `__schema` and `__type`: each multiplies the answer by the size of the schema.
    pub introspection_lists: u64,
    pub fields: u64,
    pub aliases: u64,
    pub directives: u64,
    pub root_fields: u64,
    pub subscription_root_fields: u64,
}

impl Default for EdgeSettings {
    fn default() -> Self {
        Self {
            body_bytes: 256 * 1024,
            multipart_bytes: 12 * 1024 * 1024,
            multipart_files: 4,
            multipart_time: Duration::from_secs(60),
            multipart_per_account: 4,
            query_bytes: 16 * 1024,
            body_time: Duration::from_secs(10),
            operation_time: Duration::from_secs(10),
            heartbeat: Duration::from_secs(15),
            init_time: Duration::from_secs(3),
            slow_reader: Duration::from_secs(10),
            reservation_time: Duration::from_secs(10),
            message_bytes: 64 * 1024,
            socket_operations: 20,
            sockets_per_account: 20,
            documents_per_hour: 1_000,
            operation_cost: 1_000,
            budget: BudgetSettings::default(),
            document: DocumentLimits::default(),
        }
    }
}

impl Default for DocumentLimits {
    fn default() -> Self {
        Self {
            tokens: 2_000,
            nesting: 48,
            definitions: 64,
            fragments: 50,
            depth: 12,
            introspection_depth: 20,
            introspection_lists: 3,
            fields: 1_000,
            aliases: 30,
            directives: 50,
            root_fields: 20,
            subscription_root_fields: 1,
        }
    }
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_secs)
}
