//! `socialAccountLink`: one more way into the account that began it. A link outlives every session and every password, so
//! who begins one proves more than a token does; and the owner gets a letter.

use super::{
    link_letter, query, sign_in, way,
    way::{Purpose, Returned},
};
use crate::{
    app::App,
    auth::reauthentication,
    error::{Code, Error, Fault, Problem, Result},
    transaction,
    user::{
        self,
        viewer::{Buyer, Member},
    },
};
use entity::{ids::UserId, social_account, user as user_row};
use sea_orm::ConnectionTrait;

/// What a way that may end in [`link`] is for.
pub async fn purpose(app: &App, member: &Member, secret: Option<String>) -> Result<Purpose> {
    Ok(Purpose::Link(reauthentication::prove(app, member, secret).await?.id))
}

pub async fn link(app: &App, buyer: Buyer, returned: &Returned) -> Result<user_row::Model> {
    let identity = way::end(app, returned, Purpose::Link(buyer.id())).await?;
    let row = sign_in::link_of(app, returned.provider, &identity, buyer.id());
    let linked = transaction!(app, txn => attach(txn, app, &row).await);
    match linked {
        Err(Error::Fault(Fault::Database(error))) if sign_in::is_taken(&error) => {
            transaction!(app, txn => attach(txn, app, &row).await)
        }
        other => other,
    }
}

/// The person's row is locked first: a withdrawal or an unlink at the same time comes before or after, not between.
pub(super) async fn lock(txn: &impl ConnectionTrait, id: UserId) -> Result<user_row::Model> {
    user::withdraw::lock(txn, id).await?.ok_or(Error::Unauthenticated)
}

async fn attach(txn: &impl ConnectionTrait, app: &App, row: &social_account::Model) -> Result<user_row::Model> {
    let user = lock(txn, row.user_id).await?;
    if let Some(known) = query::by_subject(txn, row.provider, &row.subject).await? {
        return if known.user_id == user.id { Ok(user) } else { Err(taken()) };
    }
    if query::of(txn, user.id).await?.iter().any(|known| known.provider == row.provider) {
        return Err(has_another());
    }
    sign_in::insert(txn, row.clone()).await?;
    link_letter::enqueue(txn, app, user.id, row.provider, true).await?;
    Ok(user)
}

/// The person has shown both accounts to be theirs, so it may be told.
fn taken() -> Error {
    let ko = "이미 다른 계정에 연결되어 있습니다.";
    Problem::new(Code::Taken, &["provider"], ko, "It is linked to another account already.").into()
}

fn has_another() -> Error {
    let ko = "이미 연결된 계정이 있습니다. 먼저 연결을 해제해 주세요.";
    Problem::new(Code::NotAllowed, &["provider"], ko, "Another account of this provider is linked: unlink it first.")
        .into()
}
