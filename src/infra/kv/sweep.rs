//! The embedded twin keeps what is past its time until it is swept; the real one forgets by itself.

use crate::{app::App, error::Result, infra::jobs::Job};
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Debug, Serialize, Deserialize)]
pub struct SweepKv;

impl Job for SweepKv {
    const NAME: &'static str = "sweep_kv";
    const EVERY: Option<Duration> = Some(Duration::from_secs(600));

    async fn run(self, app: &App) -> Result<()> {
        let swept = app.kv.sweep().await?;
        tracing::debug!(swept, "what was past its time is removed");
        Ok(())
    }
}
