//! Scalars that the schema adds. Each says itself what it accepts (`is_valid`): the validation then names the field to
//! blame, which the parsing of an input cannot.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::NaiveDate;

/// Whole Korean won.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Won(pub i64);

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date(pub NaiveDate);

/// An address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url(pub String);

/// The largest integer that every JSON reader keeps exactly.
const MOST: i64 = 1 << 53;

impl Won {
    /// The largest amount that can be said.
    pub const MOST: i64 = MOST;
}

/// An amount of money or points: whole Korean won, a JSON integer within ±2^53.
#[Scalar]
impl ScalarType for Won {
    fn parse(value: Value) -> InputValueResult<Self> {
        let won = if let Value::Number(number) = &value { number.as_i64() } else { None };
        let won = won.filter(|won| (-MOST..=MOST).contains(won));
        won.map(Self).ok_or_else(|| InputValueError::custom("Won must be a whole number within ±2^53"))
    }

    fn is_valid(value: &Value) -> bool {
        Self::parse(value.clone()).is_ok()
    }

    fn to_value(&self) -> Value {
        Value::Number(self.0.into())
    }
}

/// A day of the calendar, `YYYY-MM-DD`.
#[Scalar(specified_by_url = "https://datatracker.ietf.org/doc/html/rfc3339#section-5.6")]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        let day = if let Value::String(text) = &value { text.parse().ok() } else { None };
        day.map(Self).ok_or_else(|| InputValueError::custom("Date must be YYYY-MM-DD"))
    }

    fn is_valid(value: &Value) -> bool {
        Self::parse(value.clone()).is_ok()
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// An absolute address with its scheme.
#[Scalar(name = "URL", specified_by_url = "https://url.spec.whatwg.org/")]
impl ScalarType for Url {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) if url::Url::parse(&text).is_ok() => Ok(Self(text)),
            _ => Err(InputValueError::custom("URL must be an absolute address")),
        }
    }

    fn is_valid(value: &Value) -> bool {
        Self::parse(value.clone()).is_ok()
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}
