//! The API as a client has it.

use super::TestApp;
use serde_json::{Value, json};

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Answer {
    /// The data of an operation that had no error.
    pub fn data(&self) -> &Value {
        assert!(self.body.get("errors").is_none(), "{}", self.body);
        &self.body["data"]
    }

    /// The code of the first top-level error.
    pub fn code(&self) -> &str {
        self.body["errors"][0]["extensions"]["code"].as_str().unwrap_or_default()
    }
}

/// `CODE path.to.field` of each of a payload's user errors.
pub fn errors_of(payload: &Value) -> Vec<String> {
    let one = |error: &Value| {
        let path: Vec<&str> = error["path"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        format!("{} {}", error["code"].as_str().unwrap(), path.join(".")).trim_end().to_owned()
    };
    payload["userErrors"].as_array().unwrap_or_else(|| panic!("no userErrors: {payload}")).iter().map(one).collect()
}

/// The only user error.
pub fn user_error(payload: &Value) -> String {
    let mut errors = errors_of(payload);
    assert_eq!(errors.len(), 1, "{payload}");
    errors.remove(0)
}

impl TestApp {
    pub async fn query(&self, token: Option<&str>, query: &str, variables: Value) -> Answer {
        self.query_at(&self.url, token, query, variables).await
    }

    /// At one of several servers.
    pub async fn query_at(&self, url: &str, token: Option<&str>, query: &str, variables: Value) -> Answer {
        let mut request = self.http.post(format!("{url}/graphql")).header("accept-language", "en");
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.json(&json!({ "query": query, "variables": variables })).send().await.unwrap();
        Answer { status: response.status().as_u16(), body: response.json().await.unwrap() }
    }

    /// A mutation's payload. `selection` is what is asked of it besides `userErrors`.
    pub async fn mutate(&self, token: Option<&str>, name: &str, selection: &str, input: Value) -> Value {
        let mut letters = name.chars();
        let first = letters.next().unwrap().to_uppercase();
        let type_name: String = first.chain(letters).collect();
        let errors = "userErrors { code message path ... on SoldOutError { ticketTypes { id remaining } } \
                      ... on AmountChangedError { expectedTotal } ... on DuplicateSubmitError { existingEventId } \
                      ... on WithdrawalBlockedError { bookings { id } payments { id } openEvents { id } \
                      unsettledEvents { id } } }";
        let document =
            format!("mutation($input: {type_name}Input!) {{ {name}(input: $input) {{ {selection} {errors} }} }}");
        let answer = self.query(token, &document, json!({ "input": input })).await;
        answer.data()[name].clone()
    }

    /// The newest mail to somebody: its subject and its text.
    pub async fn mail_to(&self, email: &str) -> String {
        self.work().await;
        let mut letters = spotlight::infra::mail::read::newest(self.app.mail.folder().unwrap()).unwrap();
        let letter = letters.find(|letter| letter.to == email);
        let letter = letter.unwrap_or_else(|| panic!("no mail to {email}"));
        format!("{}\n{}", letter.subject, letter.text)
    }
}
