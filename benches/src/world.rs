//! The product in a folder of its own, and people who are signed in.

use crate::Result;
use entity::{enums::Role, ids::UserId, user};
use futures_util::{StreamExt, TryStreamExt, stream};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel};
use spotlight::{
    app::{App, World},
    auth::session::{self, Holder},
    config::Config,
};
use std::path::Path;

/// Sessions that begin at once.
const AT_ONCE: usize = 16;

/// The defaults, with what `change` changes.
///
/// # Errors
/// What the product says if it cannot be put together.
pub async fn app(folder: &Path, change: impl FnOnce(&mut Config)) -> Result<App> {
    let mut config = Config::load(None, &[])?;
    config.data_dir = folder.to_owned();
    config.server.listen = "127.0.0.1:0".parse()?;
    change(&mut config);
    Ok(App::build(config, World::default()).await?)
}

/// Makes so many fans, and gives an access token of each.
///
/// # Errors
/// The database's.
pub async fn sign_in(app: &App, count: usize) -> Result<Vec<String>> {
    let people: Vec<user::Model> = (0..count).map(|number| person(app, number)).collect();
    for part in people.chunks(400) {
        let rows = part.iter().map(|row| row.clone().into_active_model().reset_all());
        user::Entity::insert_many(rows).exec_without_returning(app.db.reads()).await?;
    }
    let sessions = people.iter().map(|person| session::begin(app, Holder::Member(person.id, Role::User)));
    let sessions: Vec<_> = stream::iter(sessions).buffered(AT_ONCE).try_collect().await?;
    Ok(sessions.into_iter().map(|session| session.access_token).collect())
}

fn person(app: &App, number: usize) -> user::Model {
    user::Model {
        id: app.ids.next::<UserId>(),
        email: Some(format!("listener{number}@spotlight.test")),
        password_hash: None,
        nickname: format!("listener{number}"),
        birth_date: None,
        phone_number: None,
        location: None,
        role: Role::User,
        language: "ko".to_owned(),
        is_reminded_by_mail: false,
        notification_count: 0,
        created_at: app.clock.now(),
        withdrawn_at: None,
    }
}
