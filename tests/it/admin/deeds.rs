//! What admins do: to roles, members, events, reviews, jobs and payments.

use super::{MUTATIONS, admin, input_of, inside, last_change, list, review_of, unknown_job, user_id};
use crate::harness::{Event, PASSWORD, TestApp, errors_of, user_error};
use chrono::TimeDelta;
use entity::{enums::PaymentStatus, job, payment};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use spotlight::infra::jobs;

crate::scenarios![
    a_changed_role_counts_at_once,
    an_artist_with_events_to_come_stays_one,
    a_removal_follows_the_rules_of_a_withdrawal,
    a_removal_over_the_rules_refunds_everybody,
    a_removed_event_is_out_of_sight_and_refunded,
    an_event_that_has_ended_is_removed_without_refunds,
    a_removed_review_counts_no_more,
    a_parked_job_is_tried_again,
    a_payment_in_doubt_is_seen_and_asked_about,
    ids_of_nothing_are_not_found,
];

async fn a_changed_role_counts_at_once(app: TestApp) {
    let (fan, keeper) = (app.fan("mina").await, admin(&app).await);
    let id = user_id(&app, &fan).await;
    let input = json!({ "userId": id, "role": "ARTIST", "reason": "공연을 올리고 싶대요" });
    app.move_clock(TimeDelta::seconds(1));
    let payload = app.mutate(Some(&keeper), "adminUserRoleChange", "user { role }", input.clone()).await;
    assert_eq!((&payload["user"]["role"], errors_of(&payload).len()), (&json!("ARTIST"), 0));
    let old = app.query(Some(&fan.token), "{ viewer { role } }", json!({})).await;
    assert_eq!(old.code(), "UNAUTHENTICATED", "the old token carries the old role");
    let again = app.sign_in_again(&fan).await;
    app.event(&again, 1_000, 10).await;
    let change = last_change(&app, &keeper).await;
    assert_eq!((&change["action"], &change["subjectId"]), (&json!("user.role-change"), &json!(id)));
    assert_eq!((&change["adminEmail"], &change["address"]), (&json!("keeper@example.kr"), &json!("127.0.0.1")));
    assert_eq!(inside(&change, "before"), json!({ "role": "USER" }));
    assert_eq!(inside(&change, "after"), json!({ "role": "ARTIST", "reason": "공연을 올리고 싶대요" }));
    let twice = app.mutate(Some(&keeper), "adminUserRoleChange", "user { role }", input).await;
    assert_eq!(user_error(&twice), "NOT_ALLOWED role");
    let bare = json!({ "userId": id, "role": "USER", "reason": "  " });
    let refused = app.mutate(Some(&keeper), "adminUserRoleChange", "user { role }", bare).await;
    assert_eq!(user_error(&refused), "TOO_SHORT reason");
}

async fn an_artist_with_events_to_come_stays_one(app: TestApp) {
    let (artist, keeper) = (app.artist("haneul").await, admin(&app).await);
    app.event(&artist, 1_000, 10).await;
    let input = json!({ "userId": user_id(&app, &artist).await, "role": "USER", "reason": "asked" });
    let refused = app.mutate(Some(&keeper), "adminUserRoleChange", "user { role }", input.clone()).await;
    assert_eq!(user_error(&refused), "NOT_ALLOWED role");
    app.pass(TimeDelta::days(12)).await;
    let keeper = admin_again(&app).await;
    let done = app.mutate(Some(&keeper), "adminUserRoleChange", "user { role }", input).await;
    assert_eq!(done["user"]["role"], "USER");
}

/// After the clock moved past the token's life.
async fn admin_again(app: &TestApp) -> String {
    let input = json!({ "email": "keeper@example.kr", "password": PASSWORD });
    let payload = app.mutate(None, "adminSignIn", "session { accessToken }", input).await;
    payload["session"]["accessToken"].as_str().unwrap().to_owned()
}

async fn a_removal_follows_the_rules_of_a_withdrawal(app: TestApp) {
    let (artist, fan, keeper) = (app.artist("haneul").await, app.fan("mina").await, admin(&app).await);
    let event = app.event(&artist, 1_000, 10).await;
    app.buy(&fan, &event, 1, "k").await;
    for person in [&artist, &fan] {
        let input = json!({ "userId": user_id(&app, person).await, "reason": "asked" });
        let refused = app.mutate(Some(&keeper), "adminUserRemove", "user { id }", input).await;
        assert_eq!(user_error(&refused), "WITHDRAWAL_BLOCKED userId");
    }
    let other = app.fan("jisu").await;
    let id = user_id(&app, &other).await;
    let input = json!({ "userId": id, "reason": "스팸" });
    let selection = "user { email phoneNumber withdrawnAt }";
    let removed = app.mutate(Some(&keeper), "adminUserRemove", selection, input.clone()).await;
    assert_eq!((&removed["user"]["email"], errors_of(&removed).len()), (&Value::Null, 0));
    assert!(removed["user"]["withdrawnAt"].is_string());
    assert_eq!(app.query(Some(&other.token), "{ viewer { email } }", json!({})).await.code(), "UNAUTHENTICATED");
    let change = last_change(&app, &keeper).await;
    assert_eq!((&change["action"], &change["subjectId"]), (&json!("user.remove"), &json!(id)));
    assert!(!change.to_string().contains("jisu"), "nothing personal lives on: {change}");
    let twice = app.mutate(Some(&keeper), "adminUserRemove", selection, input).await;
    assert_eq!(user_error(&twice), "NOT_FOUND userId");
}

async fn a_removal_over_the_rules_refunds_everybody(app: TestApp) {
    let (artist, fan, keeper) = (app.artist("haneul").await, app.fan("mina").await, admin(&app).await);
    let (event, others) = (app.event(&artist, 1_000, 10).await, app.artist("bora").await);
    let elsewhere = app.event(&others, 2_000, 10).await;
    let booking = app.buy(&fan, &event, 2, "k").await;
    let own = app.buy(&artist, &elsewhere, 1, "k").await;
    app.book(&artist, &elsewhere, 1, "held").await;
    let input = json!({ "userId": user_id(&app, &artist).await, "reason": "사기", "override": true });
    let removed = app.mutate(Some(&keeper), "adminUserRemove", "user { withdrawnAt }", input).await;
    assert!(removed["user"]["withdrawnAt"].is_string(), "{removed}");
    let change = last_change(&app, &keeper).await;
    let open = &inside(&change, "before")["open"];
    assert_eq!((&open["events"], open["bookings"].as_array().unwrap().len()), (&json!([event.id]), 2));
    // The process may die here: what is left to do is in the jobs.
    app.work().await;
    let refunded = app.booking(&fan, &booking).await;
    assert_eq!((&refunded["status"], &refunded["payment"]["canceledAmount"]), (&json!("CANCELED"), &json!(2_000)));
    assert_eq!(app.remaining(&elsewhere).await, 10);
    let rows =
        list(&app, &keeper, &format!("bookings(filter: {{ eventId: \"{}\" }})", elsewhere.id), "id closedAt").await;
    assert!(rows.iter().any(|row| row["id"] == json!(own)) && rows.iter().all(|row| row["closedAt"].is_string()));
    let found = app.query(None, "{ events { nodes { id } } }", json!({})).await;
    assert_eq!(found.data()["events"]["nodes"], json!([{ "id": elsewhere.id }]));
}

async fn sight(app: &TestApp, token: Option<&str>, event: &Event) -> Value {
    let query = "query($id: ID!, $type: ID!) { event(id: $id) { id } node(id: $id) { id } type: node(id: $type) { id } \
                 events(filter: { startsFrom: \"2020-01-01T00:00:00Z\" }) { nodes { id } } }";
    app.query(token, query, json!({ "id": event.id, "type": event.types[0] })).await.data().clone()
}

const UNSEEN: &str = r#"{"event":null,"node":null,"type":null,"events":{"nodes":[]}}"#;

async fn a_removed_event_is_out_of_sight_and_refunded(app: TestApp) {
    let (artist, fan, keeper) = (app.artist("haneul").await, app.fan("mina").await, admin(&app).await);
    let event = app.event(&artist, 1_000, 10).await;
    let booking = app.buy(&fan, &event, 2, "k").await;
    let held = app.book(&fan, &event, 1, "held").await;
    assert_eq!(sight(&app, None, &event).await["event"]["id"], json!(event.id));
    let input = json!({ "eventId": event.id, "reason": "허위 공연" });
    let selection = "event { removedAt canceledAt }";
    let removed = app.mutate(Some(&keeper), "adminEventRemove", selection, input.clone()).await;
    assert!(removed["event"]["removedAt"].is_string() && removed["event"]["canceledAt"].is_string(), "{removed}");
    app.work().await;
    let unseen: Value = serde_json::from_str(UNSEEN).unwrap();
    for token in [None, Some(fan.token.as_str()), Some(artist.token.as_str())] {
        assert_eq!(sight(&app, token, &event).await, unseen);
    }
    let refunded = app.booking(&fan, &booking).await;
    assert_eq!((&refunded["status"], &refunded["payment"]["status"]), (&json!("CANCELED"), &json!("CANCELED")));
    assert_eq!(app.booking(&fan, held["booking"]["id"].as_str().unwrap()).await["status"], "EXPIRED");
    let seen = list(&app, &keeper, "events(filter: { isRemoved: true })", "id openBookingCount").await;
    assert_eq!(seen, [json!({ "id": event.id, "openBookingCount": 0 })]);
    let change = last_change(&app, &keeper).await;
    assert_eq!((&change["action"], &change["subjectId"]), (&json!("event.remove"), &json!(event.id)));
    assert_eq!(inside(&change, "before")["status"], "SCHEDULED");
    assert_eq!(inside(&change, "after")["isRefunded"], true);
    let twice = app.mutate(Some(&keeper), "adminEventRemove", selection, input).await;
    assert_eq!(user_error(&twice), "NOT_FOUND eventId");
    spotlight::event::index::reindex(&app.app).await.unwrap();
    assert_eq!(sight(&app, None, &event).await, unseen, "a rebuilt index does not show it either");
}

async fn an_event_that_has_ended_is_removed_without_refunds(app: TestApp) {
    let (artist, fan) = (app.artist("haneul").await, app.fan("mina").await);
    let event = app.event(&artist, 1_000, 10).await;
    let booking = app.buy(&fan, &event, 1, "k").await;
    app.pass(TimeDelta::days(12)).await;
    let (fan, keeper) = (app.sign_in_again(&fan).await, admin(&app).await);
    let input = json!({ "eventId": event.id, "reason": "asked" });
    let removed = app.mutate(Some(&keeper), "adminEventRemove", "event { removedAt canceledAt }", input).await;
    assert!(removed["event"]["removedAt"].is_string() && removed["event"]["canceledAt"].is_null(), "{removed}");
    app.work().await;
    assert_eq!(app.booking(&fan, &booking).await["status"], "CONFIRMED");
    let unseen: Value = serde_json::from_str(UNSEEN).unwrap();
    assert_eq!(sight(&app, None, &event).await, unseen);
}

async fn a_removed_review_counts_no_more(app: TestApp) {
    let (artist, fan, keeper) = (app.artist("haneul").await, app.fan("mina").await, admin(&app).await);
    let (event, other) = (app.event(&artist, 1_000, 10).await, app.fan("jisu").await);
    let bad = review_of(&app, &event, &fan, 1).await;
    review_of(&app, &event, &other, 4).await;
    let input = json!({ "reviewId": bad, "reason": "욕설" });
    let (first, second) = tokio::join!(
        app.mutate(Some(&keeper), "adminReviewRemove", "removedReviewId", input.clone()),
        app.mutate(Some(&keeper), "adminReviewRemove", "removedReviewId", input.clone()),
    );
    let done: Vec<&Value> = [&first, &second].into_iter().filter(|it| it["removedReviewId"] == json!(bad)).collect();
    assert_eq!(done.len(), 1, "{first} {second}");
    let query = "query($id: ID!) { event(id: $id) { ratingAverage reviewCount reviews { nodes { rating } } } }";
    let shown = app.query(None, query, json!({ "id": event.id })).await;
    let due = json!({ "ratingAverage": 4.0, "reviewCount": 1, "reviews": { "nodes": [{ "rating": 4 }] } });
    assert_eq!(shown.data()["event"], due);
    let change = last_change(&app, &keeper).await;
    assert_eq!((&change["action"], &inside(&change, "before")["rating"]), (&json!("review.remove"), &json!(1)));
}

async fn a_parked_job_is_tried_again(app: TestApp) {
    let keeper = admin(&app).await;
    // It fails until it is parked.
    let id = app.app.ids.next::<entity::ids::JobId>();
    job::Entity::insert(unknown_job(&app, id)).exec_without_returning(app.app.db.reads()).await.unwrap();
    let input = json!({ "jobId": id.to_string() });
    let early = app.mutate(Some(&keeper), "adminJobRetry", "job { state }", input.clone()).await;
    assert_eq!(user_error(&early), "NOT_ALLOWED jobId");
    for _ in 0..app.app.config.worker.max_attempts {
        app.pass(TimeDelta::hours(1)).await;
    }
    let keeper = admin_again(&app).await;
    let parked = list(&app, &keeper, "jobs(state: PARKED)", "id name payload lastError").await;
    let due = json!({ "id": id.to_string(), "name": "of_another_version", "payload": "{\"email\":\"…\"}",
                      "lastError": "no code knows a job of this name" });
    assert_eq!(parked, [due]);
    let again = app.mutate(Some(&keeper), "adminJobRetry", "job { state attempts }", input).await;
    assert_eq!(again["job"], json!({ "state": "QUEUED", "attempts": 0 }));
    let change = last_change(&app, &keeper).await;
    assert_eq!((&change["action"], &inside(&change, "after")["attempts"]), (&json!("job.retry"), &json!(0)));
    assert_eq!(jobs::run_due(&app.app).await.unwrap(), 1, "it is due at once");
    let row = job::Entity::find_by_id(id).one(app.app.db.reads()).await.unwrap().unwrap();
    assert_eq!((row.attempts, row.parked_at), (1, None), "with all its attempts before it");
    job::Entity::delete_by_id(id).exec(app.app.db.reads()).await.unwrap();
}

async fn a_payment_in_doubt_is_seen_and_asked_about(app: TestApp) {
    let (artist, fan, keeper) = (app.artist("haneul").await, app.fan("mina").await, admin(&app).await);
    let event = app.event(&artist, 1_000, 10).await;
    let payload = app.book(&fan, &event, 1, "k").await;
    let id = payload["payment"]["id"].as_str().unwrap().to_owned();
    let (input, selection) = (json!({ "paymentId": id }), "payment { payment { status } inDoubtSince }");
    let sure = app.mutate(Some(&keeper), "adminPaymentReconcile", selection, input.clone()).await;
    assert_eq!(user_error(&sure), "NOT_ALLOWED paymentId");
    // The money is taken, and the answer gets lost.
    let since = app.now();
    app.pay(&payload, "approve", "error_after").await;
    let row = payment::Entity::find().filter(payment::Column::Status.eq(PaymentStatus::Approving));
    assert!(row.one(app.app.db.reads()).await.unwrap().is_some(), "it is in doubt");
    let seen = "id isStuck inDoubtSince story { step }";
    let doubted = list(&app, &keeper, "payments(inDoubtOnly: true)", seen).await;
    assert_eq!((doubted.len(), &doubted[0]["id"], &doubted[0]["isStuck"]), (1, &json!(id), &json!(false)));
    assert_eq!(doubted[0]["inDoubtSince"].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap(), since);
    app.move_clock(TimeDelta::minutes(11));
    assert_eq!(list(&app, &keeper, "payments(inDoubtOnly: true)", "isStuck").await, [json!({ "isStuck": true })]);
    let asked = app.mutate(Some(&keeper), "adminPaymentReconcile", selection, input).await;
    assert_eq!(asked["payment"], json!({ "payment": { "status": "APPROVED" }, "inDoubtSince": null }), "{asked}");
    assert!(list(&app, &keeper, "payments(inDoubtOnly: true)", "id").await.is_empty());
    let change = last_change(&app, &keeper).await;
    assert_eq!(
        (&inside(&change, "before")["status"], &inside(&change, "after")["status"]),
        (&json!("APPROVING"), &json!("APPROVED"))
    );
}

async fn ids_of_nothing_are_not_found(app: TestApp) {
    let keeper = admin(&app).await;
    for (name, selection) in MUTATIONS {
        let mut input = input_of(name);
        let field = input.as_object().unwrap().keys().find(|key| key.ends_with("Id")).unwrap().clone();
        for id in [input[&field].clone(), json!("evil"), json!("cpn_01h455vb4pex5vsknk084sn02q")] {
            input[&field] = id;
            let payload = app.mutate(Some(&keeper), name, selection, input.clone()).await;
            assert_eq!(user_error(&payload), format!("NOT_FOUND {field}"), "{name}");
        }
    }
    assert!(list(&app, &keeper, "auditLog(filter: { action: \"user.remove\" })", "id").await.is_empty());
}
