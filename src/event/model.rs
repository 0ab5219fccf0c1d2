//! What an event must look like: pure rules.

use crate::{
    error::{Code, Problem, Problems},
    infra::clock::to_micros,
};
use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    enums::{EventCategory, EventStatus, ReminderKind},
    event,
    ids::TicketTypeId,
};
use sha2::{Digest, Sha256};

/// The dearest seat: beyond it a price is a slip of the finger.
pub const MOST_PRICE: i64 = 10_000_000;
pub const MOST_CAPACITY: i64 = 100_000;
pub const MOST_TICKET_TYPES: usize = 10;

/// What an artist enters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    pub title: String,
    pub content: String,
    pub venue_name: String,
    pub venue_address: String,
    pub category: EventCategory,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    pub booking_opens_at: DateTime<Utc>,
    pub booking_closes_at: DateTime<Utc>,
    pub ticket_types: Vec<TicketTypeDraft>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketTypeDraft {
    /// The ticket type that is edited; `None` for a new one.
    pub id: Option<TicketTypeId>,
    pub name: String,
    pub price: i64,
    pub capacity: i32,
    pub per_person_limit: Option<i32>,
}

impl Draft {
    /// With every time cut to microseconds, the finest unit that all databases keep: what is compared later with what
    /// was stored, like the moment of a reminder, is then the same.
    #[must_use]
    pub fn cut(self) -> Self {
        Self {
            starts_at: to_micros(self.starts_at),
            ends_at: to_micros(self.ends_at),
            booking_opens_at: to_micros(self.booking_opens_at),
            booking_closes_at: to_micros(self.booking_closes_at),
            ..self
        }
    }

    /// Every problem at once, each with its field.
    pub fn check(&self, now: DateTime<Utc>, problems: &mut Problems) {
        self.check_fields(None, now, problems);
    }

    /// The same for a change: a time that is over and stays what it was is no mistake. Sales may have ended long before the
    /// artist mends a word or puts the show off.
    pub fn check_change(&self, old: &event::Model, now: DateTime<Utc>, problems: &mut Problems) {
        self.check_fields(Some(old), now, problems);
    }

    fn check_fields(&self, old: Option<&event::Model>, now: DateTime<Utc>, problems: &mut Problems) {
        problems.length(&["title"], &self.title, 1, 100);
        problems.length(&["content"], &self.content, 1, 20_000);
        problems.length(&["venue", "name"], &self.venue_name, 1, 100);
        problems.length(&["venue", "address"], &self.venue_address, 1, 200);
        self.check_times(old, now, problems);
        let count = self.ticket_types.len();
        problems.add_if(count == 0, || {
            Problem::new(
                Code::TooShort,
                &["ticketTypes"],
                "티켓 종류가 하나 이상 필요합니다.",
                "At least one ticket type.",
            )
        });
        problems.add_if(count > MOST_TICKET_TYPES, || {
            Problem::new(Code::TooLong, &["ticketTypes"], "티켓 종류는 10개까지입니다.", "At most ten ticket types.")
        });
        for (index, ticket_type) in self.ticket_types.iter().enumerate() {
            ticket_type.check(index, problems);
        }
    }

    fn check_times(&self, old: Option<&event::Model>, now: DateTime<Utc>, problems: &mut Problems) {
        let far = now + TimeDelta::days(5 * 366);
        let mut order = |wrong: bool, path: &str, ko: &'static str, en: &'static str| {
            problems.add_if(wrong, || Problem::new(Code::OutOfRange, &[path], ko, en));
        };
        let (opens, closes) = (self.booking_opens_at, self.booking_closes_at);
        let (starts, ends) = (self.starts_at, self.ends_at);
        let starts_anew = old.is_none_or(|old| old.starts_at != starts);
        let closes_anew = old.is_none_or(|old| old.booking_closes_at != closes);
        order(starts_anew && starts <= now, "startsAt", "이미 지난 시각입니다.", "Already in the past.");
        order(ends <= starts, "endsAt", "시작 시각보다 뒤여야 합니다.", "Must be after the start.");
        order(ends > far, "endsAt", "5년 안이어야 합니다.", "Must be within five years.");
        order(closes_anew && closes <= now, "bookingClosesAt", "이미 지난 시각입니다.", "Already in the past.");
        order(closes > starts, "bookingClosesAt", "시작 시각보다 늦을 수 없습니다.", "Cannot be after the start.");
        order(opens >= closes, "bookingOpensAt", "예매 마감보다 앞이어야 합니다.", "Must be before booking closes.");
    }

    /// Tells a double submit: the same artist, the same everything.
    pub fn hash(&self) -> String {
        data_encoding::HEXLOWER.encode(&Sha256::digest(format!("{self:?}").as_bytes()))
    }

    pub fn price_range(&self) -> (i64, i64) {
        let prices = self.ticket_types.iter().map(|ticket_type| ticket_type.price);
        (prices.clone().min().unwrap_or(0), prices.max().unwrap_or(0))
    }
}

impl TicketTypeDraft {
    fn check(&self, index: usize, problems: &mut Problems) {
        let index = index.to_string();
        let at = |field: &'static str| ["ticketTypes".to_owned(), index.clone(), field.to_owned()];
        let path = |field: &'static str| at(field);
        let with = |problems: &mut Problems, field, value, least, most| {
            let path = path(field);
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            problems.range(&path, value, least, most);
        };
        let name = path("name");
        let name: Vec<&str> = name.iter().map(String::as_str).collect();
        problems.length(&name, &self.name, 1, 60);
        with(problems, "price", self.price, 0, MOST_PRICE);
        with(problems, "capacity", i64::from(self.capacity), 1, MOST_CAPACITY);
        if let Some(limit) = self.per_person_limit {
            with(problems, "perPersonLimit", i64::from(limit), 1, MOST_CAPACITY);
        }
    }
}

/// How long before the start.
pub fn reminder_lead(kind: ReminderKind) -> TimeDelta {
    match kind {
        ReminderKind::OneDay => TimeDelta::days(1),
        ReminderKind::OneHour => TimeDelta::hours(1),
    }
}

/// Whether seats can be booked now, sold out or not.
pub fn is_open(status: EventStatus, opens: DateTime<Utc>, closes: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    match status {
        EventStatus::Scheduled => opens <= now && now < closes,
        EventStatus::Canceled => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::hours(hours)
    }

    fn draft() -> Draft {
        Draft {
            title: "t".into(),
            content: "c".into(),
            venue_name: "v".into(),
            venue_address: "a".into(),
            category: EventCategory::Music,
            booking_opens_at: at(1),
            booking_closes_at: at(10),
            starts_at: at(10),
            ends_at: at(12),
            ticket_types: vec![TicketTypeDraft {
                id: None,
                name: "n".into(),
                price: 0,
                capacity: 1,
                per_person_limit: None,
            }],
        }
    }

    fn blamed(change: impl FnOnce(&mut Draft)) -> Vec<String> {
        let mut draft = draft();
        change(&mut draft);
        let mut problems = Problems::default();
        draft.check(at(0), &mut problems);
        match problems.check() {
            Err(crate::Error::Refused(problems)) => problems.into_iter().map(|p| p.path.join(".")).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn the_field_to_blame() {
        assert!(blamed(|_| ()).is_empty());
        assert_eq!(blamed(|d| d.title = " ".into()), ["title"]);
        assert_eq!(blamed(|d| d.ends_at = d.starts_at), ["endsAt"]);
        assert_eq!(blamed(|d| d.booking_closes_at = at(11)), ["bookingClosesAt"]);
        assert_eq!(blamed(|d| d.booking_opens_at = at(10)), ["bookingOpensAt"]);
        assert_eq!(blamed(|d| d.ticket_types.clear()), ["ticketTypes"]);
        let price = |price| blamed(move |d| d.ticket_types.iter_mut().for_each(|t| t.price = price));
        assert_eq!(price(-1), ["ticketTypes.0.price"]);
        assert_eq!(price(i64::MAX), ["ticketTypes.0.price"]);
        let past = blamed(|d| (d.starts_at, d.booking_closes_at, d.booking_opens_at) = (at(-1), at(-2), at(-3)));
        assert_eq!(past, ["startsAt", "bookingClosesAt"]);
    }
}
