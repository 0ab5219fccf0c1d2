//! What happens to one person's seats and money, from the first click to the end.

use crate::{
    Result,
    ask::text,
    person::Stage,
    server::Rehearsal,
    show::{BOOKED, MADE, Show},
    world::{Member, World},
};
use entity::enums::Role;
use serde_json::{Value, json};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Story {
    Buy,
    GiveUp,
    Cancel,
    CancelEvent,
    Charge,
    Lapse,
}

/// Who and what is there before any story begins.
pub struct Cast {
    artist: Member,
    /// An event with room for everybody.
    event: Show,
    count: usize,
}

/// What was made ready before the server that is to be killed.
pub struct Scene {
    artist: Member,
    fan: Member,
    coupon: String,
    show: Show,
    /// What was booked before.
    bookings: Vec<String>,
}

const BOOKING: &str =
    "query($id: ID!) { node(id: $id) { ... on Booking { status tickets { status } payment { status } } } }";
const PRICE: i64 = 5_000;
/// A little longer than a hold.
const AFTER_A_HOLD: i64 = 16 * 60;

impl Cast {
    pub async fn of(world: &World) -> Result<Self> {
        let artist = world.member("artist", Role::Artist).await?;
        let mut stage = Stage::open(&world.plan, &Rehearsal::default()).await?;
        let event = publish(world, &mut stage, &artist, "for everybody").await?;
        stage.close().await?;
        Ok(Self { artist, event, count: 0 })
    }
}

async fn publish(world: &World, stage: &mut Stage, artist: &Member, title: &str) -> Result<Show> {
    let input = world.event_input(title, PRICE, 10_000);
    let made = stage.mutate(artist, "eventCreate", MADE, &input).await?;
    Show::made(&made)
}

impl Story {
    pub const ALL: [Self; 6] = [Self::Buy, Self::GiveUp, Self::Cancel, Self::CancelEvent, Self::Charge, Self::Lapse];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Buy => "buy",
            Self::GiveUp => "give-up",
            Self::Cancel => "cancel",
            Self::CancelEvent => "cancel-event",
            Self::Charge => "charge",
            Self::Lapse => "lapse",
        }
    }

    pub const fn told(self) -> &'static str {
        match self {
            Self::Buy => "buy: two seats with a coupon, points and money",
            Self::GiveUp => "give-up: booked, and given up on the provider's page",
            Self::Cancel => "cancel: bought, then canceled by the fan",
            Self::CancelEvent => "cancel-event: the artist cancels what three have bought and one is paying for",
            Self::Charge => "charge: ten thousand points, paid for",
            Self::Lapse => "lapse: booked, never paid, a quarter of an hour later",
        }
    }

    pub fn rehearsal(self) -> Rehearsal {
        let clock_ahead = if self == Self::Lapse { AFTER_A_HOLD } else { 0 };
        Rehearsal { clock_ahead, ..Rehearsal::default() }
    }

    /// With a server that nobody kills.
    pub async fn prepare(self, world: &World, cast: &mut Cast) -> Result<Scene> {
        cast.count += 1;
        let fan = world.member("fan", Role::User).await?;
        world.give_points(&fan, 1_000).await?;
        let coupon = world.give_coupon(&fan).await?.to_string();
        let mut scene =
            Scene { artist: cast.artist.clone(), fan, coupon, show: cast.event.clone(), bookings: Vec::new() };
        if matches!(self, Self::Buy | Self::GiveUp | Self::Charge) {
            return Ok(scene);
        }
        let mut stage = Stage::open(&world.plan, &Rehearsal::default()).await?;
        if self == Self::CancelEvent {
            scene.show = publish(world, &mut stage, &cast.artist, &format!("event {}", cast.count)).await?;
            for _ in 0..2 {
                let other = world.member("fan", Role::User).await?;
                scene.bookings.push(buy(&mut stage, &scene, &other, false).await?);
            }
            let paying = world.member("fan", Role::User).await?;
            scene.bookings.push(text(&book(&mut stage, &scene, &paying, false).await?, "/booking/id")?);
        }
        scene.bookings.push(match self {
            Self::Lapse => text(&book(&mut stage, &scene, &scene.fan, true).await?, "/booking/id")?,
            _ => buy(&mut stage, &scene, &scene.fan, true).await?,
        });
        stage.close().await?;
        Ok(scene)
    }

    /// In front of the server that is killed; answers how it ended.
    pub async fn play(self, stage: &mut Stage, scene: &Scene) -> Result<String> {
        let fan = &scene.fan;
        let mine = || scene.bookings.last().cloned().ok_or("nothing was booked");
        match self {
            Self::Buy => {
                let id = buy(stage, scene, fan, true).await?;
                ended(stage, fan, &id, &["CONFIRMED", "EXPIRED"]).await
            }
            Self::GiveUp => {
                let booked = book(stage, scene, fan, true).await?;
                if let Some(page) = booked.pointer("/payment/redirect/pcUrl").and_then(Value::as_str) {
                    stage.press(page, "quit").await?;
                }
                ended(stage, fan, &text(&booked, "/booking/id")?, &["EXPIRED"]).await
            }
            Self::Cancel => {
                let id = mine()?;
                stage
                    .mutate(
                        fan,
                        "bookingCancel",
                        "booking { status }",
                        &json!({ "bookingId": id, "idempotencyKey": "c" }),
                    )
                    .await?;
                ended(stage, fan, &id, &["CANCELED"]).await
            }
            Self::CancelEvent => {
                stage
                    .mutate(&scene.artist, "eventCancel", "event { status }", &json!({ "eventId": scene.show.id }))
                    .await?;
                ended(stage, fan, &mine()?, &["CANCELED"]).await
            }
            Self::Charge => charge(stage, fan).await,
            Self::Lapse => ended(stage, fan, &mine()?, &["EXPIRED"]).await,
        }
    }
}

async fn book(stage: &mut Stage, scene: &Scene, who: &Member, with_all: bool) -> Result<Value> {
    let mut input = scene.show.booking(2, "b");
    if with_all && let Some(input) = input.as_object_mut() {
        input.insert("points".into(), json!(1_000));
        input.insert("userCouponId".into(), json!(scene.coupon));
    }
    stage.mutate(who, "bookingStart", BOOKED, &input).await
}

async fn buy(stage: &mut Stage, scene: &Scene, who: &Member, with_all: bool) -> Result<String> {
    let booked = book(stage, scene, who, with_all).await?;
    let id = text(&booked, "/booking/id")?;
    if let Some(page) = booked.pointer("/payment/redirect/pcUrl").and_then(Value::as_str) {
        stage.press(page, "approve").await?;
    }
    Ok(id)
}

/// Points are credited if they were paid for, and only then.
async fn charge(stage: &mut Stage, fan: &Member) -> Result<String> {
    let input = json!({ "amount": 10_000, "returnUrl": "http://localhost:3000/done", "idempotencyKey": "p" });
    let begun = stage.mutate(fan, "pointChargeStart", "payment { id status redirect { pcUrl } }", &input).await?;
    if let Some(page) = begun.pointer("/payment/redirect/pcUrl").and_then(Value::as_str) {
        stage.press(page, "approve").await?;
    }
    let query = "{ viewer { pointBalance payments(first: 1) { nodes { status } } } }";
    let status = |data: &Value| text(data, "/viewer/payments/nodes/0/status").unwrap_or_default();
    let is_over = |data: &Value| matches!(status(data).as_str(), "APPROVED" | "FAILED" | "EXPIRED");
    let data = stage.watch(fan, query, "", is_over).await?;
    let balance = data.pointer("/viewer/pointBalance").and_then(Value::as_i64).unwrap_or_default();
    let due = if status(&data) == "APPROVED" { 11_000 } else { 1_000 };
    if balance == due {
        return Ok(format!("{}, {balance} points", status(&data)));
    }
    Err(format!("{}, but {balance} points instead of {due}", status(&data)).into())
}

/// Its booking ended in one of these ways, with the tickets and the payment that go with it.
async fn ended(stage: &mut Stage, who: &Member, id: &str, ways: &[&str]) -> Result<String> {
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
