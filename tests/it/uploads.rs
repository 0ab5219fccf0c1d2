//! Files through GraphQL multipart requests, and what becomes of them.

use crate::harness::{Person, TestApp, errors_of, user_error};
use chrono::TimeDelta;
use serde_json::{Value, json};
use spotlight::infra::blob::{Key, Media, Spooled};
use std::io::Write;

crate::scenarios![
    an_event_shows_what_its_artist_uploaded,
    an_upload_needs_a_preflight_and_an_account,
    malformed_multipart_requests_are_named,
    an_upload_is_bounded_in_bytes_and_files,
    a_marker_that_a_client_writes_itself_finds_nothing,
    one_request_may_carry_several_files_and_a_persisted_document,
    a_file_is_what_its_content_says,
    only_who_may_edit_the_owner_changes_its_files,
    an_event_has_at_most_ten_files,
    a_new_avatar_takes_the_place_of_the_old,
    files_are_put_in_another_order_and_deleted,
    an_object_without_a_row_is_removed_after_a_day,
    nothing_but_our_own_objects_is_served,
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

async fn a_file_is_what_its_content_says(app: TestApp) {
    let artist = app.artist("haneul").await;
    let event = app.event(&artist, 0, 10).await;
    let own = user_id(&app, &artist).await.to_string();
    let cut = &png()[..50];
    let cases: [&[u8]; 4] = [b"<html><script>", b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", cut];
    for file in cases {
        assert_eq!(user_error(&upload(&app, &artist, &event.id, file).await), "INVALID file");
    }
    let pdf = b"%PDF-1.7\n%%EOF";
    assert_eq!(user_error(&upload(&app, &artist, &own, pdf).await), "INVALID file");
    let (_, url) = uploaded(&app, &artist, &event.id, pdf).await;
    let got = app.http.get(&url).send().await.unwrap();
    assert_eq!((got.status().as_u16(), &got.headers()["content-type"]), (200, &"application/pdf".parse().unwrap()));
    assert_eq!(got.headers()["content-disposition"], "attachment");
    assert_eq!(files_of(&app, &event.id).await.len(), 1);
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

async fn only_who_may_edit_the_owner_changes_its_files(app: TestApp) {
    let (artist, other, fan) = (app.artist("haneul").await, app.artist("bada").await, app.fan("mina").await);
    let event = app.event(&artist, 0, 10).await;
    let review = review(&app, &fan, &event.id).await;
    let (fan_id, nobody) = (user_id(&app, &fan).await.to_string(), event.types[0].clone());
    for owner in [&event.id, &review, &fan_id, &nobody] {
        assert_eq!(user_error(&upload(&app, &other, owner, &png()).await), "NOT_FOUND ownerId", "{owner}");
    }
    let (file, _) = uploaded(&app, &artist, &event.id, &png()).await;
    uploaded(&app, &fan, &review, &png()).await;
    for person in [&other, &fan] {
        let input = json!({ "attachmentId": file });
        let payload = app.mutate(Some(&person.token), "attachmentDelete", "deletedAttachmentId", input).await;
        assert_eq!(
            (user_error(&payload).as_str(), &payload["deletedAttachmentId"]),
            ("NOT_FOUND attachmentId", &Value::Null)
        );
        let input = json!({ "ownerId": event.id, "attachmentIds": [file] });
        let payload = app.mutate(Some(&person.token), "attachmentReorder", "attachments { id }", input).await;
        assert_eq!(user_error(&payload), "NOT_FOUND ownerId");
    }
    assert_eq!(files_of(&app, &event.id).await, [file.as_str()]);
    let document =
        "mutation($input: AttachmentDeleteInput!) { attachmentDelete(input: $input) { deletedAttachmentId } }";
    let answer = app.query(None, document, json!({ "input": { "attachmentId": file } })).await;
    assert_eq!(answer.code(), "UNAUTHENTICATED");
    let query = "query($id: ID!) { event(id: $id) { reviews { nodes { attachments { contentType } } } } }";
    let answer = app.query(None, query, json!({ "id": event.id })).await;
    assert_eq!(answer.data()["event"]["reviews"]["nodes"][0]["attachments"], json!([{ "contentType": "image/png" }]));
    app.mutate(Some(&artist.token), "eventCancel", "event { id }", json!({ "eventId": event.id })).await;
    assert_eq!(user_error(&upload(&app, &artist, &event.id, &png()).await), "NOT_ALLOWED ownerId");
}

async fn an_event_has_at_most_ten_files(app: TestApp) {
    let artist = app.artist("haneul").await;
    let event = app.event(&artist, 0, 10).await;
    let file = png();
    for _ in 0..9 {
        uploaded(&app, &artist, &event.id, &file).await;
    }
    let one = || upload(&app, &artist, &event.id, &file);
    let (first, second, third) = tokio::join!(one(), one(), one());
    let mut errors = [errors_of(&first), errors_of(&second), errors_of(&third)].concat();
    errors.sort();
    assert_eq!(errors, ["LIMIT_EXCEEDED ownerId", "LIMIT_EXCEEDED ownerId"]);
    let files = files_of(&app, &event.id).await;
    assert_eq!(files.len(), 10);
    let input = json!({ "attachmentId": files[3] });
    app.mutate(Some(&artist.token), "attachmentDelete", "deletedAttachmentId", input).await;
    let (last, _) = uploaded(&app, &artist, &event.id, &file).await;
    assert_eq!(files_of(&app, &event.id).await.last(), Some(&last));
}

async fn a_new_avatar_takes_the_place_of_the_old(app: TestApp) {
    let artist = app.artist("haneul").await;
    let own = user_id(&app, &artist).await.to_string();
    let event = app.event(&artist, 0, 10).await;
    let (_, old) = uploaded(&app, &artist, &own, &png()).await;
    let (_, new) = uploaded(&app, &artist, &own, &jpeg(b"")).await;
    app.work().await;
    assert_eq!((status_of(&app, &old).await, status_of(&app, &new).await), (404, 200));
    let query = "query($id: ID!) { event(id: $id) { artist { avatar { url } } } }";
    let answer = app.query(None, query, json!({ "id": event.id })).await;
    assert_eq!(answer.data()["event"]["artist"]["avatar"]["url"], json!(new));
}

async fn files_are_put_in_another_order_and_deleted(app: TestApp) {
    let artist = app.artist("haneul").await;
    let event = app.event(&artist, 0, 10).await;
    let (a, url) = uploaded(&app, &artist, &event.id, &png()).await;
    let (b, _) = uploaded(&app, &artist, &event.id, &jpeg(b"")).await;
    let (c, _) = uploaded(&app, &artist, &event.id, &png()).await;
    assert_eq!(files_of(&app, &event.id).await, [a.as_str(), &b, &c]);
    let reorder = |ids: Value| {
        let input = json!({ "ownerId": event.id, "attachmentIds": ids });
        app.mutate(Some(&artist.token), "attachmentReorder", "attachments { id }", input)
    };
    for (ids, blamed) in [
        (json!([c, a]), "INVALID attachmentIds"),
        (json!([]), "INVALID attachmentIds"),
        (json!([c, a, a]), "NOT_FOUND attachmentIds.2"),
        (json!([c, a, b, event.id]), "NOT_FOUND attachmentIds.3"),
    ] {
        assert_eq!(user_error(&reorder(ids).await), blamed);
    }
    let payload = reorder(json!([c, a, b])).await;
    assert_eq!(payload["attachments"], json!([{ "id": c }, { "id": a }, { "id": b }]));
    assert_eq!(files_of(&app, &event.id).await, [c.as_str(), &a, &b]);
    let delete =
        || app.mutate(Some(&artist.token), "attachmentDelete", "deletedAttachmentId", json!({ "attachmentId": a }));
    assert_eq!(delete().await["deletedAttachmentId"], json!(a));
    assert_eq!(user_error(&delete().await), "NOT_FOUND attachmentId");
    assert_eq!(files_of(&app, &event.id).await, [c.as_str(), &b]);
    app.work().await;
    assert_eq!(status_of(&app, &url).await, 404);
}

async fn an_object_without_a_row_is_removed_after_a_day(app: TestApp) {
    let artist = app.artist("haneul").await;
    let event = app.event(&artist, 0, 10).await;
    let (_, kept) = uploaded(&app, &artist, &event.id, &png()).await;
    // As if the server had died between the object and its row.
    let key = Key::new(&app.app.ids, Media::Png);
    let txn = app.app.db.begin().await.unwrap();
    spotlight::attachment::remove::if_unused(&txn, &app.app, key.to_string()).await.unwrap();
    txn.commit().await.unwrap();
    let mut file = app.app.spool.file().unwrap();
    file.write_all(&png()).unwrap();
    app.app.blob.put(&key, &Spooled::new(file).unwrap()).await.unwrap();
    let orphan = format!("{}/objects/{key}", app.url);
    app.pass(TimeDelta::hours(23)).await;
    assert_eq!((status_of(&app, &kept).await, status_of(&app, &orphan).await), (200, 200));
    app.pass(TimeDelta::hours(2)).await;
    assert_eq!((status_of(&app, &kept).await, status_of(&app, &orphan).await), (200, 404));
}

async fn nothing_but_our_own_objects_is_served(app: TestApp) {
    let secret = "a".repeat(43);
    std::fs::write(app.app.config.data_dir.join("objects/notes.txt"), "x").unwrap();
    for key in
        ["notes.txt", "..%2Fkeys", "..%2F..%2Fetc%2Fpasswd", "%00", &format!("{secret}.png"), &format!("{secret}.html")]
    {
        assert_eq!(status_of(&app, &format!("{}/objects/{key}", app.url)).await, 404, "{key}");
    }
    let left: Vec<_> = std::fs::read_dir(app.app.config.data_dir.join("incoming")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}
