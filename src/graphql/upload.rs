//! Files of a multipart request: what the transport puts into the variables, and what a resolver finds there.

use super::ctx::Ctx;
use crate::{
    error::{Code, Problem},
    infra::blob::Spooled,
};
use async_graphql::{Context, InputValueError, InputValueResult, Scalar, ScalarType, Value};

/// The files that came with a request, in the order of their places. Request data; without it no file came.
#[derive(Clone, Debug, Default)]
pub struct Uploads(pub Vec<Spooled>);

impl Uploads {
    /// What stands in the variables for a file. A client may write the same; it finds its own files, or none.
    pub fn marker(place: usize) -> String {
        format!("{MARKER}{place}")
    }
}

const MARKER: &str = "#upload:";

/// The place of a file among those of its request.
#[derive(Clone, Copy, Debug)]
pub struct Upload(usize);

/// A file: null in `variables`, and sent as a part of a multipart request whose `map` names that variable. Its type is
/// told by its content.
#[Scalar(specified_by_url = "https://github.com/jaydenseric/graphql-multipart-request-spec")]
impl ScalarType for Upload {
    fn parse(value: Value) -> InputValueResult<Self> {
        let place = match &value {
            Value::String(text) => text.strip_prefix(MARKER).and_then(|place| place.parse().ok()),
            _ => None,
        };
        place.map(Self).ok_or_else(|| InputValueError::custom("send the file as a part of a multipart request"))
    }

    fn to_value(&self) -> Value {
        Value::Null
    }
}

impl Upload {
    /// The file itself; `path` is the input field to blame if there is none.
    pub fn file(self, ctx: &Context<'_>, path: &[&str]) -> Result<Spooled, Problem> {
        ctx.uploads().0.get(self.0).cloned().ok_or_else(|| {
            let ko = "파일이 요청에 없습니다.";
            Problem::new(Code::Invalid, path, ko, "The file did not come with the request.")
        })
    }
}
