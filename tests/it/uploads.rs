//! Files through GraphQL multipart requests. What becomes of them is in `files`.

pub mod files;

use crate::harness::{Person, TestApp, user_error};
use serde_json::{Value, json};
use std::io::Write;

crate::scenarios![
    an_event_shows_what_its_artist_uploaded,
    an_upload_needs_a_preflight_and_an_account,
    malformed_multipart_requests_are_named,
    an_upload_is_bounded_in_bytes_and_files,
    a_marker_that_a_client_writes_itself_finds_nothing,
    one_request_may_carry_several_files_and_a_persisted_document,
];

const UPLOAD: &str = "mutation($input: AttachmentUploadInput!) { attachmentUpload(input: $input) { \
                      attachment { id url contentType byteSize } userErrors { code message path } } }";

const BOUNDARY: &str = "----a-boundary";

/// The smallest picture that is one, without and with the position of the camera.
fn jpeg(exif: &[u8]) -> Vec<u8> {
    let mut file = b"\xFF\xD8".to_vec();
    if !exif.is_empty() {
        file.extend_from_slice(b"\xFF\xE1");
        file.extend_from_slice(&u16::try_from(exif.len() + 2).unwrap().to_be_bytes());
        file.extend_from_slice(exif);
    }
    file.extend_from_slice(b"\xFF\xC0\0\x0B\x08\0\x01\0\x01\x01\x01\x11\0\xFF\xDA\0\x08\x01\x01\0\0\x3F\0\x7F\xFF\xD9");
    file
}

pub fn png() -> Vec<u8> {
    let chunk =
        |kind: &[u8], data: &[u8]| [&u32::try_from(data.len()).unwrap().to_be_bytes(), kind, data, b"csum"].concat();
    let chunks = [chunk(b"IHDR", &[0; 13]), chunk(b"IDAT", &[0; 20]), chunk(b"IEND", b"")].concat();
    [b"\x89PNG\r\n\x1A\n".to_vec(), chunks].concat()
}

/// A multipart body of parts of a name and content; what is not JSON has a file's name.
fn form(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, content) in parts {
        let file = if *name == "operations" || *name == "map" { "" } else { "; filename=\"../../evil.html\"" };
        write!(body, "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n").unwrap();
        body.extend_from_slice(b"Content-Type: text/html\r\n\r\n");
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    write!(body, "--{BOUNDARY}--\r\n").unwrap();
    body
}

fn operations(owner: &str) -> Vec<u8> {
    json!({ "query": UPLOAD, "variables": { "input": { "ownerId": owner, "file": null } } }).to_string().into_bytes()
}

const MAP: &[u8] = br#"{ "0": ["variables.input.file"] }"#;

/// Status and answer.
async fn send(app: &TestApp, token: Option<&str>, body: impl Into<reqwest::Body>) -> (u16, Value) {
    let mut request = app
        .http
        .post(format!("{}/graphql", app.url))
        .header("content-type", format!("multipart/form-data; boundary={BOUNDARY}"))
        .header("accept", "application/graphql-response+json")
        .header("accept-language", "en")
        .header("graphql-require-preflight", "1");
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let response = request.body(body).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

/// The payload of `attachmentUpload`.
pub async fn upload(app: &TestApp, person: &Person, owner: &str, file: &[u8]) -> Value {
    let body = form(&[("operations", &operations(owner)), ("map", MAP), ("0", file)]);
    let (status, answer) = send(app, Some(&person.token), body).await;
    assert_eq!((status, answer.get("errors")), (200, None), "{answer}");
    answer["data"]["attachmentUpload"].clone()
}

/// The id and the address of a file that was taken.
pub async fn uploaded(app: &TestApp, person: &Person, owner: &str, file: &[u8]) -> (String, String) {
    let payload = upload(app, person, owner, file).await;
    let text = |name: &str| payload["attachment"][name].as_str().unwrap_or_else(|| panic!("{payload}")).to_owned();
    (text("id"), text("url"))
}

async fn files_of(app: &TestApp, event: &str) -> Vec<String> {
    let query = "query($id: ID!) { event(id: $id) { attachments { id } } }";
    let answer = app.query(None, query, json!({ "id": event })).await;
    let files = answer.data()["event"]["attachments"].as_array().unwrap().clone();
    files.iter().map(|file| file["id"].as_str().unwrap().to_owned()).collect()
}

pub async fn status_of(app: &TestApp, url: &str) -> u16 {
    app.http.get(url).send().await.unwrap().status().as_u16()
}

pub async fn user_id(app: &TestApp, person: &Person) -> entity::ids::UserId {
    spotlight::user::query::by_email(app.app.db.reads(), &person.email).await.unwrap().unwrap().id
}

async fn an_event_shows_what_its_artist_uploaded(app: TestApp) {
    let artist = app.artist("haneul").await;
    let event = app.event(&artist, 0, 10).await;
    let photo = jpeg(b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x88\x25\0\x04\0\0\0\x01\0\0\0\x1A\0\0\0\0 37.5N");
    let payload = upload(&app, &artist, &event.id, &photo).await;
    let kept = jpeg(b"");
    assert_eq!(payload["userErrors"], json!([]));
    assert_eq!(payload["attachment"]["contentType"], "image/jpeg");
    assert_eq!(payload["attachment"]["byteSize"], kept.len());
    let id = payload["attachment"]["id"].as_str().unwrap();
    assert_eq!(files_of(&app, &event.id).await, [id]);
    let node = app.query(None, "query($id: ID!) { node(id: $id) { ... on Attachment { url } } }", json!({ "id": id }));
    let url = node.await.data()["node"]["url"].as_str().unwrap().to_owned();
    assert!(!url.contains("evil"), "{url}");
    let got = app.http.get(&url).send().await.unwrap();
    let header = |name: &str| got.headers()[name].to_str().unwrap().to_owned();
    assert_eq!((got.status().as_u16(), header("content-type").as_str()), (200, "image/jpeg"));
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert!(header("content-security-policy").starts_with("default-src 'none'"));
    assert!(header("cache-control").contains("immutable"));
    assert_eq!(got.bytes().await.unwrap(), kept);
}

async fn an_upload_needs_a_preflight_and_an_account(app: TestApp) {
    let artist = app.artist("haneul").await;
    let event = app.event(&artist, 0, 10).await;
    let body = form(&[("operations", &operations(&event.id)), ("map", MAP), ("0", &png())]);
    let (status, answer) = send(&app, None, body.clone()).await;
    assert_eq!((status, &answer["errors"][0]["extensions"]["code"]), (401, &json!("UNAUTHENTICATED")));
    let bare = app.http.post(format!("{}/graphql", app.url)).bearer_auth(&artist.token);
    let bare = bare.header("content-type", format!("multipart/form-data; boundary={BOUNDARY}")).body(body);
    let refused = bare.send().await.unwrap();
    assert_eq!(refused.status(), 400);
    assert!(refused.text().await.unwrap().contains("GraphQL-Require-Preflight"));
    assert!(files_of(&app, &event.id).await.is_empty());
}

async fn malformed_multipart_requests_are_named(app: TestApp) {
    let artist = app.artist("haneul").await;
    let event = app.event(&artist, 0, 10).await;
    let (operations, file) = (operations(&event.id), png());
    let (o, m, f) = (("operations", operations.as_slice()), ("map", MAP), ("0", file.as_slice()));
    let broken = {
        let mut body = form(&[o, m, f]);
        body.truncate(body.len() - 30);
        body
    };
    let batch = [b"[".as_slice(), &operations, b"]"].concat();
    let cases: [(Vec<u8>, &str); 15] = [
        (form(&[]), "no part `operations`"),
        (form(&[o]), "no part `map`"),
        (form(&[m, o, f]), "\"map\" stands where `operations` is due"),
        (form(&[o, f, m]), "\"0\" stands where `map` is due"),
        (form(&[("operations", b"{"), m, f]), "Not JSON"),
        (form(&[("operations", &batch), m, f]), "Batches"),
        (form(&[o, ("map", b"[1]"), f]), "`map` must be an object"),
        (
            form(&[o, ("map", br#"{ "0": ["variables.input.picture"] }"#), f]),
            "\"variables.input.picture\", which is not",
        ),
        (
            form(&[o, ("map", br#"{ "0": ["variables.input.ownerId"] }"#), f]),
            "\"variables.input.ownerId\" must be null",
        ),
        (form(&[o, ("map", br#"{ "0": [] }"#), f]), "\"0\" no place"),
        (form(&[o, m, f, ("1", &file)]), "`map` does not name the file \"1\""),
        (form(&[o, m, f, f]), "The file \"0\" came twice"),
        (form(&[o, m]), "names the file \"0\", but it did not come"),
        (broken, "broke off"),
        (b"nothing of the kind".to_vec(), "broke off"),
    ];
    for (body, said) in cases {
        let (status, answer) = send(&app, Some(&artist.token), body).await;
        let error = &answer["errors"][0];
        assert_eq!((status, error["extensions"]["code"].as_str()), (400, Some("BAD_REQUEST")), "{said}: {answer}");
        assert!(error["message"].as_str().unwrap().contains(said), "{said}: {answer}");
    }
    let url = format!("{}/graphql", app.url);
    let unbounded = app.http.post(&url).bearer_auth(&artist.token).header("graphql-require-preflight", "1");
    let refused = unbounded.header("content-type", "multipart/form-data").body("x").send().await.unwrap();
    assert_eq!(refused.status(), 400);
    assert!(refused.text().await.unwrap().contains("boundary"));
    assert!(files_of(&app, &event.id).await.is_empty());
}

async fn an_upload_is_bounded_in_bytes_and_files(app: TestApp) {
    let artist = app.artist("haneul").await;
    let event = app.event(&artist, 0, 10).await;
    let large = vec![b' '; 11 * 1024 * 1024];
    assert_eq!(user_error(&upload(&app, &artist, &event.id, &large).await), "OUT_OF_RANGE file");
    let refused = |answer: (u16, Value)| {
        assert_eq!((answer.0, &answer.1["errors"][0]["extensions"]["code"]), (413, &json!("PAYLOAD_TOO_LARGE")));
        answer.1["errors"][0]["message"].as_str().unwrap().to_owned()
    };
    let token = Some(artist.token.as_str());
    // One byte too many, of a length that is not told before.
    let limit = app.app.config.edge.multipart_bytes;
    let mut body = form(&[("operations", &operations(&event.id)), ("map", MAP), ("0", &large)]);
    body.resize(limit + 1, b' ');
    let streamed = futures_util::stream::iter(
        body.chunks(100_000).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect::<Vec<_>>(),
    );
    // What stands behind the last boundary is not a part of the form, and is not read.
    let (status, _) = send(&app, token, reqwest::Body::wrap_stream(streamed)).await;
    assert_eq!(status, 200);
    let mut endless = form(&[("operations", &operations(&event.id)), ("map", MAP), ("0", &vec![b' '; limit])]);
    endless.truncate(limit + 1);
    let streamed = futures_util::stream::iter([Ok::<_, std::io::Error>(endless)]);
    let said = refused(send(&app, token, reqwest::Body::wrap_stream(streamed)).await);
    assert!(said.contains(&limit.to_string()), "{said}");
    let text = vec![b' '; app.app.config.edge.body_bytes + 1];
    assert!(refused(send(&app, token, form(&[("operations", &text)])).await).contains("`operations`"));
    let map = json!({ "0": ["variables.a"], "1": ["variables.b"], "2": ["variables.c"], "3": ["variables.d"], "4": ["variables.e"] });
    let body = form(&[("operations", &operations(&event.id)), ("map", map.to_string().as_bytes())]);
    assert!(refused(send(&app, token, body).await).contains("5 files; at most 4"));
    // A head that never ends.
    let head = [b"--".as_slice(), BOUNDARY.as_bytes(), b"\r\nX-A: ", &vec![b'a'; 1024 * 1024]].concat();
    let (status, answer) = send(&app, token, head).await;
    let said = answer["errors"][0]["message"].as_str().unwrap();
    assert_eq!((status, said), (400, "Not a multipart form: the head of a part does not end."));
}

async fn a_marker_that_a_client_writes_itself_finds_nothing(app: TestApp) {
    let artist = app.artist("haneul").await;
    let event = app.event(&artist, 0, 10).await;
    let input = |file: Value| json!({ "input": { "ownerId": event.id, "file": file } });
    let answer = app.query(Some(&artist.token), UPLOAD, input(json!("#upload:0"))).await;
    assert_eq!(user_error(&answer.data()["attachmentUpload"]), "INVALID file");
    for marker in
        [json!("#upload:x"), json!("#upload:-1"), json!("#__graphql_file__:x"), json!("x"), json!(0), json!(null)]
    {
        let answer = app.query(Some(&artist.token), UPLOAD, input(marker.clone())).await;
        assert!(matches!(answer.code(), "GRAPHQL_VALIDATION_FAILED" | "BAD_USER_INPUT"), "{marker}: {:?}", answer.body);
    }
}

async fn one_request_may_carry_several_files_and_a_persisted_document(app: TestApp) {
    use sha2::{Digest, Sha256};
    let artist = app.artist("haneul").await;
    let event = app.event(&artist, 0, 10).await;
    let query = "mutation($owner: ID!, $one: Upload!) { \
                 a: attachmentUpload(input: { ownerId: $owner, file: $one }) { attachment { contentType } } \
                 b: attachmentUpload(input: { ownerId: $owner, file: $one }) { attachment { contentType } } }";
    let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(query.as_bytes()));
    let mut operations = json!({
        "query": query, "variables": { "owner": event.id, "one": null },
        "extensions": { "persistedQuery": { "version": 1, "sha256Hash": hash } },
    });
    let map = br#"{ "x": ["variables.one"] }"#;
    for files in [2, 4] {
        let body = form(&[("operations", operations.to_string().as_bytes()), ("map", map), ("x", &png())]);
        let (status, answer) = send(&app, Some(&artist.token), body).await;
        assert_eq!((status, &answer["data"]["b"]["attachment"]["contentType"]), (200, &json!("image/png")), "{answer}");
        assert_eq!(files_of(&app, &event.id).await.len(), files);
        operations.as_object_mut().unwrap().remove("query");
    }
    let two = "mutation($one: AttachmentUploadInput!, $two: AttachmentUploadInput!) { \
               one: attachmentUpload(input: $one) { attachment { contentType } } \
               two: attachmentUpload(input: $two) { attachment { contentType } } }";
    let input = json!({ "ownerId": event.id, "file": null });
    let operations = json!({ "query": two, "variables": { "one": input, "two": input } }).to_string();
    // Names in another order than their places.
    let map = br#"{ "b": ["variables.one.file"], "a": ["variables.two.file"] }"#;
    let body = form(&[("operations", operations.as_bytes()), ("map", map), ("b", &jpeg(b"")), ("a", &png())]);
    let (_, answer) = send(&app, Some(&artist.token), body).await;
    let kinds = [&answer["data"]["one"], &answer["data"]["two"]].map(|payload| &payload["attachment"]["contentType"]);
    assert_eq!(kinds, ["image/jpeg", "image/png"]);
}

/// A review out of nowhere: there is no way to write one through the API yet.
pub async fn review(app: &TestApp, person: &Person, event: &str) -> String {
    use sea_orm::EntityTrait;
    let row = entity::review::Model {
        id: app.app.ids.next(),
        event_id: event.parse().unwrap(),
        user_id: user_id(app, person).await,
        rating: 5,
        content: "정말 좋은 공연이었습니다.".to_owned(),
        like_count: 0,
        created_at: app.now(),
        edited_at: None,
    };
    let id = row.id.to_string();
    let txn = app.app.db.begin().await.unwrap();
    entity::review::Entity::insert(entity::review::ActiveModel::from(row)).exec_without_returning(&txn).await.unwrap();
    txn.commit().await.unwrap();
    id
}
