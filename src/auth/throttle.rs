//! Counts tries in windows of 15 minutes, by account or by address.

use crate::{
    app::App,
    error::{Code, Problem, Result},
};
use std::time::Duration;

const WINDOW: Duration = Duration::from_secs(15 * 60);

/// Counts one try; refuses it once there were `most`.
pub async fn count(app: &App, what: &str, most: u32, path: &[&str]) -> Result<()> {
    let key = format!("tries:{what}");
    loop {
        let Some(stored) = app.kv.get(&key).await? else {
            if app.kv.set_if_absent(&key, "1", Some(WINDOW)).await? {
                return Ok(());
            }
            continue;
        };
        let tries: u32 = stored.parse().unwrap_or(most);
        if tries >= most {
            let ko = "시도 횟수가 너무 많습니다. 15분 뒤에 다시 시도해 주세요.";
            return Err(
                Problem::new(Code::TooManyAttempts, path, ko, "Too many attempts. Try again in 15 minutes.").into()
            );
        }
        if app.kv.compare_and_set(&key, &stored, &(tries + 1).to_string(), Some(WINDOW)).await? {
            return Ok(());
        }
    }
}

/// Forgets the tries, after one that was right.
pub async fn forget(app: &App, what: &str) -> Result<()> {
    app.kv.delete(&format!("tries:{what}")).await?;
    Ok(())
}
