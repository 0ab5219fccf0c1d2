//! What admins see and do, who else sees and does it (nobody), and what is kept of it.

use crate::harness::{Event, PASSWORD, Person, TestApp, errors_of, user_error};
use chrono::TimeDelta;
use entity::{enums::PaymentStatus, event, job, payment, review};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, Set};
use serde_json::{Value, json};
use spotlight::infra::jobs;

crate::scenarios![
    nobody_else_sees_or_does_what_an_admin_may,
    every_mutation_of_an_admin_is_in_the_log,
    the_audit_log_refuses_to_be_changed,
    members_are_found_by_the_beginning_of_what_is_known,
    lists_filter_and_page,
    whatever_an_admin_is_given_is_found,
    every_admin_list_runs_a_fixed_number_of_statements,
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

async fn admin(app: &TestApp) -> String {
    let email = "keeper@example.kr";
    spotlight::admin::create::create(&app.app, email, PASSWORD.to_owned()).await.unwrap();
    // What is changed from now on is newer in the log.
    app.move_clock(TimeDelta::milliseconds(1));
    let input = json!({ "email": email, "password": PASSWORD });
    let payload = app.mutate(None, "adminSignIn", "session { accessToken }", input).await;
    payload["session"]["accessToken"].as_str().unwrap().to_owned()
}

async fn list(app: &TestApp, admin: &str, field: &str, selection: &str) -> Vec<Value> {
    let query = format!("{{ admin {{ {field} {{ nodes {{ {selection} }} }} }} }}");
    let answer = app.query(Some(admin), &query, json!({})).await;
    let name = field.split('(').next().unwrap();
    answer.data()["admin"][name]["nodes"].as_array().unwrap().clone()
}

/// The newest entry of the log.
async fn last_change(app: &TestApp, admin: &str) -> Value {
    let selection = "adminEmail action subjectKind subjectId before after address at";
    list(app, admin, "auditLog(first: 1)", selection).await.remove(0)
}

fn inside(change: &Value, side: &str) -> Value {
    serde_json::from_str(change[side].as_str().unwrap()).unwrap()
}

async fn user_id(app: &TestApp, person: &Person) -> String {
    let user = spotlight::user::query::by_email(app.app.db.reads(), &person.email).await.unwrap().unwrap();
    user.id.to_string()
}

/// Those that name what they change by its id.
const MUTATIONS: [(&str, &str); 7] = [
    ("adminUserRoleChange", "user { id }"),
    ("adminUserRemove", "user { id }"),
    ("adminEventRemove", "event { id }"),
    ("adminReviewRemove", "removedReviewId"),
    ("adminJobRetry", "job { id }"),
    ("adminPaymentDecide", "payment { id }"),
    ("adminPaymentReconcile", "payment { id }"),
];

/// Right in form; there is nothing of these ids.
fn input_of(mutation: &str) -> Value {
    let id = |prefix: &str| format!("{prefix}_01h455vb4pex5vsknk084sn02q");
    match mutation {
        "adminUserRoleChange" => json!({ "userId": id("usr"), "role": "ARTIST", "reason": "asked" }),
        "adminUserRemove" => json!({ "userId": id("usr"), "reason": "asked", "override": true }),
        "adminEventRemove" => json!({ "eventId": id("evt"), "reason": "asked" }),
        "adminReviewRemove" => json!({ "reviewId": id("rev"), "reason": "asked" }),
        "adminJobRetry" => json!({ "jobId": id("job") }),
        "adminPaymentDecide" => json!({ "paymentId": id("pay"), "outcome": "NOT_TAKEN", "reason": "seen" }),
        _ => json!({ "paymentId": id("pay") }),
    }
}

/// Every field of `Admin` by the schema's own word, so that a new one cannot be left out.
async fn admin_fields(app: &TestApp) -> Vec<String> {
    let schema =
        "{ __type(name: \"Admin\") { fields { name type { kind name ofType { kind name ofType { kind name } } } } } }";
    let answer = app.query(None, schema, json!({})).await;
    let fields = answer.data()["__type"]["fields"].as_array().unwrap().clone();
    let is_own = |name: &str| ["id", "email", "isTotpEnabled", "recoveryCodeCount"].contains(&name);
    let field = |field: &Value| {
        let name = field["name"].as_str().unwrap();
        (!is_own(name)).then(|| format!("{name} {{ __typename }}"))
    };
    fields.iter().filter_map(field).collect()
}

/// Every mutation of an admin, by the schema's own word: its name begins with `admin`, or its deed is not a member's. With
/// an input that is right in form, and a document that asks for nothing that might be an error by itself.
async fn mutations_of_admins(app: &TestApp) -> Vec<(String, String)> {
    let query = "{ __schema { mutationType { fields { name args { type { ofType { name } } } } } types { name inputFields { \
                 name defaultValue type { kind name ofType { kind name ofType { kind name } } } } enumValues { name } } } }";
    let schema = app.query(None, query, json!({})).await.data()["__schema"].clone();
    let fields = schema["mutationType"]["fields"].as_array().unwrap();
    let is_admins = |name: &str| {
        let of_coupons = ["couponCreate", "couponUpdate", "couponDelete"];
        name != "adminSignIn" && (name.starts_with("admin") || of_coupons.contains(&name))
    };
    let document = |field: &Value| {
        let (name, input) = (field["name"].as_str().unwrap(), &field["args"][0]["type"]["ofType"]["name"]);
        let input = literal_of(&schema, input.as_str().unwrap());
        is_admins(name).then(|| (name.to_owned(), format!("mutation {{ {name}(input: {input}) {{ __typename }} }}")))
    };
    let found: Vec<_> = fields.iter().filter_map(document).collect();
    assert!(found.len() >= 13, "{found:?}");
    found
}

/// Some value of an input type, without what may be left out.
fn literal_of(schema: &Value, name: &str) -> String {
    let this = schema["types"].as_array().unwrap().iter().find(|it| it["name"] == name).unwrap();
    if let Some(value) = this["enumValues"].get(0) {
        return value["name"].as_str().unwrap().to_owned();
    }
    if let Some(fields) = this["inputFields"].as_array() {
        let is_due = |field: &&Value| field["type"]["kind"] == "NON_NULL" && field["defaultValue"].is_null();
        let one = |field: &Value| {
            let of = &field["type"]["ofType"];
            let value = match of["kind"].as_str() {
                Some("LIST") => "[]".to_owned(),
                _ => literal_of(schema, of["name"].as_str().unwrap()),
            };
            format!("{}: {value}", field["name"].as_str().unwrap())
        };
        return format!("{{ {} }}", fields.iter().filter(is_due).map(one).collect::<Vec<_>>().join(", "));
    }
    match name {
        "Boolean" => "true".to_owned(),
        "Int" | "Float" | "Won" => "1".to_owned(),
        "DateTime" => "\"2026-06-01T03:00:00Z\"".to_owned(),
        "Date" => "\"2026-06-01\"".to_owned(),
        _ => "\"x\"".to_owned(),
    }
}

async fn nobody_else_sees_or_does_what_an_admin_may(app: TestApp) {
    let (fan, artist, keeper) = (app.fan("mina").await, app.artist("haneul").await, admin(&app).await);
    let fields = admin_fields(&app).await;
    assert!(fields.len() >= 10, "{fields:?}");
    let askers = [(None, "UNAUTHENTICATED"), (Some(&fan.token), "FORBIDDEN"), (Some(&artist.token), "FORBIDDEN")];
    for (token, code) in askers {
        let token = token.map(String::as_str);
        for field in &fields {
            let answer = app.query(token, &format!("{{ admin {{ {field} }} }}"), json!({})).await;
            assert_eq!(answer.data()["admin"], Value::Null, "{field}");
        }
        for (name, document) in mutations_of_admins(&app).await {
            assert_eq!(app.query(token, &document, json!({})).await.code(), code, "{name}");
        }
    }
    for field in &fields {
        let answer = app.query(Some(&keeper), &format!("{{ admin {{ {field} }} }}"), json!({})).await;
        assert!(answer.data()["admin"].is_object(), "{field}");
    }
    // A sign-in shows the admin to who is none yet: only what is theirs alone.
    let document = "mutation($input: AdminSignInInput!) { adminSignIn(input: $input) { admin { email users { nodes { email } } } } }";
    let input = json!({ "input": { "email": "keeper@example.kr", "password": PASSWORD } });
    assert_eq!(app.query(None, document, input).await.code(), "UNAUTHENTICATED");
    // What only admins see has no door besides.
    let subject = user_id(&app, &fan).await;
    for token in [None, Some(fan.token.as_str()), Some(keeper.as_str())] {
        let answer = app.query(token, "query($id: ID!) { node(id: $id) { id } }", json!({ "id": subject })).await;
        assert_eq!(answer.data()["node"], Value::Null);
    }
}

/// How many rows of the log say this.
async fn said(app: &TestApp, action: &str) -> usize {
    use entity::audit_log::{Column, Entity};
    Entity::find().filter(Column::Action.eq(action)).all(app.app.db.reads()).await.unwrap().len()
}

/// Does it, and wants one row of it.
async fn logged(app: &TestApp, token: &str, (name, selection, action): (&str, &str, &str), input: Value) -> Value {
    app.move_clock(TimeDelta::milliseconds(1));
    let before = said(app, action).await;
    let payload = app.mutate(Some(token), name, selection, input).await;
    assert_eq!((errors_of(&payload), said(app, action).await), (vec![], before + 1), "{name}");
    payload
}

async fn every_mutation_of_an_admin_is_in_the_log(app: TestApp) {
    let (artist, fan, keeper) = (app.artist("haneul").await, app.fan("mina").await, admin(&app).await);
    let (event, other) = (app.event(&artist, 1_000, 10).await, app.fan("jisu").await);
    let doubtful = app.book(&fan, &event, 1, "k").await;
    app.pay(&doubtful, "approve", "error_after").await;
    let stuck = app.book(&fan, &event, 1, "stuck").await;
    app.pay(&stuck, "approve", "error_after").await;
    app.move_clock(TimeDelta::minutes(11));
    let (reviewed, parked) = (review_of(&app, &event, &fan, 1).await, parked_job(&app).await);
    let other_id = user_id(&app, &other).await;
    let coupon = json!({
        "name": "봄맞이", "kind": "STANDARD", "discountKind": "FIXED", "discountValue": 1_000, "quantity": 10,
        "validFrom": app.now(), "validUntil": app.now() + TimeDelta::days(3),
    });
    let mut done = Vec::new();
    let mut deed = |name: &'static str, selection: &'static str, action: &'static str| {
        done.push(name.to_owned());
        (name, selection, action)
    };
    let made = logged(&app, &keeper, deed("couponCreate", "coupon { id }", "coupon.create"), coupon).await;
    let change = json!({ "couponId": made["coupon"]["id"], "quantity": 20 });
    logged(&app, &keeper, deed("couponUpdate", "coupon { id }", "coupon.update"), change).await;
    let gone = json!({ "couponId": made["coupon"]["id"] });
    logged(&app, &keeper, deed("couponDelete", "__typename", "coupon.delete"), gone).await;
    for (deed, input) in [
        (
            deed("adminUserRoleChange", "user { id }", "user.role-change"),
            json!({ "userId": other_id, "role": "ARTIST", "reason": "asked" }),
        ),
        (deed("adminUserRemove", "user { id }", "user.remove"), json!({ "userId": other_id, "reason": "asked" })),
        (
            deed("adminReviewRemove", "removedReviewId", "review.remove"),
            json!({ "reviewId": reviewed, "reason": "asked" }),
        ),
        (deed("adminJobRetry", "job { id }", "job.retry"), json!({ "jobId": parked })),
        (
            deed("adminPaymentReconcile", "payment { id }", "payment.reconcile"),
            json!({ "paymentId": doubtful["payment"]["id"] }),
        ),
        (
            deed("adminPaymentDecide", "payment { id }", "payment.decide"),
            json!({ "paymentId": stuck["payment"]["id"], "outcome": "TAKEN", "takenAmount": 1_000, "reason": "seen" }),
        ),
        (deed("adminEventRemove", "event { id }", "event.remove"), json!({ "eventId": event.id, "reason": "asked" })),
    ] {
        logged(&app, &keeper, deed, input).await;
    }
    let enroll = deed("adminTotpEnroll", "secret", "admin.totp-enroll");
    let enrolled = logged(&app, &keeper, enroll, json!({ "password": PASSWORD })).await;
    let secret = totp_rs::Secret::try_from_base32(enrolled["secret"].as_str().unwrap()).unwrap();
    let generator = totp_rs::Builder::new().with_secret(secret).build().unwrap();
    let code = json!({ "code": generator.generate(u64::try_from(app.now().timestamp()).unwrap()).to_string() });
    let confirm = deed("adminTotpConfirm", "recoveryCodes session { accessToken }", "admin.totp-confirm");
    let confirmed = logged(&app, &keeper, confirm, code).await;
    let keeper = confirmed["session"]["accessToken"].as_str().unwrap();
    let proof = json!({ "password": PASSWORD, "code": confirmed["recoveryCodes"][0] });
    logged(&app, keeper, deed("adminTotpDisable", "admin { email }", "admin.totp-disable"), proof).await;
    let change = json!({ "currentPassword": PASSWORD, "newPassword": "Another-1234" });
    let new = deed("adminPasswordChange", "session { accessToken }", "admin.password-change");
    logged(&app, keeper, new, change).await;
    // One that is new is to be here too.
    done.sort_unstable();
    let mut due: Vec<String> = mutations_of_admins(&app).await.into_iter().map(|(name, _)| name).collect();
    due.sort_unstable();
    assert_eq!(done, due);
    job::Entity::delete_many()
        .filter(job::Column::Name.eq("of_another_version"))
        .exec(app.app.db.reads())
        .await
        .unwrap();
    app.work().await;
    assert_eq!(app.booking(&fan, doubtful["booking"]["id"].as_str().unwrap()).await["status"], "CANCELED");
}

/// One that waits for a person.
async fn parked_job(app: &TestApp) -> String {
    let id = app.app.ids.next::<entity::ids::JobId>();
    let row = job::ActiveModel { parked_at: Set(Some(app.now())), ..unknown_job(app, id) };
    job::Entity::insert(row).exec_without_returning(app.app.db.reads()).await.unwrap();
    id.to_string()
}

/// No code knows it.
fn unknown_job(app: &TestApp, id: entity::ids::JobId) -> job::ActiveModel {
    job::ActiveModel {
        id: Set(id),
        name: Set("of_another_version".into()),
        lane: Set(0),
        payload: Set("{\"email\":\"mina@example.kr\"}".into()),
        run_at: Set(app.now()),
        attempts: Set(0),
        faults: Set(0),
        created_at: Set(app.now()),
        ..<job::ActiveModel as Default>::default()
    }
}

async fn the_audit_log_refuses_to_be_changed(app: TestApp) {
    let (fan, keeper) = (app.fan("mina").await, admin(&app).await);
    let input = json!({ "userId": user_id(&app, &fan).await, "role": "ARTIST", "reason": "asked" });
    app.mutate(Some(&keeper), "adminUserRoleChange", "user { role }", input).await;
    let before = last_change(&app, &keeper).await;
    for sql in ["UPDATE audit_log SET action = 'nothing'", "DELETE FROM audit_log"] {
        let refused = app.app.db.reads().execute_unprepared(sql).await;
        assert!(refused.is_err(), "{sql}");
    }
    assert_eq!(last_change(&app, &keeper).await, before);
}

async fn members_are_found_by_the_beginning_of_what_is_known(app: TestApp) {
    let keeper = admin(&app).await;
    for (name, role) in [("mina", "USER"), ("minho", "USER"), ("haneul", "ARTIST"), ("mi%na", "USER")] {
        app.sign_up(name, role).await;
    }
    for (arguments, found) in [
        ("", vec!["mi%na", "haneul", "minho", "mina"]),
        ("(query: \"MIN\")", vec!["minho", "mina"]),
        ("(query: \"mi%\")", vec!["mi%na"]),
        ("(query: \"in\")", vec![]),
        ("(query: \"관\", first: 1)", vec!["mi%na"]),
        ("(query: \"010-12\", filter: { role: ARTIST })", vec!["haneul"]),
        ("(filter: { isWithdrawn: true })", vec![]),
    ] {
        let rows = list(&app, &keeper, &format!("users{arguments}"), "email").await;
        let emails: Vec<String> = found.iter().map(|name| format!("{name}@example.kr")).collect();
        let mut got: Vec<&str> = rows.iter().map(|row| row["email"].as_str().unwrap()).collect();
        let mut due: Vec<&str> = emails.iter().map(String::as_str).collect();
        if !arguments.contains("first") {
            got.sort_unstable();
            due.sort_unstable();
            assert_eq!(got, due, "{arguments}");
        }
        assert_eq!(got.len(), due.len(), "{arguments}");
    }
}

async fn review_of(app: &TestApp, event: &Event, person: &Person, rating: i32) -> String {
    let id = app.app.ids.next::<entity::ids::ReviewId>();
    let user = spotlight::user::query::by_email(app.app.db.reads(), &person.email).await.unwrap().unwrap();
    let event_id = event.id.parse().unwrap();
    let row = review::Model {
        id,
        event_id,
        user_id: user.id,
        rating,
        content: "작은 무대라서 더 좋았어요".to_owned(),
        like_count: 0,
        created_at: app.now(),
        edited_at: None,
    };
    let db = app.app.db.begin().await.unwrap();
    review::Entity::insert(row.into_active_model().reset_all()).exec_without_returning(&db).await.unwrap();
    let row = event::Entity::find_by_id(event_id).one(&db).await.unwrap().unwrap();
    let (sum, count) = (row.rating_sum + i64::from(rating), row.review_count + 1);
    let mut row = row.into_active_model();
    (row.rating_sum, row.review_count) = (Set(sum), Set(count));
    row.update(&db).await.unwrap();
    db.commit().await.unwrap();
    id.to_string()
}

async fn lists_filter_and_page(app: TestApp) {
    let (artist, fan, keeper) = (app.artist("haneul").await, app.fan("mina").await, admin(&app).await);
    let first = app.event(&artist, 1_000, 10).await;
    app.move_clock(TimeDelta::seconds(11));
    let second = app.event_of(&artist, json!({ "title": "가을 전시" })).await;
    let booking = app.buy(&fan, &first, 2, "k").await;
    app.move_clock(TimeDelta::seconds(1));
    app.book(&fan, &second, 1, "held").await;
    let reviewed = review_of(&app, &first, &fan, 4).await;
    let (fan_id, artist_id) = (user_id(&app, &fan).await, user_id(&app, &artist).await);
    let ids = |rows: Vec<Value>| rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    for (field, due) in [
        (format!("events(filter: {{ artistId: \"{artist_id}\" }})"), vec![second.id.clone(), first.id.clone()]),
        ("events(query: \"가을\")".to_owned(), vec![second.id.clone()]),
        ("events(filter: { status: ENDED })".to_owned(), vec![]),
        ("events(first: 1)".to_owned(), vec![second.id.clone()]),
        (format!("bookings(filter: {{ eventId: \"{}\", status: CONFIRMED }})", first.id), vec![booking.clone()]),
        ("bookings(filter: { status: CANCELED })".to_owned(), vec![]),
        (format!("bookings(last: 1, filter: {{ userId: \"{fan_id}\" }})"), vec![booking]),
        (format!("reviews(filter: {{ authorId: \"{fan_id}\", rating: 4 }})"), vec![reviewed]),
        (format!("reviews(filter: {{ eventId: \"{}\" }})", second.id), vec![]),
    ] {
        assert_eq!(ids(list(&app, &keeper, &field, "id").await), due, "{field}");
    }
    let paid = list(&app, &keeper, "payments(filter: { status: APPROVED })", "user { email } payment { amount }").await;
    assert_eq!(paid, [json!({ "user": { "email": fan.email }, "payment": { "amount": 2_000 } })]);
    let counts = "bookingCount eventCount pointBalance";
    let member = list(&app, &keeper, "users(query: \"mina\")", counts).await;
    assert_eq!(member, [json!({ "bookingCount": 2, "eventCount": 0, "pointBalance": 0 })]);
    let queued = list(&app, &keeper, "jobs(state: QUEUED, name: \"expire_booking\")", "state attempts payload").await;
    assert!(!queued.is_empty() && queued.iter().all(|row| row["state"] == "QUEUED"), "{queued:?}");
    app.pass(TimeDelta::minutes(16)).await;
}

async fn whatever_an_admin_is_given_is_found(app: TestApp) {
    let (artist, fan, keeper) = (app.artist("haneul").await, app.fan("mina").await, admin(&app).await);
    let event = app.event(&artist, 1_000, 10).await;
    let other = app.fan("jun").await;
    let booking = app.buy(&fan, &event, 1, "k").await;
    app.buy(&other, &event, 1, "k").await;
    let (reviewed, _) = (review_of(&app, &event, &fan, 4).await, review_of(&app, &event, &other, 2).await);
    let id: entity::ids::BookingId = booking.parse().unwrap();
    let rows = payment::Entity::find().filter(payment::Column::BookingId.eq(id)).all(app.app.db.reads()).await.unwrap();
    let (paid, tid) = (rows[0].id.to_string(), rows[0].tid.clone().unwrap());
    let input = json!({ "userId": user_id(&app, &other).await, "role": "ARTIST", "reason": "asked" });
    app.mutate(Some(&keeper), "adminUserRoleChange", "user { id }", input).await;
    let changed = list(&app, &keeper, "auditLog(first: 1)", "id").await[0]["id"].as_str().unwrap().to_owned();
    let queued = list(&app, &keeper, "jobs(first: 1)", "id").await[0]["id"].as_str().unwrap().to_owned();
    let fan_id = user_id(&app, &fan).await;
    let ids = |id: &str| format!("ids: [\"{id}\"]");
    let by_id = |list: &str, id: &str| format!("{list}(filter: {{ {} }})", ids(id));
    for (field, found) in [
        (by_id("users", &fan_id), &fan_id),
        (by_id("events", &event.id), &event.id),
        (by_id("reviews", &reviewed), &reviewed),
        (by_id("bookings", &booking), &booking),
        (by_id("payments", &paid), &paid),
        (by_id("auditLog", &changed), &changed),
        (format!("jobs({})", ids(&queued)), &queued),
        (format!("payments(filter: {{ bookingId: \"{booking}\" }})"), &paid),
        (format!("payments(filter: {{ tid: \"{tid}\" }})"), &paid),
        ("bookings(query: \"min\")".to_owned(), &booking),
        ("payments(query: \"MINA@\")".to_owned(), &paid),
        ("reviews(query: \"mina\")".to_owned(), &reviewed),
    ] {
        let rows = list(&app, &keeper, &field, "id").await;
        assert_eq!(rows, [json!({ "id": found })], "{field}");
    }
    for (field, error) in [
        ("payments(filter: { tid: \"T00\" })".to_owned(), None),
        ("bookings(query: \"nobody\")".to_owned(), None),
        ("users(filter: { ids: [] })".to_owned(), None),
        ("settlements(filter: { ids: [] })".to_owned(), None),
        (by_id("bookings", &paid), Some("Not found")),
        (format!("users(filter: {{ ids: [{}] }})", format!("\"{fan_id}\",").repeat(101)), Some("At most 100 ids")),
    ] {
        let query = format!("{{ admin {{ {field} {{ nodes {{ id }} }} }} }}");
        let answer = app.query(Some(&keeper), &query, json!({})).await;
        match error {
            Some(why) => assert!(answer.body["errors"][0]["message"].as_str().unwrap().contains(why), "{field}"),
            None => assert_eq!(answer.data()["admin"][field.split('(').next().unwrap()]["nodes"], json!([]), "{field}"),
        }
    }
    app.pass(TimeDelta::minutes(16)).await;
}

const LISTS: [(&str, &str); 7] = [
    ("users", "{ admin { users { nodes { email bookingCount eventCount pointBalance user { avatar { id } } } } } }"),
    (
        "events",
        "{ admin { events { nodes { openBookingCount artist { email eventCount } event { title ticketTypes { name } } } } } }",
    ),
    (
        "reviews",
        "{ admin { reviews { nodes { review { content } author { email } event { id openBookingCount } } } } }",
    ),
    (
        "bookings",
        "{ admin { bookings { nodes { user { email } booking { status lines { quantity } event { title } payment { status } } } } } }",
    ),
    ("payments", "{ admin { payments { nodes { user { email } story { step } payment { status } } } } }"),
    ("jobs", "{ admin { jobs { nodes { name state payload } } } }"),
    ("auditLog", "{ admin { auditLog { nodes { adminEmail action } } } }"),
];

async fn count(app: &TestApp, token: &str, query: &str) -> u64 {
    let before = app.app.db.statements();
    app.query(Some(token), query, json!({})).await.data();
    app.app.db.statements() - before
}

async fn sell(app: &TestApp, keeper: &str, artist: &Person, fan: &Person, names: std::ops::Range<usize>) {
    for index in names {
        let event = app.event(artist, 1_000, 10).await;
        app.move_clock(TimeDelta::seconds(11));
        app.buy(fan, &event, 1, &format!("{index}")).await;
        review_of(app, &event, fan, 5).await;
        let other = app.fan(&format!("fan{index}")).await;
        let input = json!({ "userId": user_id(app, &other).await, "role": "ARTIST", "reason": "asked" });
        app.mutate(Some(keeper), "adminUserRoleChange", "user { id }", input).await;
    }
    app.work().await;
}

async fn every_admin_list_runs_a_fixed_number_of_statements(app: TestApp) {
    let (artist, fan, keeper) = (app.artist("haneul").await, app.fan("mina").await, admin(&app).await);
    sell(&app, &keeper, &artist, &fan, 0..2).await;
    let mut few = Vec::new();
    for (_, query) in LISTS {
        few.push(count(&app, &keeper, query).await);
    }
    sell(&app, &keeper, &artist, &fan, 2..8).await;
    for ((name, query), few) in LISTS.into_iter().zip(few) {
        assert_eq!(count(&app, &keeper, query).await, few, "{name}");
    }
}

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
