//! The embedded twin against the rule said plainly: what it finds in random texts is what a walk over them finds.

use super::*;
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;

/// A small generator, so that a failure is the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn text(&mut self, length: u64, letters: &[char]) -> String {
        let count = u64::try_from(letters.len()).unwrap_or(1);
        (0..=self.roll(length))
            .filter_map(|_| letters.get(usize::try_from(self.roll(count)).unwrap_or_default()))
            .collect()
    }
}

fn event(number: u128, title: String, content: String) -> EventDocument {
    let now = DateTime::<Utc>::UNIX_EPOCH;
    EventDocument {
        id: Uuid::from_u128(number),
        title,
        content,
        venue_name: String::new(),
        venue_address: String::new(),
        artist_name: String::new(),
        category: String::new(),
        starts_at: now,
        ends_at: now,
        booking_opens_at: now,
        booking_closes_at: now,
        lowest_price: 0,
        highest_price: 0,
        remaining: 0,
        booked: 0,
        created_at: now,
        version: 1,
    }
}

/// In a word of either text, or in the title from the start of a word on as if it had no spaces.
fn has(event: &EventDocument, word: &str) -> bool {
    let within = |text: &str| text.split(' ').any(|there| there.contains(word));
    let across = || {
        let words: Vec<&str> = event.title.split(' ').collect();
        (0..words.len()).any(|from| words.iter().skip(from).copied().collect::<String>().starts_with(word))
    };
    within(&event.title) || within(&event.content) || across()
}

#[tokio::test]
async fn random_texts_are_found_exactly_where_they_are() -> Result<(), SearchError> {
    let search = Search::Tantivy(TantivySearch::in_memory()?);
    let mut dice = Dice(7);
    let spaced: Vec<char> = "가나다라 마 ".chars().collect();
    let mut events = Vec::new();
    for number in 0..400 {
        events.push(event(number, dice.text(7, &spaced), dice.text(20, &spaced)));
    }
    for chunk in events.chunks(90) {
        search.apply(chunk.iter().map(|event| Change::Upsert(Box::new(event.clone()))).collect()).await?;
    }
    let (removed, events): (Vec<_>, Vec<_>) = events.into_iter().partition(|event| event.id.as_u128() % 7 == 0);
    search.apply(removed.iter().map(|event| Change::Delete(event.id)).collect()).await?;
    for _ in 0..300 {
        let asked = dice.text(7, &spaced);
        let words: Vec<&str> = asked.split_whitespace().collect();
        let expected: BTreeSet<u128> = (events.iter())
            .filter(|event| !words.is_empty() && words.iter().all(|word| has(event, word)))
            .map(|event| event.id.as_u128())
            .collect();
        if expected.is_empty() {
            continue; // Near misses have no plain rule.
        }
        let page = search.query(&SearchQuery { text: Some(asked.clone()), limit: 400, ..Default::default() }).await?;
        let found: BTreeSet<u128> = page.hits.iter().map(|hit| hit.id.as_u128()).collect();
        assert_eq!(found, expected, "{asked}");
        let keys: Vec<i64> = page.hits.iter().map(|hit| hit.position.key).collect();
        assert!(keys.is_sorted_by(|a, b| a >= b), "{asked}");
    }
    Ok(())
}
