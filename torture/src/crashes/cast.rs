//! Who and what is there before a story begins.

use super::{crowd, deeds, story::Story};
use crate::{
    Result,
    ask::text,
    person::Stage,
    server::Rehearsal,
    show::{MADE, Show},
    world::{Member, World},
};
use entity::enums::Role;

const PRICE: i64 = 5_000;
/// Of an event with room for everybody.
const ROOM: usize = 10_000;

/// For all stories.
pub struct Cast {
    artist: Member,
    /// An event with room for everybody.
    event: Show,
    count: usize,
}

/// What was made ready before the server that is to be killed.
pub struct Scene {
    pub artist: Member,
    pub fan: Member,
    pub coupon: String,
    pub show: Show,
    /// What was booked before.
    pub bookings: Vec<String>,
    /// Who comes besides.
    pub crowd: Vec<Member>,
}

impl Cast {
    pub async fn of(world: &World) -> Result<Self> {
        let artist = world.member("artist", Role::Artist).await?;
        let mut stage = Stage::open(&world.plan, &Rehearsal::default()).await?;
        let event = publish(world, &mut stage, &artist, "for everybody", (PRICE, ROOM)).await?;
        stage.close().await?;
        Ok(Self { artist, event, count: 0 })
    }

    /// With a server that nobody kills, if one is needed.
    pub async fn prepare(&mut self, world: &World, story: Story) -> Result<Scene> {
        self.count += 1;
        let mut scene = self.scene(world).await?;
        if matches!(story, Story::Buy | Story::GiveUp | Story::Charge) {
            return Ok(scene);
        }
        let mut stage = Stage::open(&world.plan, &Rehearsal::default()).await?;
        let title = format!("event {}", self.count);
        match story {
            Story::Buy | Story::GiveUp | Story::Charge => {}
            Story::Cancel => scene.bookings.push(deeds::buy(&mut stage, &scene, &scene.fan, true).await?),
            Story::Lapse => {
                let held = deeds::book(&mut stage, &scene, &scene.fan, true).await?;
                scene.bookings.push(text(&held, "/booking/id")?);
            }
            Story::CancelEvent => {
                scene.show = publish(world, &mut stage, &self.artist, &title, (PRICE, ROOM)).await?;
                sell(world, &mut stage, &mut scene).await?;
            }
            Story::Crowd | Story::FreeCrowd => {
                let price = if story == Story::Crowd { PRICE } else { 0 };
                scene.show = publish(world, &mut stage, &self.artist, &title, (price, crowd::SEATS)).await?;
                for _ in 0..crowd::BUYERS {
                    scene.crowd.push(world.member("fan", Role::User).await?);
                }
            }
        }
        stage.close().await?;
        Ok(scene)
    }

    async fn scene(&self, world: &World) -> Result<Scene> {
        let fan = world.member("fan", Role::User).await?;
        world.give_points(&fan, 1_000).await?;
        let coupon = world.give_coupon(&fan).await?.to_string();
        let (artist, show) = (self.artist.clone(), self.event.clone());
        Ok(Scene { artist, fan, coupon, show, bookings: Vec::new(), crowd: Vec::new() })
    }
}

/// Three have bought, the last of them the fan, and one is paying.
async fn sell(world: &World, stage: &mut Stage, scene: &mut Scene) -> Result<()> {
    for _ in 0..2 {
        let other = world.member("fan", Role::User).await?;
        scene.bookings.push(deeds::buy(stage, scene, &other, false).await?);
    }
    let paying = world.member("fan", Role::User).await?;
    scene.bookings.push(text(&deeds::book(stage, scene, &paying, false).await?, "/booking/id")?);
    scene.bookings.push(deeds::buy(stage, scene, &scene.fan, true).await?);
    Ok(())
}

async fn publish(
    world: &World,
    stage: &mut Stage,
    artist: &Member,
    title: &str,
    (price, capacity): (i64, usize),
) -> Result<Show> {
    let input = world.event_input(title, price, i32::try_from(capacity)?);
    Show::made(&stage.mutate(artist, "eventCreate", MADE, &input).await?)
}
