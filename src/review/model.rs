//! Ratings: pure.

/// `None` without reviews.
pub fn average(sum: i64, count: i32) -> Option<f64> {
    // Both fit an f64 exactly: a sum of at most five times as many as an i32 holds.
    let sum = i32::try_from(sum).ok()?;
    (count > 0).then(|| f64::from(sum) / f64::from(count))
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_review_is_no_rating() {
        assert_eq!(super::average(0, 0), None);
        assert_eq!(super::average(9, 2), Some(4.5));
    }
}
