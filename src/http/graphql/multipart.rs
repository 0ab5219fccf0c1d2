//! Files, by the GraphQL multipart request specification: the parts `operations`, `map`, then the files that `map` names
//! (<https://github.com/jaydenseric/graphql-multipart-request-spec>).
//!
//! Always: only for who is signed in, and only with the header `GraphQL-Require-Preflight`, which a page of another
//! origin cannot send without asking first; bounded in bytes, files, time and bodies at once; a file is on disk and
//! never in memory; what does not fit together is refused by name, before the operation runs. Read next: `form` for the
//! parts' order, `file_map` for their places, `pace` for how the parser is fed.

mod file_map;
mod form;

use super::{
    Edge,
    engine::{Caller, ClientMeta},
    problem::Problem,
    request::Parameters,
};
use axum::{
    body::Body,
    http::{HeaderMap, header},
};
use file_map::FileMap;
use form::Form;

/// Any value will do.
const PREFLIGHT: &str = "graphql-require-preflight";

/// Whether the body says that it is one.
pub fn is_announced(headers: &HeaderMap) -> bool {
    let kind = content_type(headers).split(';').next().unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("multipart/form-data")
}

/// The parameters of a multipart POST, with its files.
pub async fn read(
    edge: &Edge,
    caller: &Caller,
    meta: &ClientMeta,
    headers: &HeaderMap,
    body: Body,
) -> Result<Parameters, Problem> {
    check_head(edge, caller, headers)?;
    let boundary = multer::parse_boundary(content_type(headers))
        .map_err(|_| Problem::bad_request("The multipart body's Content-Type names no boundary."))?;
    let place = edge.0.arriving.take(caller, meta, edge.settings.multipart_per_account);
    let _place = place.ok_or_else(|| Problem::too_many("Too many uploads at once. Wait for one to finish."))?;
    let form = Form::new(edge, body, boundary);
    let reading = tokio::time::timeout(edge.settings.multipart_time, read_form(edge, form));
    reading.await.unwrap_or_else(|_| Err(Problem::too_slow()))
}

/// What can be refused before a byte of the body is read.
fn check_head(edge: &Edge, caller: &Caller, headers: &HeaderMap) -> Result<(), Problem> {
    if !headers.contains_key(PREFLIGHT) {
        return Err(Problem::bad_request("A multipart body needs the header GraphQL-Require-Preflight, of any value."));
    }
    if caller.account.is_none() {
        return Err(Problem::unauthenticated("Sign in to upload files."));
    }
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let most = edge.settings.multipart_bytes;
    match length.and_then(|length| length.parse::<u64>().ok()) {
        Some(length) if length > u64::try_from(most).unwrap_or(u64::MAX) => Err(Problem::too_large(most)),
        _ => Ok(()),
    }
}

async fn read_form(edge: &Edge, mut form: Form) -> Result<Parameters, Problem> {
    let operations = form.text("operations").await?;
    let mut parameters = Parameters::from_json(&operations)?;
    let map = FileMap::parse(&form.text("map").await?, edge.settings.multipart_files)?;
    map.mark(&mut parameters.variables)?;
    let mut came: Vec<_> = map.names().map(|_| None).collect();
    while let Some((name, part)) = form.next().await? {
        let place = map.names().position(|known| known == name);
        let Some(slot) = place.and_then(|place| came.get_mut(place)) else {
            return Err(Problem::bad_request(format!("`map` does not name the file {name:?}.")));
        };
        if slot.is_some() {
            return Err(Problem::bad_request(format!("The file {name:?} came twice.")));
        }
        *slot = Some(form.spool(&name, part, &edge.spool).await?);
    }
    let all = map.names().zip(came).map(|(name, file)| {
        file.ok_or_else(|| Problem::bad_request(format!("`map` names the file {name:?}, but it did not come.")))
    });
    parameters.files = all.collect::<Result<_, _>>()?;
    Ok(parameters)
}

fn content_type(headers: &HeaderMap) -> &str {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
