//! The demo world: what a first start on an empty database offers. The same on every machine, but for the dates, which
//! lie around the day of the start.
//!
//! `words` has the material, `world` makes rows of it, and this file writes them in one transaction: a start that is
//! killed half-way leaves nothing.

mod audience;
mod words;
mod world;

use crate::{
    app::App,
    error::{Error, Result},
    event,
    infra::ids::{Ids, SeededEntropy},
    transaction,
};
use chrono::{DurationRound, TimeDelta};
use entity::{
    admin, booking, booking_line, coupon, kv, payment, point_account, point_entry, review, ticket, ticket_type, user,
    user_coupon,
};
use sea_orm::{ActiveModelBehavior, ActiveModelTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait};
use std::sync::Arc;
use world::World;

pub const FAN: &str = "fan@spotlight.test";
pub const ARTIST: &str = "artist@spotlight.test";
pub const ADMIN: &str = "admin@spotlight.test";
/// Known to everybody: production refuses the demo world.
pub const PASSWORD: &str = "Spotlight1!";

/// True if the database was empty and is not any more.
pub async fn fill_if_empty(app: &App) -> Result<bool> {
    if user::Entity::find().count(app.db.reads()).await? > 0 {
        return Ok(false);
    }
    let hash = crate::auth::password::hash(app, PASSWORD.to_owned()).await?;
    let now = app.clock.now();
    let today = now.duration_trunc(TimeDelta::hours(1)).unwrap_or(now);
    let ids = Ids::new(Arc::clone(&app.clock), Arc::new(SeededEntropy::new(20_261_123)));
    let world = world::make(&ids, now, today, &hash);
    tracing::info!(events = world.events.len(), "filling the empty database with the demo world");
    transaction!(app, txn => write(txn, app, &world).await)?;
    Ok(true)
}

/// Rows that fit the fewest parameters that a database takes in one statement.
const CHUNK: usize = 400;

async fn insert<E>(txn: &impl ConnectionTrait, rows: &[E::Model]) -> Result<()>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel> + Clone,
    E::ActiveModel: ActiveModelBehavior + Send,
{
    for part in rows.chunks(CHUNK) {
        let rows = part.iter().map(|row| row.clone().into_active_model().reset_all());
        E::insert_many(rows).exec_without_returning(txn).await?;
    }
    Ok(())
}

async fn write(txn: &impl ConnectionTrait, app: &App, world: &World) -> Result<()> {
    insert::<admin::Entity>(txn, std::slice::from_ref(&world.admin)).await?;
    insert::<user::Entity>(txn, &world.users).await?;
    insert::<point_account::Entity>(txn, &world.accounts).await?;
    insert::<point_entry::Entity>(txn, &world.entries).await?;
    insert::<coupon::Entity>(txn, &world.coupons).await?;
    insert::<user_coupon::Entity>(txn, &world.user_coupons).await?;
    insert::<entity::event::Entity>(txn, &world.events).await?;
    insert::<ticket_type::Entity>(txn, &world.ticket_types).await?;
    insert::<booking::Entity>(txn, &world.bookings).await?;
    insert::<booking_line::Entity>(txn, &world.lines).await?;
    insert::<payment::Entity>(txn, &world.payments).await?;
    insert::<ticket::Entity>(txn, &world.tickets).await?;
    insert::<review::Entity>(txn, &world.reviews).await?;
    insert::<kv::Entity>(txn, &world.kv).await?;
    for row in world.events.iter().filter(|row| row.starts_at > app.clock.now()) {
        event::create::plan_reminders(txn, app, row.id, row.starts_at).await?;
    }
    if world.events.is_empty() { Err(Error::fault("the demo world is empty")) } else { Ok(()) }
}

/// What a person can try first.
pub fn welcome(url: &str, shows_mail: bool, is_new: bool) -> String {
    let state = if is_new { "filled with the demo world" } else { "as it was left" };
    let mail =
        if shows_mail { format!("{url}/mail") } else { "shown only from the folder, on a loopback address".to_owned() };
    // The event is planned around the first start: at a later one the reminder has long been sent.
    let reminder = if is_new {
        "  The fan holds a ticket to an event that starts in an hour: its reminder arrives in three minutes.\n"
    } else {
        ""
    };
    format!(
        "\n소극장 Spotlight Space: the database is {state}.\n\n  \
         playground   {url}/playground   (start with the first tab)\n  \
         mail         {mail}\n  \
         GraphQL      {url}/graphql\n\n  \
         fan          {FAN}\n  artist       {ARTIST}\n  admin        {ADMIN}   (adminSignIn)\n  \
         password     {PASSWORD}   (all three)\n\n  \
         Try first: search 재즈 in the playground, sign in as the fan, book, and press 결제하기 on the sandbox page.\n\
         {reminder}"
    )
}
