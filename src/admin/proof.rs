//! What a signed-in admin shows again before the account itself is changed: a token that was left open is not enough.

use super::query;
use crate::{
    app::App,
    auth::{password, throttle},
    error::{Code, Error, Problem, Result},
};
use entity::{admin::Model, ids::AdminId};

/// Wrong passwords and codes in a quarter of an hour, together.
const MOST: u32 = 5;

fn tries(id: AdminId) -> String {
    format!("admin-proof:{id}")
}

/// The account as it is now; a token may outlive it by minutes.
pub async fn present(app: &App, id: AdminId) -> Result<Model> {
    query::by_id(app.db.reads(), id).await?.ok_or(Error::Unauthenticated)
}

/// The account, if the password is right.
pub async fn by_password(app: &App, id: AdminId, secret: String, path: &[&str]) -> Result<Model> {
    let admin = present(app, id).await?;
    count(app, id, path).await?;
    let compared = password::verify(app, secret, Some(admin.password_hash.clone())).await;
    if throttle::settle(app, &tries(id), compared).await? {
        throttle::forgive(app, &tries(id)).await?;
        return Ok(admin);
    }
    Err(Problem::new(Code::WrongCredentials, path, "비밀번호가 올바르지 않습니다.", "The password is wrong.").into())
}

/// One try more; refused when there were too many.
pub async fn count(app: &App, id: AdminId, path: &[&str]) -> Result<()> {
    throttle::count(app, &tries(id), MOST, path).await
}

/// After a proof that was right altogether.
pub async fn forget(app: &App, id: AdminId) -> Result<()> {
    throttle::forget(app, &tries(id)).await
}
