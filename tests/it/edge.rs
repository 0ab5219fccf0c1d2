//! What the edge lets through, and what it says to the rest.

use crate::harness::{Answer, TestApp, booking_input};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use spotlight::{config::Environment, demo};

crate::scenarios![
    an_operation_says_what_it_costs,
    who_has_spent_all_points_is_told_when_to_come_back,
    the_schema_is_open_to_admins_only_in_production,
    an_admin_is_no_member_and_a_member_no_admin,
    a_document_is_sent_once_and_named_by_its_hash_from_then_on,
    a_known_document_is_answered_like_a_new_one,
    documents_that_would_hold_the_server_are_refused,
    pages_of_other_origins_stay_out,
    answers_carry_the_headers_that_browsers_heed,
];

async fn an_operation_says_what_it_costs(app: TestApp) {
    let artist = app.artist("haneul").await;
    app.event(&artist, 1_000, 10).await;
    let answer = app.query(None, "{ events(first: 10) { nodes { title artist { nickname } } } }", json!({})).await;
    let cost = &answer.body["extensions"]["cost"];
    // One event of ten: the page, the event, its artist.
    assert_eq!((&cost["requested"], &cost["actual"]), (&json!(22), &json!(3)));
    assert!(cost["remaining"].as_u64().unwrap() > 0);
    let dear = "{ events(first: 100) { nodes { reviews(first: 100) { nodes { content } } } } }";
    let refused = app.query(None, dear, json!({})).await;
    assert_eq!(refused.code(), "QUERY_TOO_COMPLEX");
    let extensions = &refused.body["errors"][0]["extensions"];
    assert_eq!((&extensions["limit"], &extensions["value"]), (&json!(1_000), &json!(10_302)));
}

async fn who_has_spent_all_points_is_told_when_to_come_back(app: TestApp) {
    let fan = app.fan("mina").await;
    app.move_clock(chrono::TimeDelta::hours(1));
    let fan = app.sign_in_again(&fan).await;
    // A full hour later the bucket is full. Visitors share ten times as much.
    let node = app.node("small", |config| {
        config.edge.budget.capacity = 10;
        config.edge.budget.per_second = 1;
        config.edge.budget.lease = 7;
    });
    let node = node.await;
    let limit = "{ rateLimit { cost capacity remaining refillPerSecond } }";
    let first = app.query_at(&node.url, None, limit, json!({})).await;
    let expected = json!({ "cost": 1, "capacity": 100, "remaining": 99, "refillPerSecond": 10 });
    assert_eq!(first.data()["rateLimit"], expected);
    for _ in 0..99 {
        app.query_at(&node.url, None, "{ __typename }", json!({})).await.data();
    }
    let refused = app.query_at(&node.url, None, "{ __typename }", json!({})).await;
    assert_eq!((refused.status, refused.code()), (429, "RATE_LIMITED"));
    assert_eq!(refused.body["errors"][0]["extensions"]["retryAfter"], 1);
    let too_dear = app.query_at(&node.url, None, "{ events(first: 48) { nodes { title } } }", json!({})).await;
    assert_eq!(too_dear.body["errors"][0]["extensions"]["retryAfter"], 5);
    // An account has its own.
    app.query_at(&node.url, Some(&fan.token), "{ __typename }", json!({})).await.data();
    app.move_clock(chrono::TimeDelta::seconds(5));
    // 50 asked, and all but one of them come back: there are no events.
    app.query_at(&node.url, None, "{ events(first: 48) { nodes { title } } }", json!({})).await.data();
    app.query_at(&node.url, None, "{ events(first: 47) { nodes { title } } }", json!({})).await.data();
    node.stop().await;
}

async fn admin(app: &TestApp, url: &str) -> String {
    let email = format!("keeper@{}", "spotlight.test");
    spotlight::admin::create::create(&app.app, &email, demo::PASSWORD.to_owned()).await.unwrap();
    let document = "mutation($input: AdminSignInInput!) { adminSignIn(input: $input) { session { accessToken } \
                    admin { email } userErrors { code } } }";
    let wrong = json!({ "input": { "email": email, "password": "Wrong-1234" } });
    let refused = app.query_at(url, None, document, wrong).await;
    assert_eq!(refused.data()["adminSignIn"]["userErrors"][0]["code"], "WRONG_CREDENTIALS");
    let right = json!({ "input": { "email": email, "password": demo::PASSWORD } });
    let answer = app.query_at(url, None, document, right).await;
    assert_eq!(answer.data()["adminSignIn"]["admin"]["email"], email);
    answer.data()["adminSignIn"]["session"]["accessToken"].as_str().unwrap().to_owned()
}

async fn the_schema_is_open_to_admins_only_in_production(app: TestApp) {
    let node = app.node("production", |config| config.environment = Environment::Production).await;
    let schema = "{ __schema { queryType { name } } }";
    let fan = app.fan("mina").await;
    for token in [None, Some(fan.token.as_str())] {
        assert_eq!(app.query_at(&node.url, token, schema, json!({})).await.code(), "FORBIDDEN");
    }
    // Hidden in a fragment it is the same.
    let hidden = "{ ...F } fragment F on Query { ... on Query { __type(name: \"Event\") { name } } }";
    assert_eq!(app.query_at(&node.url, None, hidden, json!({})).await.code(), "FORBIDDEN");
    let misspelt = app.query_at(&node.url, None, "{ evnts { nodes { id } } }", json!({})).await;
    let message = misspelt.body["errors"][0]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("evnts") && !message.contains("events"), "{message}");
    let token = admin(&app, &node.url).await;
    let open = app.query_at(&node.url, Some(&token), schema, json!({})).await;
    assert_eq!(open.data()["__schema"]["queryType"]["name"], "Query");
    assert_eq!(app.http.get(format!("{}/playground", node.url)).send().await.unwrap().status(), 200);
    assert_eq!(app.http.get(format!("{}/mail", node.url)).send().await.unwrap().status(), 404);
    node.stop().await;
    assert_eq!(app.query(None, schema, json!({})).await.data()["__schema"]["queryType"]["name"], "Query");
}

async fn an_admin_is_no_member_and_a_member_no_admin(app: TestApp) {
    let token = admin(&app, &app.url).await;
    let fan = app.fan("mina").await;
    let both = "{ viewer { email } admin { email invariants { rule isKept brokenCount } } }";
    let seen = app.query(Some(&token), both, json!({})).await;
    assert_eq!(
        (&seen.data()["viewer"], &seen.data()["admin"]["email"]),
        (&Value::Null, &json!("keeper@spotlight.test"))
    );
    let rules = seen.data()["admin"]["invariants"].as_array().unwrap().clone();
    assert!(rules.len() >= 6 && rules.iter().all(|rule| rule["isKept"] == true), "{rules:?}");
    assert_eq!(app.query(Some(&fan.token), both, json!({})).await.data()["admin"], Value::Null);
    assert_eq!(app.query(None, both, json!({})).await.data(), &json!({ "viewer": null, "admin": null }));
    let artist = app.artist("haneul").await;
    let event = app.event(&artist, 0, 10).await;
    let input = json!({ "input": booking_input(&event, 1, "k") });
    let start = "mutation($input: BookingStartInput!) { bookingStart(input: $input) { booking { id } } }";
    assert_eq!(app.query(Some(&token), start, input).await.code(), "FORBIDDEN");
    let out = "mutation { signOut(input: {}) { isSignedOut } }";
    assert_eq!(app.query(Some(&token), out, json!({})).await.data()["signOut"]["isSignedOut"], true);
    assert_eq!(app.query(Some(&token), both, json!({})).await.status, 401);
}

async fn a_document_is_sent_once_and_named_by_its_hash_from_then_on(app: TestApp) {
    let document = "{ __typename }";
    let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(document));
    let send = |query: Option<&'static str>, hash: String| {
        let mut body = json!({ "extensions": { "persistedQuery": { "version": 1, "sha256Hash": hash } } });
        if let Some(query) = query {
            body["query"] = json!(query);
        }
        let request = app.http.post(format!("{}/graphql", app.url)).json(&body);
        async move { request.send().await.unwrap().json::<Value>().await.unwrap() }
    };
    let unknown = send(None, hash.clone()).await;
    assert_eq!(unknown["errors"][0]["message"], "PersistedQueryNotFound");
    assert_eq!(unknown["errors"][0]["extensions"]["code"], "PERSISTED_QUERY_NOT_FOUND");
    let other = "{ a: __typename }";
    assert_eq!(send(Some(other), hash.clone()).await["errors"][0]["extensions"]["code"], "BAD_REQUEST");
    assert_eq!(send(None, hash.clone()).await["errors"][0]["message"], "PersistedQueryNotFound");
    assert_eq!(send(Some(document), hash.clone()).await["data"]["__typename"], "Query");
    assert_eq!(send(None, hash.clone()).await["data"]["__typename"], "Query");
    let mut url: url::Url = format!("{}/graphql", app.url).parse().unwrap();
    let extensions = json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } }).to_string();
    url.query_pairs_mut().append_pair("extensions", &extensions);
    let answer: Value = app.http.get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["data"]["__typename"], "Query");
}

async fn a_known_document_is_answered_like_a_new_one(app: TestApp) {
    let artist = app.artist("haneul").await;
    let event = app.event(&artist, 0, 10).await;
    let one =
        "query($id: ID!, $more: Boolean = false) { event(id: $id) { title artist @include(if: $more) { nickname } } }";
    let list = "query($first: Int, $after: String, $filter: EventFilter) { events(first: $first, after: $after, filter: $filter) { nodes { title } } }";
    let two = "query A($id: ID!) { event(id: $id) { title } } query B { __typename }";
    let id = event.id.clone();
    let variables = [
        json!({ "id": id }),
        json!({ "id": id, "more": true, "unknown": 1 }),
        json!({ "id": id, "more": null }),
        json!({ "id": id, "more": "yes", "first": "one", "after": 5 }),
        json!({ "id": 5, "first": 5_000_000_000_i64 }),
        json!({ "id": 5.5, "first": 5.5 }),
        json!({ "id": null, "first": null, "after": null, "filter": null }),
        json!({ "id": [id], "first": [1], "filter": [] }),
        json!({ "id": { "a": 1 }, "filter": { "nothing": 1 } }),
        json!({ "id": id, "first": 1, "filter": { "isBookable": true } }),
        json!({ "id": id, "first": -1, "after": "nonsense", "filter": { "categories": ["NONE"] } }),
        json!({}),
    ];
    let right = json!({ "id": id, "first": 1 });
    for document in [one, list, two] {
        known_and_new(&app, document, &right, &variables).await;
    }
    let book = "mutation($input: BookingStartInput!) { bookingStart(input: $input) { userErrors { code path } } }";
    let right = json!({ "input": booking_input(&event, 1, "k") });
    let changed = |changes: Value| {
        let mut input = right.clone();
        for (name, value) in changes.as_object().unwrap() {
            input["input"][name] = value.clone();
        }
        input
    };
    let line = &right["input"]["lines"][0];
    let inputs = [
        json!({}),
        json!({ "input": null }),
        json!({ "input": [right["input"]] }),
        changed(json!({ "more": 1 })),
        changed(json!({ "eventId": null })),
        changed(json!({ "eventId": 5 })),
        changed(json!({ "lines": line })),
        changed(json!({ "lines": [line, null] })),
        changed(json!({ "lines": [{ "quantity": 1 }] })),
        changed(json!({ "lines": [{ "ticketTypeId": event.types[0], "quantity": "1" }] })),
        changed(json!({ "lines": [{ "ticketTypeId": event.types[0], "quantity": 5_000_000_000_i64 }] })),
        changed(json!({ "points": 1.5 })),
        changed(json!({ "points": null })),
        changed(json!({ "points": 1_i64 << 60 })),
        changed(json!({ "points": 100, "returnUrl": "http://localhost:3000/", "expectedTotal": 0 })),
        changed(json!({ "returnUrl": "nowhere" })),
        changed(json!({ "idempotencyKey": 5 })),
    ];
    known_and_new(&app, book, &right, &inputs).await;
}

async fn known_and_new(app: &TestApp, document: &str, right: &Value, variables: &[Value]) {
    // Passes, and is known from now on.
    app.query(None, document, right.clone()).await;
    for (number, variables) in variables.iter().enumerate() {
        let new = format!("{document} # {number}");
        let (new, known) =
            (app.query(None, &new, variables.clone()).await, app.query(None, document, variables.clone()).await);
        assert_eq!(said(known), said(new), "{document} {variables}");
    }
}

/// An answer without what is different each time.
fn said(answer: Answer) -> (u16, Value) {
    let mut body = answer.body;
    body["extensions"]["cost"]["remaining"].take();
    for error in body["errors"].as_array_mut().into_iter().flatten() {
        error["extensions"]["requestId"].take();
    }
    (answer.status, body)
}

fn doubling(levels: usize) -> String {
    let chain = (0..levels).map(|n| format!("fragment f{n} on Query{{...f{m} ...f{m}}}", m = n + 1));
    format!("{{...f0}}{}fragment f{levels} on Query{{__typename}}", chain.collect::<String>())
}

async fn documents_that_would_hold_the_server_are_refused(app: TestApp) {
    let aliases: String = (0..1_000).map(|n| format!("a{n}: __typename ")).collect();
    let nested = format!("{}title{}", "{ events { nodes ".repeat(20), " } }".repeat(20));
    let list = format!("{{ nodes(ids: {}1{}) {{ id }} }}", "[".repeat(500), "]".repeat(500));
    for (name, document, code) in [
        ("28 levels of doubling fragments", doubling(28), "QUERY_TOO_COMPLEX"),
        ("40 levels of doubling fragments", doubling(40), "QUERY_TOO_COMPLEX"),
        ("60 KB of one field", format!("{{ {} }}", "__typename ".repeat(5_500)), "QUERY_TOO_COMPLEX"),
        ("1,000 aliases", format!("{{ {aliases} }}"), "QUERY_TOO_COMPLEX"),
        ("deep selections", nested, "QUERY_TOO_COMPLEX"),
        ("deep lists", list, "QUERY_TOO_COMPLEX"),
        ("10,000 directives", format!("{{ __typename {} }}", "@a ".repeat(10_000)), "QUERY_TOO_COMPLEX"),
        ("1,000 directives", format!("{{ __typename {} }}", "@a ".repeat(900)), "QUERY_TOO_COMPLEX"),
        ("a literal of 15 KB", format!("{{ event(id: \"{}\") {{ id }} }}", "a".repeat(15_000)), ""),
        (
            "a list of 1,900 numbers",
            format!("{{ nodes(ids: [{}]) {{ id }} }}", "1 ".repeat(1_900)),
            "QUERY_TOO_COMPLEX",
        ),
        ("a list of 101 numbers", format!("{{ nodes(ids: [{}]) {{ id }} }}", "1 ".repeat(101)), "BAD_USER_INPUT"),
        (
            "circles",
            "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }".to_owned(),
            "GRAPHQL_VALIDATION_FAILED",
        ),
        ("itself", "{ ...A } fragment A on Query { ...A }".to_owned(), "GRAPHQL_VALIDATION_FAILED"),
        ("no end", format!("{{ a(b: \"{}", "a".repeat(10_000)), "GRAPHQL_PARSE_FAILED"),
    ] {
        let answer = app.query(None, &document, json!({})).await;
        assert_eq!(answer.code(), code, "{name}: {}", answer.body.to_string().chars().take(300).collect::<String>());
    }
}

async fn pages_of_other_origins_stay_out(app: TestApp) {
    let node = app.node("production", |config| {
        config.environment = Environment::Production;
        config.web.allowed_origins = vec!["https://spotlight.example".to_owned()];
    });
    let node = node.await;
    for (origin, is_allowed) in [("https://spotlight.example", true), ("https://evil.example", false), ("null", false)]
    {
        let url = format!("{}/graphql", node.url);
        let preflight = app
            .http
            .request(reqwest::Method::OPTIONS, &url)
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type,authorization");
        let headers = preflight.send().await.unwrap().headers().clone();
        let allowed = headers.get("access-control-allow-origin").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(allowed.as_deref(), is_allowed.then_some(origin));
        assert!(headers.get("access-control-allow-credentials").is_none());
        let socket = app
            .http
            .get(&url)
            .header("origin", origin)
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
            .header("sec-websocket-protocol", "graphql-transport-ws");
        let status = socket.send().await.unwrap().status().as_u16();
        assert_eq!(status, if is_allowed { 101 } else { 403 }, "{origin}");
    }
    node.stop().await;
}

async fn answers_carry_the_headers_that_browsers_heed(app: TestApp) {
    for page in ["/", "/playground", "/mail", "/graphql?query={__typename}", "/nothing"] {
        let response = app.http.get(format!("{}{page}", app.url)).send().await.unwrap();
        for header in ["x-content-type-options", "referrer-policy", "content-security-policy", "x-frame-options"] {
            assert!(response.headers().contains_key(header), "{header} of {page}");
        }
    }
    let query = format!("{}/graphql?query={{__schema{{types{{name}}}}}}", app.url);
    let response = app.http.get(query).header("accept-encoding", "gzip").send().await.unwrap();
    assert_eq!(response.headers()["content-encoding"], "gzip");
    assert_eq!(response.headers()["cache-control"], "no-store");
}
