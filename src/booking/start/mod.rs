//! `bookingStart`: seats, coupon and points are set aside, first come, first served; the payment is prepared after it.
//!
//! Buyers of one event wait in one queue on each node (`queue`), and are served in groups: one short transaction, with
//! the event and its stock rows locked, decides each request in the order of arrival (`model`, pure) and writes them
//! all (`write`). Always: a request gets the answer that it would have got alone, and nobody is told yes before the
//! commit. A single request is a group of one. In a rush the decision comes first, on what the last transaction left, and the
//! database makes sure of it under the locks (`guess`). Read `request`, `queue`, `serve`, `model`, `guess`.

mod guess;
mod load;
mod model;
mod queue;
mod request;
mod serve;
mod write;

pub use queue::Queues;
pub use request::Start;

use super::query;
use crate::{
    app::App,
    error::{Error, Result},
    payment,
    user::viewer::Buyer,
};
use entity::ids::BookingId;
use request::Request;

/// What the buyer is shown.
#[derive(Debug)]
pub struct Started {
    pub booking: entity::booking::Model,
    /// `None` if there is nothing to pay.
    pub payment: Option<entity::payment::Model>,
}

/// What the queue answers.
#[derive(Debug)]
enum Served {
    /// Set aside, or sold if it is free.
    New(Box<entity::booking::Model>),
    /// The same key was answered before.
    Known(BookingId),
}

pub async fn start(app: &App, buyer: Buyer, input: Start) -> Result<Started> {
    let request = Request::new(app, buyer, input)?;
    let id = match queue::wait(app, request).await? {
        // What is free needs no payment, and is as it was just written.
        Served::New(booking) if booking.amount_due == 0 => return Ok(Started { booking: *booking, payment: None }),
        Served::New(booking) => booking.id,
        Served::Known(id) => id,
    };
    payment::prepare::prepare(app, id).await?;
    let db = app.db.reads();
    let booking = query::by_id(db, id).await?.ok_or_else(|| Error::fault("the booking is gone"))?;
    Ok(Started { booking, payment: payment::query::of_booking(db, id).await? })
}
