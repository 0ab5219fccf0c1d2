//! Scalars that the schema adds.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};

/// An amount of money or points: whole Korean won, a JSON integer within ±2^53.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Won(pub i64);

/// The largest integer that every JSON reader keeps exactly.
const MOST: i64 = 1 << 53;

#[Scalar]
impl ScalarType for Won {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::Number(number) => match number.as_i64() {
                Some(won) if (-MOST..=MOST).contains(&won) => Ok(Self(won)),
                _ => Err(InputValueError::custom("Won must be a whole number within ±2^53")),
            },
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::Number(self.0.into())
    }
}
