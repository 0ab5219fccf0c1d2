//! What becomes of a file that was taken: whose it is, in which order, how it is served, and when it goes.

use super::{files_of, jpeg, png, review, status_of, upload, uploaded, user_id};
use crate::harness::{TestApp, errors_of, user_error};
use chrono::TimeDelta;
use serde_json::{Value, json};
use spotlight::infra::blob::{Key, Media, Spooled};
use std::io::Write;

crate::scenarios![
    a_file_is_what_its_content_says,
    only_who_may_edit_the_owner_changes_its_files,
    an_event_has_at_most_ten_files,
    a_new_avatar_takes_the_place_of_the_old,
    files_are_put_in_another_order_and_deleted,
    an_object_without_a_row_is_removed_after_a_day,
    nothing_but_our_own_objects_is_served,
];

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
