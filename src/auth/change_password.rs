//! `passwordChange`: needs the old one; the session that asked goes on with new tokens, every other one ends.

use super::{
    new_password, password, session,
    session::{Holder, Session},
    throttle,
};
use crate::{
    app::App,
    error::{Code, Error, Problem, Result},
    user::{self, viewer::Viewer},
};

pub async fn change_password(app: &App, viewer: &Viewer, current: String, new: String) -> Result<Session> {
    // An admin has a mutation of their own.
    let id = viewer.buyer()?.id();
    new_password::check(&["newPassword"], &new)?;
    let member = user::query::by_id(app.db.reads(), id).await?.filter(|user| user.withdrawn_at.is_none());
    let member = member.ok_or(Error::Unauthenticated)?;
    let tries = format!("password:{id}");
    let most = app.config.auth.throttle.sign_in_by_account_and_address;
    throttle::count(app, &tries, most, &["currentPassword"]).await?;
    // Who has no password yet sets the first one by a reset, for which the mailbox must be proven.
    let compared = password::verify(app, current, member.password_hash.clone()).await;
    if !throttle::settle(app, &tries, compared).await? {
        return Err(wrong());
    }
    throttle::forget(app, &tries).await?;
    let hash = password::hash(app, new).await?;
    if !new_password::set(app, &member, &hash).await? {
        return Err(wrong());
    }
    session::begin(app, Holder::Member(member.id, member.role)).await
}

fn wrong() -> Error {
    let ko = "비밀번호가 올바르지 않습니다.";
    Problem::new(Code::WrongCredentials, &["currentPassword"], ko, "The password is wrong.").into()
}
