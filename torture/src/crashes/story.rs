//! What happens to seats and money, from the first click to the end.

use super::{cast::Scene, crowd, deeds};
use crate::{Result, person::Stage, server::Rehearsal, world::World};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Story {
    Buy,
    GiveUp,
    Cancel,
    CancelEvent,
    Charge,
    Lapse,
    Crowd,
    FreeCrowd,
}

/// A little longer than a hold.
const AFTER_A_HOLD: i64 = 16 * 60;

impl Story {
    pub const ALL: [Self; 8] = [
        Self::Buy,
        Self::GiveUp,
        Self::Cancel,
        Self::CancelEvent,
        Self::Charge,
        Self::Lapse,
        Self::Crowd,
        Self::FreeCrowd,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Buy => "buy",
            Self::GiveUp => "give-up",
            Self::Cancel => "cancel",
            Self::CancelEvent => "cancel-event",
            Self::Charge => "charge",
            Self::Lapse => "lapse",
            Self::Crowd => "crowd",
            Self::FreeCrowd => "free-crowd",
        }
    }

    pub const fn told(self) -> &'static str {
        match self {
            Self::Buy => "two seats with a coupon, points and money",
            Self::GiveUp => "booked, and given up on the provider's page",
            Self::Cancel => "bought, then canceled by the fan",
            Self::CancelEvent => "the artist cancels what three have bought and one is paying for",
            Self::Charge => "ten thousand points, paid for",
            Self::Lapse => "booked, never paid, a quarter of an hour later",
            Self::Crowd => "24 want one of 6 seats at once, and whoever has one pays",
            Self::FreeCrowd => "24 want one of 6 seats at once, and they are free",
        }
    }

    pub fn rehearsal(self) -> Rehearsal {
        let clock_ahead = if self == Self::Lapse { AFTER_A_HOLD } else { 0 };
        Rehearsal { clock_ahead, ..Rehearsal::default() }
    }

    /// Many people pass the same step.
    pub const fn is_crowded(self) -> bool {
        matches!(self, Self::Crowd | Self::FreeCrowd)
    }

    /// In front of the server that is killed; answers how it ended.
    pub async fn play(self, world: &World, stage: &mut Stage, scene: &Scene) -> Result<String> {
        let fan = &scene.fan;
        let mine = || scene.bookings.last().ok_or("nothing was booked");
        match self {
            Self::Buy => {
                let id = deeds::buy(stage, scene, fan, true).await?;
                deeds::ended(stage, fan, &id, &["CONFIRMED", "EXPIRED"]).await
            }
            Self::GiveUp => deeds::give_up(stage, scene).await,
            Self::Cancel => deeds::cancel(stage, fan, mine()?).await,
            Self::CancelEvent => deeds::cancel_event(stage, scene, mine()?).await,
            Self::Charge => deeds::charge(stage, fan).await,
            Self::Lapse => deeds::ended(stage, fan, mine()?, &["EXPIRED"]).await,
            Self::Crowd | Self::FreeCrowd => crowd::play(world, stage, &scene.show, &scene.crowd).await,
        }
    }
}
