//! What a person does in front of a server that may be killed, and how it ended.

use super::cast::Scene;
use crate::{Result, ask::text, person::Stage, show::BOOKED, world::Member};
use serde_json::{Value, json};

const BOOKING: &str =
    "query($id: ID!) { node(id: $id) { ... on Booking { status tickets { status } payment { status } } } }";

pub async fn book(stage: &mut Stage, scene: &Scene, who: &Member, with_all: bool) -> Result<Value> {
    let mut input = scene.show.booking(2, "b");
    if with_all && let Some(input) = input.as_object_mut() {
        input.insert("points".into(), json!(1_000));
        input.insert("userCouponId".into(), json!(scene.coupon));
    }
    stage.mutate(who, "bookingStart", BOOKED, &input).await
}

pub async fn buy(stage: &mut Stage, scene: &Scene, who: &Member, with_all: bool) -> Result<String> {
    let booked = book(stage, scene, who, with_all).await?;
    let id = text(&booked, "/booking/id")?;
    if let Some(page) = booked.pointer("/payment/redirect/pcUrl").and_then(Value::as_str) {
        stage.press(page, "approve").await?;
    }
    Ok(id)
}

pub async fn give_up(stage: &mut Stage, scene: &Scene) -> Result<String> {
    let booked = book(stage, scene, &scene.fan, true).await?;
    if let Some(page) = booked.pointer("/payment/redirect/pcUrl").and_then(Value::as_str) {
        stage.press(page, "quit").await?;
    }
    ended(stage, &scene.fan, &text(&booked, "/booking/id")?, &["EXPIRED"]).await
}

pub async fn cancel(stage: &mut Stage, fan: &Member, id: &str) -> Result<String> {
    let input = json!({ "bookingId": id, "idempotencyKey": "c" });
    stage.mutate(fan, "bookingCancel", "booking { status }", &input).await?;
    ended(stage, fan, id, &["CANCELED"]).await
}

/// By the artist; answers what became of the fan's booking.
pub async fn cancel_event(stage: &mut Stage, scene: &Scene, id: &str) -> Result<String> {
    let input = json!({ "eventId": scene.show.id });
    stage.mutate(&scene.artist, "eventCancel", "event { status }", &input).await?;
    ended(stage, &scene.fan, id, &["CANCELED"]).await
}

/// Points are credited if they were paid for, and only then.
pub async fn charge(stage: &mut Stage, fan: &Member) -> Result<String> {
    let input = json!({ "amount": 10_000, "returnUrl": "http://localhost:3000/done", "idempotencyKey": "p" });
    let begun = stage.mutate(fan, "pointChargeStart", "payment { id status redirect { pcUrl } }", &input).await?;
    if let Some(page) = begun.pointer("/payment/redirect/pcUrl").and_then(Value::as_str) {
        stage.press(page, "approve").await?;
    }
    let query = "{ viewer { payments(first: 1) { nodes { status } } } }";
    let status = |data: &Value| text(data, "/viewer/payments/nodes/0/status").unwrap_or_default();
    let is_over = |data: &Value| matches!(status(data).as_str(), "APPROVED" | "FAILED" | "EXPIRED");
    let data = stage.watch(fan, query, "", is_over).await?;
    // Asked for after it: the fields of one query are not read in one moment.
    let owner = stage.ask(fan, "{ viewer { pointBalance } }", &json!({})).await?;
    let balance = owner.pointer("/viewer/pointBalance").and_then(Value::as_i64).unwrap_or_default();
    let due = if status(&data) == "APPROVED" { 11_000 } else { 1_000 };
    if balance == due {
        return Ok(format!("{}, {balance} points", status(&data)));
    }
    Err(format!("{}, but {balance} points instead of {due}", status(&data)).into())
}

/// Its booking ended in one of these ways, with the tickets and the payment that go with it.
pub async fn ended(stage: &mut Stage, who: &Member, id: &str, ways: &[&str]) -> Result<String> {
    let is_over =
        |node: &Value| node.get("status").and_then(Value::as_str).is_some_and(|status| ways.contains(&status));
    let node = stage.watch(who, BOOKING, id, is_over).await?;
    let status = text(&node, "/status")?;
    let tickets = node.get("tickets").and_then(Value::as_array).map_or(0, |tickets| {
        tickets.iter().filter(|ticket| ticket.get("status").is_some_and(|status| status == "VALID")).count()
    });
    let due = if status == "CONFIRMED" { 2 } else { 0 };
    if tickets != due {
        return Err(format!("{tickets} tickets instead of {due}: {node}").into());
    }
    Ok(format!("{status}, payment {}, {tickets} tickets", text(&node, "/payment/status")?))
}
