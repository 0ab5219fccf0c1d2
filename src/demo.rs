//! placeholder
use crate::{Result, app::App};
pub async fn fill_if_empty(_app: &App) -> Result<bool> {
    Ok(false)
}
pub fn welcome(_url: &str, _is_new: bool) -> String {
    String::new()
}
