//! Who sees and does what an admin may (nobody else), and what is kept of it. Read `lists` and `deeds` next.

pub mod deeds;
pub mod lists;

use crate::harness::{Event, PASSWORD, Person, TestApp, errors_of};
use chrono::TimeDelta;
use entity::{event, job, review};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, Set};
use serde_json::{Value, json};

crate::scenarios![
    nobody_else_sees_or_does_what_an_admin_may,
    every_mutation_of_an_admin_is_in_the_log,
    the_audit_log_refuses_to_be_changed,
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
