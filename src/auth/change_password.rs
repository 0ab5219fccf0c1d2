//! `passwordChange`: needs the old one; the session that asked goes on with new tokens, every other one ends.

use super::{
    new_password, password, reauthentication, session,
    session::{Holder, Session},
};
use crate::{
    app::App,
    error::{Error, Result},
    user::{self, viewer::Viewer},
};

pub async fn change_password(app: &App, viewer: &Viewer, current: String, new: String) -> Result<Session> {
    // An admin has a mutation of their own.
    let id = viewer.buyer()?.id();
    new_password::check(&["newPassword"], &new)?;
    let member = user::query::by_id(app.db.reads(), id).await?.filter(|user| user.withdrawn_at.is_none());
    let member = member.ok_or(Error::Unauthenticated)?;
    // Who has no password yet sets the first one by a reset, for which the mailbox must be proven.
    reauthentication::by_password(app, &member, current).await?;
    let hash = password::hash(app, new).await?;
    if !new_password::set(app, &member, &hash).await? {
        return Err(reauthentication::wrong());
    }
    session::begin(app, Holder::Member(member.id, member.role)).await
}
