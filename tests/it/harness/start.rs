//! A booking's start as the use case takes it, for scenarios that need it in a known order.

use super::{Event, Person, TestApp};
use spotlight::{auth::session, booking::start::Start, user::viewer::Buyer};

impl TestApp {
    pub async fn buyer(&self, person: &Person) -> Buyer {
        session::admit(&self.app, &person.token).await.unwrap().buyer().unwrap()
    }
}

/// One seat of the first type.
pub fn one_seat(event: &Event, key: impl Into<String>) -> Start {
    Start {
        event_id: event.id.parse().unwrap(),
        lines: vec![(event.types[0].parse().unwrap(), 1)],
        user_coupon_id: None,
        points: 0,
        expected_total: None,
        return_url: None,
        idempotency_key: key.into(),
    }
}
