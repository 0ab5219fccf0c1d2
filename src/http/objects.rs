//! `/objects/KEY`: uploaded files, public to who knows the key. An object never changes, so it may be kept for ever; what
//! people upload must never run in our name, so nothing in it may load or run, and a document is only downloaded.

use crate::{
    app::App,
    infra::blob::{Key, Media},
};
use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};

pub async fn object(State(app): State<App>, Path(key): Path<String>) -> Response {
    let Ok(key) = key.parse::<Key>() else { return StatusCode::NOT_FOUND.into_response() };
    let stored = match app.blob.get(&key).await {
        Ok(Some(stored)) => stored,
        Ok(None) => return StatusCode::NOT_FOUND.into_response(),
        Err(error) => {
            tracing::error!(%key, %error, "an object cannot be read");
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
    };
    let headers = [
        (header::CONTENT_TYPE, key.media().content_type().to_owned()),
        (header::CONTENT_LENGTH, stored.byte_size.to_string()),
        (header::CONTENT_DISPOSITION, disposition(key.media()).to_owned()),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox".to_owned()),
        // Front ends of other origins show the pictures.
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin".to_owned()),
    ];
    (headers, Body::from_stream(stored.content)).into_response()
}

fn disposition(media: Media) -> &'static str {
    if media.is_image() { "inline" } else { "attachment" }
}
