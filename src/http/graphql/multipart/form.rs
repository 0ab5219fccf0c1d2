//! The parts of a multipart body, in the specification's order.

use super::super::{
    Edge,
    pace::{Allowance, HeadTooLong, Paced},
    problem::Problem,
};
use crate::infra::blob::{Spool, Spooled};
use axum::body::{Body, Bytes};
use multer::{Constraints, Field, Multipart, SizeLimit};
use std::{
    fs::File,
    io::{self, Write},
};

/// A multipart body, read to somewhere.
pub struct Form {
    parts: Multipart<'static>,
    allowance: Allowance,
}

impl Form {
    pub fn new(edge: &Edge, body: Body, boundary: String) -> Self {
        let bytes = |limit: usize| u64::try_from(limit).unwrap_or(u64::MAX);
        let settings = &edge.settings;
        let limits = SizeLimit::new()
            .whole_stream(bytes(settings.multipart_bytes))
            .for_field("operations", bytes(settings.body_bytes))
            .for_field("map", bytes(settings.body_bytes));
        let allowance = Allowance::default();
        let body = Paced::new(body.into_data_stream(), allowance.clone());
        Self { parts: Multipart::with_constraints(body, boundary, Constraints::new().size_limit(limits)), allowance }
    }

    /// The next part and its name; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<(String, Field<'static>)>, Problem> {
        self.allowance.for_head();
        let Some(part) = self.parts.next_field().await.map_err(problem)? else { return Ok(None) };
        self.allowance.for_content();
        let name = part.name().map(str::to_owned);
        let name = name.ok_or_else(|| Problem::bad_request("A part of the multipart body has no name."))?;
        Ok(Some((name, part)))
    }

    /// The whole of the next part, which must be the one of this name.
    pub async fn text(&mut self, name: &str) -> Result<Bytes, Problem> {
        match self.next().await? {
            Some((found, part)) if found == name => part.bytes().await.map_err(problem),
            Some((found, _)) => Err(Problem::bad_request(format!(
                "The part {found:?} stands where `{name}` is due: first `operations`, then `map`, then the files."
            ))),
            None => Err(Problem::bad_request(format!("The multipart body has no part `{name}`."))),
        }
    }

    /// A file, on disk.
    pub async fn spool(&self, name: &str, mut part: Field<'static>, spool: &Spool) -> Result<Spooled, Problem> {
        let spool = spool.clone();
        let mut file = blocking(move || spool.file()).await?;
        while let Some(piece) = part.chunk().await.map_err(problem)? {
            file = blocking(move || written(file, &piece)).await?;
        }
        let spooled = blocking(move || Spooled::new(file)).await?;
        tracing::debug!(part = name, bytes = spooled.byte_size(), "a file came");
        Ok(spooled)
    }
}

fn written(mut file: File, piece: &[u8]) -> io::Result<File> {
    file.write_all(piece)?;
    Ok(file)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)));
    done.map_err(|error| {
        tracing::error!(%error, "a file cannot be spooled");
        Problem::unavailable()
    })
}

fn problem(error: multer::Error) -> Problem {
    match error {
        multer::Error::StreamSizeExceeded { limit } => Problem::too_large(usize::try_from(limit).unwrap_or(usize::MAX)),
        multer::Error::FieldSizeExceeded { limit, field_name } => {
            let name = field_name.unwrap_or_default();
            Problem::payload_too_large(format!("The part `{name}` is larger than {limit} bytes."))
        }
        multer::Error::StreamReadFailed(cause) if cause.is::<HeadTooLong>() => {
            Problem::bad_request("Not a multipart form: the head of a part does not end.")
        }
        multer::Error::StreamReadFailed(_)
        | multer::Error::IncompleteStream
        | multer::Error::IncompleteHeaders
        | multer::Error::IncompleteFieldData { .. } => Problem::bad_request("The multipart body broke off."),
        other => Problem::bad_request(format!("Not a multipart form: {other}.")),
    }
}
