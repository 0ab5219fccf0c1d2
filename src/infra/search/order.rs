//! The order of hits, and places in it. Pure.

use super::page::{Position, SearchQuery, Sort};
use super::schema::{self, Number};
use std::cmp::Ordering;

impl Sort {
    pub(super) const fn descends(self) -> bool {
        match self {
            Self::Soonest | Self::Cheapest => false,
            Self::Relevance | Self::Newest | Self::Dearest | Self::MostBooked => true,
        }
    }

    /// The column that it compares; relevance compares scores.
    pub(super) const fn column(self) -> Option<Number> {
        match self {
            Self::Relevance => None,
            Self::Soonest => Some(schema::STARTS_AT),
            Self::Newest => Some(schema::CREATED_AT),
            Self::Cheapest => Some(schema::LOWEST_PRICE),
            Self::Dearest => Some(schema::HIGHEST_PRICE),
            Self::MostBooked => Some(schema::BOOKED),
        }
    }
}

/// Which way a page travels through the order, and between which places.
#[derive(Clone, Copy, Debug)]
pub(super) struct Travel {
    descends: bool,
    backward: bool,
    after: Option<Position>,
    before: Option<Position>,
}

impl Travel {
    pub fn of(query: &SearchQuery) -> Self {
        let (after, before) = (query.after, query.before);
        Self { descends: query.sort.descends(), backward: before.is_some() && after.is_none(), after, before }
    }

    /// Hits are met from the end towards the beginning.
    pub const fn backward(self) -> bool {
        self.backward
    }

    fn in_sort(self, a: Position, b: Position) -> Ordering {
        let ascending = (a.key, a.id).cmp(&(b.key, b.id));
        if self.descends { ascending.reverse() } else { ascending }
    }

    /// Which of two is met first.
    pub fn compare(self, a: Position, b: Position) -> Ordering {
        let order = self.in_sort(a, b);
        if self.backward { order.reverse() } else { order }
    }

    /// Whether the page may hold it.
    pub fn covers(self, position: Position) -> bool {
        self.after.is_none_or(|after| self.in_sort(position, after).is_gt())
            && self.before.is_none_or(|before| self.in_sort(position, before).is_lt())
    }
}

/// A score as a key that is ordered as scores are. Scores are never negative, so their bits are.
pub(super) fn score_key(score: f32) -> i64 {
    if score > 0.0 { i64::from(score.to_bits()) } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn at(key: i64, id: u128) -> Position {
        Position { key, id: Uuid::from_u128(id) }
    }

    #[test]
    fn better_scores_have_greater_keys() {
        let scores = [0.0, 0.25, 2.0, 3.0, 512.0, 768.5];
        assert!(scores.windows(2).all(|pair| matches!(pair, [a, b] if score_key(*a) < score_key(*b))));
        assert_eq!(score_key(-0.0), 0);
    }

    #[test]
    fn ties_are_broken_by_id_in_the_direction_of_the_sort() {
        for (sort, before, expected) in [
            (Sort::Soonest, None, Ordering::Less),
            (Sort::Newest, None, Ordering::Greater),
            (Sort::Soonest, Some(at(9, 0)), Ordering::Greater),
            (Sort::Newest, Some(at(0, 0)), Ordering::Less),
        ] {
            let travel = Travel::of(&SearchQuery { sort, before, ..SearchQuery::default() });
            assert_eq!(travel.compare(at(5, 1), at(5, 2)), expected, "{sort:?} {before:?}");
        }
    }

    #[test]
    fn a_page_between_two_places_holds_neither() {
        let query =
            SearchQuery { sort: Sort::Newest, after: Some(at(9, 1)), before: Some(at(7, 1)), ..Default::default() };
        let travel = Travel::of(&query);
        assert!(!travel.backward());
        let covered = [at(9, 2), at(9, 1), at(9, 0), at(8, 5), at(7, 2), at(7, 1), at(7, 0)];
        assert_eq!(covered.map(|position| travel.covers(position)), [false, false, true, true, true, false, false]);
    }
}
