//! Booking and canceling. Both run in a task that outlives the request.

use super::{cancel, graphql::BookingNode, query, start};
use crate::{
    error::{Error, Result},
    graphql::{
        ctx::Ctx,
        door::answer,
        scalars::{Url, Won},
    },
    payload,
    payment::graphql::PaymentNode,
};
use async_graphql::{Context, ID, InputObject, Object};
use entity::ids::BookingId;

/// So many seats of one ticket type.
#[derive(InputObject)]
pub struct BookingLineInput {
    /// Of the event that is booked.
    pub ticket_type_id: ID,
    /// 1 to 50.
    pub quantity: i32,
}

/// What is to be booked.
#[derive(InputObject)]
pub struct BookingStartInput {
    /// Which event.
    pub event_id: ID,
    /// Which seats: 1 to 50 in all.
    pub lines: Vec<BookingLineInput>,
    /// A coupon of one's own.
    pub user_coupon_id: Option<ID>,
    /// Points to pay with; more than is due is cut.
    #[graphql(default_with = "Won(0)")]
    pub points: Won,
    /// What the client shows as the amount due; refused if the server's is another.
    pub expected_total: Option<Won>,
    /// Where the browser goes after the payment page; on an allowed origin.
    pub return_url: Option<Url>,
    /// 1 to 128 characters, new for each booking: sent again, it gives the same booking.
    pub idempotency_key: String,
}

/// What is to be canceled.
#[derive(InputObject)]
pub struct BookingCancelInput {
    /// One's own booking.
    pub booking_id: ID,
    /// At most 200 characters.
    pub reason: Option<String>,
    /// 1 to 128 characters, new for each cancellation.
    pub idempotency_key: String,
}

payload! {
    /// Seats set aside, and the way to pay for them.
    BookingStartPayload {
        /// `HELD`, or `CONFIRMED` if there is nothing to pay.
        booking: BookingNode,
        /// Where to pay; null if there is nothing to pay.
        payment: PaymentNode,
    }
}

payload! {
    /// The canceled booking.
    BookingCancelPayload {
        /// `CANCELED`; or `CANCELING` while the provider is slow to return the money.
        booking: BookingNode,
    }
}

#[derive(Default)]
pub struct BookingMutation;

#[Object]
impl BookingMutation {
    /// Sets seats, coupon and points aside and opens a payment. First come, first served; nothing is charged yet.
    async fn booking_start(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to book.")] input: BookingStartInput,
    ) -> async_graphql::Result<BookingStartPayload> {
        answer(ctx, booking_start(ctx, input).await)
    }

    /// Cancels one's own booking with a full refund, until the event's `cancelableUntil`; gives up a hold.
    async fn booking_cancel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which booking.")] input: BookingCancelInput,
    ) -> async_graphql::Result<BookingCancelPayload> {
        answer(ctx, booking_cancel(ctx, input).await)
    }
}

fn parse(input: BookingStartInput) -> Result<start::Start> {
    let line = |(index, line): (usize, BookingLineInput)| {
        let id = line.ticket_type_id.parse();
        let id = id.map_err(|_| Error::not_found(&["lines", &index.to_string(), "ticketTypeId"]))?;
        Ok((id, line.quantity))
    };
    let coupon = input.user_coupon_id.map(|id| id.parse()).transpose();
    Ok(start::Start {
        event_id: input.event_id.parse().map_err(|_| Error::not_found(&["eventId"]))?,
        lines: input.lines.into_iter().enumerate().map(line).collect::<Result<_>>()?,
        user_coupon_id: coupon.map_err(|_| Error::not_found(&["userCouponId"]))?,
        points: input.points.0,
        expected_total: input.expected_total.map(|won| won.0),
        return_url: input.return_url.map(|url| url.0),
        idempotency_key: input.idempotency_key,
    })
}

async fn booking_start(ctx: &Context<'_>, input: BookingStartInput) -> Result<BookingStartPayload> {
    let buyer = ctx.buyer()?;
    let input = parse(input)?;
    let app = ctx.app().clone();
    let started = ctx.app().outlive(async move { start::start(&app, buyer, input).await }).await?;
    Ok(BookingStartPayload {
        booking: Some(BookingNode(started.booking)),
        payment: started.payment.map(PaymentNode),
        user_errors: Vec::new(),
    })
}

async fn booking_cancel(ctx: &Context<'_>, input: BookingCancelInput) -> Result<BookingCancelPayload> {
    let buyer = ctx.buyer()?;
    let id: BookingId = input.booking_id.parse().map_err(|_| Error::not_found(&["bookingId"]))?;
    let app = ctx.app().clone();
    let canceled = async move { cancel::cancel(&app, buyer, id, input.reason, &input.idempotency_key).await };
    let id = ctx.app().outlive(canceled).await?;
    let booking = query::by_id(ctx.app().db.reads(), id).await?.map(BookingNode);
    Ok(BookingCancelPayload { booking, user_errors: Vec::new() })
}
