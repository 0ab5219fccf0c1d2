//! Admins' own accounts: signing in with a second factor, recovery codes, the password, and the command line's resets.

use crate::harness::{TestApp, errors_of, user_error};
use chrono::TimeDelta;
use entity::{PasswordHash, enums::AuditActor, ids::AdminId};
use futures_util::future::join_all;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use serde_json::{Value, json};
use spotlight::{admin, auth::session};
use totp_rs::{Builder, Secret, Totp};

crate::scenarios![
    a_second_factor_is_asked_for_after_the_right_password_only,
    a_code_is_good_once_and_for_a_step_on_either_side,
    a_code_shown_twice_at_once_signs_in_once,
    a_recovery_code_is_good_once_even_at_once,
    wrong_codes_are_throttled,
    a_stranger_who_fails_on_purpose_locks_no_admin_out,
    wrong_passwords_of_an_admin_are_throttled_by_address_and_pair,
    enrolling_takes_the_password_and_changes_nothing_yet,
    turning_it_off_takes_the_password_and_a_code,
    a_changed_password_ends_every_other_session,
    a_reset_leaves_a_new_password_and_nothing_else,
    a_removed_admin_is_out_at_once,
    a_sign_in_under_way_does_not_outlive_what_it_was_proven_by,
    each_change_is_a_row_of_the_audit_log,
    no_member_and_no_visitor_changes_an_admin,
];

const EMAIL: &str = "keeper@spotlight.test";
const PASSWORD: &str = "Keeper-1234";
const SIGNED_IN: &str = "session { accessToken refreshToken } admin { email isTotpEnabled recoveryCodeCount }";

async fn sign_in(app: &TestApp, more: Value) -> Value {
    let mut input = json!({ "email": EMAIL, "password": PASSWORD });
    for (key, value) in more.as_object().unwrap() {
        input[key] = value.clone();
    }
    app.mutate(None, "adminSignIn", SIGNED_IN, input).await
}

fn token(payload: &Value) -> String {
    payload["session"]["accessToken"].as_str().unwrap_or_else(|| panic!("{payload}")).to_owned()
}

/// An admin's token.
async fn admin(app: &TestApp) -> String {
    admin::create::create(&app.app, EMAIL, PASSWORD.to_owned()).await.unwrap();
    token(&sign_in(app, json!({})).await)
}

async fn enroll(app: &TestApp, token: &str, password: &str) -> Value {
    app.mutate(Some(token), "adminTotpEnroll", "secret otpauthUrl", json!({ "password": password })).await
}

/// As an authenticator app knows it.
fn generator(secret: &str) -> Totp {
    Builder::new().with_secret(Secret::try_from_base32(secret).unwrap()).build().unwrap()
}

fn code(app: &TestApp, generator: &Totp, seconds: i64) -> String {
    generator.generate(u64::try_from(app.now().timestamp() + seconds).unwrap()).to_string()
}

/// Turns the second factor on; the clock is a step further then. Answers a token, the app and the recovery codes.
async fn with_totp(app: &TestApp) -> (String, Totp, Vec<String>) {
    let token_ = admin(app).await;
    let enrolled = enroll(app, &token_, PASSWORD).await;
    let generator = generator(enrolled["secret"].as_str().unwrap());
    let input = json!({ "code": code(app, &generator, 0) });
    app.move_clock(TimeDelta::milliseconds(1));
    let selection = "recoveryCodes session { accessToken } admin { isTotpEnabled }";
    let done = app.mutate(Some(&token_), "adminTotpConfirm", selection, input).await;
    assert_eq!(done["admin"]["isTotpEnabled"], true, "{done}");
    // What the password alone began is over.
    let fresh = token(&done);
    assert_eq!((status(app, &token_).await, status(app, &fresh).await), (401, 200));
    let codes: Vec<String> =
        done["recoveryCodes"].as_array().unwrap().iter().map(|code| code.as_str().unwrap().to_owned()).collect();
    assert_eq!((codes.len(), codes[0].len()), (10, 23));
    app.move_clock(TimeDelta::seconds(60));
    (fresh, generator, codes)
}

async fn a_second_factor_is_asked_for_after_the_right_password_only(app: TestApp) {
    let (_, generator, _) = with_totp(&app).await;
    let unknown = sign_in(&app, json!({ "email": "nobody@spotlight.test" })).await;
    let wrong = sign_in(&app, json!({ "password": "Wrong-1234" })).await;
    let right_code = json!({ "password": "Wrong-1234", "totpCode": code(&app, &generator, 0) });
    assert_eq!((&unknown, user_error(&unknown)), (&wrong, "WRONG_CREDENTIALS".to_owned()));
    assert_eq!(sign_in(&app, right_code).await, wrong);
    // Half a sign-in is no failure, however often.
    for _ in 0..6 {
        assert_eq!(user_error(&sign_in(&app, json!({})).await), "SECOND_FACTOR_REQUIRED totpCode");
    }
    let done = sign_in(&app, json!({ "totpCode": code(&app, &generator, 0) })).await;
    assert_eq!(done["admin"], json!({ "email": EMAIL, "isTotpEnabled": true, "recoveryCodeCount": 10 }));
}

async fn a_code_is_good_once_and_for_a_step_on_either_side(app: TestApp) {
    let (_, generator, _) = with_totp(&app).await;
    let shown = |seconds: i64| json!({ "totpCode": code(&app, &generator, seconds) });
    for seconds in [-60, 60] {
        assert_eq!(user_error(&sign_in(&app, shown(seconds)).await), "CODE_WRONG totpCode", "{seconds}");
    }
    token(&sign_in(&app, shown(-30)).await);
    assert_eq!(user_error(&sign_in(&app, shown(-30)).await), "CODE_WRONG totpCode");
    token(&sign_in(&app, shown(30)).await);
    // An older step than the last that was used.
    assert_eq!(user_error(&sign_in(&app, shown(0)).await), "CODE_WRONG totpCode");
}

async fn a_code_shown_twice_at_once_signs_in_once(app: TestApp) {
    let (_, generator, _) = with_totp(&app).await;
    let answers = join_all((0..4).map(|_| sign_in(&app, json!({ "totpCode": code(&app, &generator, 0) })))).await;
    assert_eq!(answers.iter().filter(|answer| answer["session"].is_object()).count(), 1, "{answers:?}");
}

async fn a_recovery_code_is_good_once_even_at_once(app: TestApp) {
    let (_, _, codes) = with_totp(&app).await;
    let typed = codes[0].to_lowercase().replace('-', " ");
    let answers = join_all((0..4).map(|_| sign_in(&app, json!({ "recoveryCode": typed })))).await;
    let (done, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer["session"].is_object());
    assert_eq!(done.len(), 1, "{answers:?}");
    assert_eq!(done[0]["admin"]["recoveryCodeCount"], 9);
    assert_eq!(user_error(refused[0]), "CODE_WRONG recoveryCode");
    let kept = entity::admin_recovery_code::Entity::find().all(app.app.db.reads()).await.unwrap();
    assert!(kept.iter().all(|row| codes.iter().all(|code| !row.code_hash.contains(code.as_str()))));
}

async fn wrong_codes_are_throttled(app: TestApp) {
    let (_, generator, _) = with_totp(&app).await;
    for _ in 0..5 {
        sign_in(&app, json!({ "totpCode": "000000" })).await;
    }
    let right = json!({ "totpCode": code(&app, &generator, 0) });
    assert_eq!(user_error(&sign_in(&app, right).await), "TOO_MANY_ATTEMPTS totpCode");
    app.pass(TimeDelta::minutes(15)).await;
    token(&sign_in(&app, json!({ "totpCode": code(&app, &generator, 0) })).await);
}

/// From somewhere.
async fn from(app: &TestApp, email: &str, password: &str, address: &str) -> Result<(), String> {
    let (email, password) = (email.to_owned(), password.to_owned());
    let input = admin::sign_in::SignIn { email, password, totp_code: None, recovery_code: None };
    let entered = admin::sign_in::sign_in(&app.app, input, address.parse().ok()).await;
    entered.map(drop).map_err(|error| error.to_string())
}

async fn a_stranger_who_fails_on_purpose_locks_no_admin_out(app: TestApp) {
    let (_, generator, _) = with_totp(&app).await;
    let entered = sign_in(&app, json!({ "totpCode": code(&app, &generator, 0) })).await;
    token(&entered);
    // From one address, and from a hundred.
    for number in 0..110 {
        let address = if number < 10 { "203.0.113.9".to_owned() } else { format!("2001:db8:0:{number:x}::1") };
        assert!(from(&app, EMAIL, "Wrong-1234", &address).await.is_err());
    }
    let away = from(&app, EMAIL, PASSWORD, "203.0.113.7").await.unwrap_err();
    assert!(away.contains("TooManyAttempts"), "{away}");
    // Who does not know the password tries no code either.
    app.move_clock(TimeDelta::seconds(60));
    token(&sign_in(&app, json!({ "totpCode": code(&app, &generator, 0) })).await);
}

async fn wrong_passwords_of_an_admin_are_throttled_by_address_and_pair(app: TestApp) {
    admin(&app).await;
    for number in 0..110 {
        let refused = from(&app, &format!("nobody{number}@spotlight.test"), "Wrong-1234", "203.0.113.9").await;
        assert_eq!(refused.unwrap_err().contains("TooManyAttempts"), number >= 100, "{number}");
    }
    let refused = from(&app, EMAIL, PASSWORD, "203.0.113.9").await.unwrap_err();
    assert!(refused.contains("TooManyAttempts"), "{refused}");
    for number in 0..11 {
        let refused = from(&app, EMAIL, "Wrong-1234", "203.0.113.10").await.unwrap_err();
        assert_eq!(refused.contains("TooManyAttempts"), number >= 10, "{number}: {refused}");
    }
    from(&app, EMAIL, PASSWORD, "203.0.113.11").await.unwrap();
}

async fn enrolling_takes_the_password_and_changes_nothing_yet(app: TestApp) {
    let token_ = admin(&app).await;
    assert_eq!(user_error(&enroll(&app, &token_, "Wrong-1234").await), "WRONG_CREDENTIALS password");
    let input = json!({ "code": "123456" });
    let early = app.mutate(Some(&token_), "adminTotpConfirm", "recoveryCodes", input.clone()).await;
    assert_eq!(user_error(&early), "NOT_ALLOWED code");
    let enrolled = enroll(&app, &token_, PASSWORD).await;
    let (secret, url) = (enrolled["secret"].as_str().unwrap(), enrolled["otpauthUrl"].as_str().unwrap());
    assert!(url.starts_with("otpauth://totp/Spotlight") && url.contains(&format!("secret={secret}")), "{url}");
    let row = admin::query::by_email(app.app.db.reads(), EMAIL).await.unwrap().unwrap();
    assert!(!row.totp_pending.unwrap().contains(secret));
    assert_eq!(sign_in(&app, json!({})).await["admin"]["isTotpEnabled"], false);
    // Asked again, it makes another: the first one's code confirms nothing.
    let old = generator(secret);
    let new = generator(enroll(&app, &token_, PASSWORD).await["secret"].as_str().unwrap());
    let confirm =
        |code: String| app.mutate(Some(&token_), "adminTotpConfirm", "recoveryCodes", json!({ "code": code }));
    assert_eq!(user_error(&confirm(code(&app, &old, 0)).await), "CODE_WRONG code");
    let used = code(&app, &new, 0);
    assert_eq!(errors_of(&confirm(used.clone()).await).len(), 0);
    // The code that confirmed it signs nobody in, and it cannot be enrolled over.
    assert_eq!(user_error(&sign_in(&app, json!({ "totpCode": used })).await), "CODE_WRONG totpCode");
    assert_eq!(user_error(&enroll(&app, &token_, PASSWORD).await), "NOT_ALLOWED");
}

async fn turning_it_off_takes_the_password_and_a_code(app: TestApp) {
    let (token_, generator, codes) = with_totp(&app).await;
    let disable = |password: &str, code: String| {
        let input = json!({ "password": password, "code": code });
        app.mutate(Some(&token_), "adminTotpDisable", "admin { isTotpEnabled recoveryCodeCount }", input)
    };
    let wrong = disable("Wrong-1234", code(&app, &generator, 0)).await;
    assert_eq!(user_error(&wrong), "WRONG_CREDENTIALS password");
    assert_eq!(user_error(&disable(PASSWORD, "000000".to_owned()).await), "CODE_WRONG code");
    // The device is lost: a recovery code does.
    let done = disable(PASSWORD, codes[3].clone()).await;
    assert_eq!(done["admin"], json!({ "isTotpEnabled": false, "recoveryCodeCount": 0 }));
    assert_eq!(user_error(&disable(PASSWORD, codes[4].clone()).await), "NOT_ALLOWED");
    token(&sign_in(&app, json!({})).await);
}

async fn status(app: &TestApp, token: &str) -> u16 {
    app.query(Some(token), "{ admin { email } }", json!({})).await.status
}

async fn a_changed_password_ends_every_other_session(app: TestApp) {
    let token_ = admin(&app).await;
    app.move_clock(TimeDelta::seconds(1));
    let change = |current: &str, new: &str| {
        let input = json!({ "currentPassword": current, "newPassword": new });
        app.mutate(Some(&token_), "adminPasswordChange", "session { accessToken }", input)
    };
    assert_eq!(user_error(&change("Wrong-1234", "Keeper-5678").await), "WRONG_CREDENTIALS currentPassword");
    assert!(!errors_of(&change(PASSWORD, "short").await).is_empty());
    let fresh = token(&change(PASSWORD, "Keeper-5678").await);
    assert_eq!((status(&app, &token_).await, status(&app, &fresh).await), (401, 200));
    assert_eq!(user_error(&sign_in(&app, json!({})).await), "WRONG_CREDENTIALS");
    token(&sign_in(&app, json!({ "password": "Keeper-5678" })).await);
}

async fn a_reset_leaves_a_new_password_and_nothing_else(app: TestApp) {
    let (token_, _, codes) = with_totp(&app).await;
    assert!(admin::reset::reset(&app.app, EMAIL, "weak".to_owned()).await.is_err());
    assert!(admin::reset::reset(&app.app, "nobody@spotlight.test", "Keeper-5678".to_owned()).await.is_err());
    admin::reset::reset(&app.app, EMAIL, "Keeper-5678".to_owned()).await.unwrap();
    assert_eq!(status(&app, &token_).await, 401);
    let old = json!({ "recoveryCode": codes[0] });
    assert_eq!(user_error(&sign_in(&app, old).await), "WRONG_CREDENTIALS");
    let done = sign_in(&app, json!({ "password": "Keeper-5678" })).await;
    assert_eq!(done["admin"], json!({ "email": EMAIL, "isTotpEnabled": false, "recoveryCodeCount": 0 }));
}

async fn a_removed_admin_is_out_at_once(app: TestApp) {
    let (token_, _, codes) = with_totp(&app).await;
    admin::reset::remove(&app.app, EMAIL).await.unwrap();
    assert_eq!(status(&app, &token_).await, 401);
    assert_eq!(user_error(&sign_in(&app, json!({ "recoveryCode": codes[0] })).await), "WRONG_CREDENTIALS");
    assert!(admin::query::all(app.app.db.reads()).await.unwrap().is_empty());
    assert!(admin::reset::remove(&app.app, EMAIL).await.is_err());
    admin(&app).await;
}

async fn a_sign_in_under_way_does_not_outlive_what_it_was_proven_by(app: TestApp) {
    admin(&app).await;
    for changed in ["password", "factor", "account"] {
        let row = admin::query::by_email(app.app.db.reads(), EMAIL).await.unwrap().unwrap();
        let meanwhile = async {
            match changed {
                "password" => {
                    change(&app, row.id, |row| row.password_hash = Set(PasswordHash("$2b$04$".to_owned()))).await
                }
                "factor" => change(&app, row.id, |row| row.totp_secret = Set(Some("sealed".to_owned()))).await,
                _ => admin::reset::remove(&app.app, EMAIL).await.unwrap(),
            }
            session::end_all(&app.app, &row.id.to_string()).await.unwrap();
        };
        let payload = Box::pin(app.while_comparing(sign_in(&app, json!({})), meanwhile)).await;
        assert_eq!(user_error(&payload), "WRONG_CREDENTIALS", "{changed}");
        change(&app, row.id, |again| {
            (again.password_hash, again.totp_secret) = (Set(row.password_hash.clone()), Set(None));
        })
        .await;
    }
}

async fn change(app: &TestApp, id: AdminId, change: impl FnOnce(&mut entity::admin::ActiveModel)) {
    let mut row = entity::admin::ActiveModel { id: Set(id), ..Default::default() };
    change(&mut row);
    entity::admin::Entity::update_many()
        .set(row)
        .filter(entity::admin::Column::Id.eq(id))
        .exec(app.app.db.reads())
        .await
        .unwrap();
}

async fn each_change_is_a_row_of_the_audit_log(app: TestApp) {
    let (token_, _, codes) = with_totp(&app).await;
    sign_in(&app, json!({ "recoveryCode": codes[0] })).await;
    let input = json!({ "password": PASSWORD, "code": codes[1] });
    app.mutate(Some(&token_), "adminTotpDisable", "admin { email }", input).await;
    let input = json!({ "currentPassword": PASSWORD, "newPassword": "Keeper-5678" });
    app.mutate(Some(&token_), "adminPasswordChange", "session { accessToken }", input).await;
    admin::reset::reset(&app.app, EMAIL, PASSWORD.to_owned()).await.unwrap();
    admin::reset::remove(&app.app, EMAIL).await.unwrap();
    admin::keys_rotate::note(&app.app, "old", "new").await.unwrap();
    let rows = entity::audit_log::Entity::find().all(app.app.db.reads()).await.unwrap();
    for row in &rows {
        let by_admin = row.actor == Some(AuditActor::Admin);
        assert_eq!(
            (row.admin_id.is_some(), row.address.is_some(), row.operator.is_none()),
            (by_admin, by_admin, by_admin)
        );
        assert!(row.actor == Some(AuditActor::Cli) || by_admin, "{row:?}");
        assert!(row.before.is_some() || row.after.is_some(), "it says nothing of what changed: {row:?}");
    }
    let mut found: Vec<(&str, bool)> = rows.iter().map(|row| (row.action.as_str(), row.admin_id.is_some())).collect();
    found.sort_unstable();
    let mut expected = vec![
        ("admin.create", false),
        ("admin.password-change", true),
        ("admin.recovery-code-use", true),
        ("admin.recovery-code-use", true),
        ("admin.remove", false),
        ("admin.reset", false),
        ("admin.totp-confirm", true),
        ("admin.totp-disable", true),
        ("admin.totp-enroll", true),
        ("keys.rotate", false),
    ];
    expected.sort_unstable();
    assert_eq!(found, expected);
    let texts: String = rows.iter().map(|row| format!("{:?}{:?}", row.before, row.after)).collect();
    assert!(!texts.contains(codes[0].as_str()) && !texts.contains("Keeper-"), "{texts}");
}

async fn no_member_and_no_visitor_changes_an_admin(app: TestApp) {
    let fan = app.fan("mina").await;
    let documents = [
        "mutation { adminTotpEnroll(input: { password: \"x\" }) { secret } }",
        "mutation { adminTotpConfirm(input: { code: \"x\" }) { recoveryCodes } }",
        "mutation { adminTotpDisable(input: { password: \"x\", code: \"x\" }) { admin { email } } }",
        "mutation { adminPasswordChange(input: { currentPassword: \"x\", newPassword: \"Keeper-5678\" }) { session { \
         accessToken } } }",
    ];
    for document in documents {
        assert_eq!(app.query(Some(&fan.token), document, json!({})).await.code(), "FORBIDDEN", "{document}");
        assert_eq!(app.query(None, document, json!({})).await.code(), "UNAUTHENTICATED", "{document}");
    }
}
