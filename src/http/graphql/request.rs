//! From bytes to a parsed operation.

use super::problem::Problem;
use async_graphql::{
    Request, Variables,
    parser::{
        parse_query,
        types::{DocumentOperations, ExecutableDocument, OperationType},
    },
};
use axum::http::HeaderMap;
use serde::Deserialize;
use serde_json::Value;

/// A request whose document parses and whose operation is known.
#[derive(Debug)]
pub struct Parsed {
    pub request: Request,
    pub kind: OperationType,
}

impl Parsed {
    pub fn is_mutation(&self) -> bool {
        self.kind == OperationType::Mutation
    }

    pub fn is_subscription(&self) -> bool {
        self.kind == OperationType::Subscription
    }
}

/// The parameters of a request, as the specification names them.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parameters {
    query: Option<Value>,
    operation_name: Option<Value>,
    variables: Option<Value>,
    extensions: Option<Value>,
}

pub fn check_content_type(headers: &HeaderMap) -> Result<(), Problem> {
    let given = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = given.split(';').map(|part| part.trim().to_ascii_lowercase());
    let is_json = parts.next().as_deref() == Some("application/json");
    let is_utf8 =
        parts.all(|part| part.strip_prefix("charset=").is_none_or(|charset| charset.trim_matches('"') == "utf-8"));
    if is_json && is_utf8 { Ok(()) } else { Err(Problem::unsupported_media_type()) }
}

pub fn from_json(bytes: &[u8]) -> Result<Parameters, Problem> {
    let value: Value =
        serde_json::from_slice(bytes).map_err(|error| Problem::bad_request(format!("Not JSON: {error}.")))?;
    from_value(value)
}

pub fn from_value(value: Value) -> Result<Parameters, Problem> {
    match value {
        Value::Object(_) => serde_json::from_value(value).map_err(|error| Problem::bad_request(error.to_string())),
        Value::Array(_) => Err(Problem::bad_request("Batches are not served: send one operation at a time.")),
        _ => Err(Problem::bad_request("The body must be a JSON object.")),
    }
}

pub fn from_query(query: &str) -> Result<Parameters, Problem> {
    let mut parameters = Parameters::default();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let json = |text: &str| {
            serde_json::from_str(text).map_err(|error| Problem::bad_request(format!("{name} is not JSON: {error}.")))
        };
        match name.as_ref() {
            "query" => parameters.query = Some(Value::String(value.into_owned())),
            "operationName" => parameters.operation_name = Some(Value::String(value.into_owned())),
            "variables" => parameters.variables = Some(json(&value)?),
            "extensions" => parameters.extensions = Some(json(&value)?),
            _ => {}
        }
    }
    Ok(parameters)
}

/// Checks the parameters' types, parses the document and finds the operation.
pub fn parse(parameters: Parameters, query_bytes: usize) -> Result<Parsed, Problem> {
    let Some(Value::String(query)) = parameters.query else {
        return Err(Problem::bad_request("`query` must be a string."));
    };
    if query.len() > query_bytes {
        let message = format!("The document has {} bytes; at most {query_bytes} are read.", query.len());
        return Err(Problem::document("QUERY_TOO_COMPLEX", message));
    }
    let name = match parameters.operation_name {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => Some(name).filter(|name| !name.is_empty()),
        Some(_) => return Err(Problem::bad_request("`operationName` must be a string.")),
    };
    let variables = match parameters.variables {
        None | Some(Value::Null) => Variables::default(),
        Some(value @ Value::Object(_)) => Variables::from_json(value),
        Some(_) => return Err(Problem::bad_request("`variables` must be an object.")),
    };
    if !matches!(parameters.extensions, None | Some(Value::Null | Value::Object(_))) {
        return Err(Problem::bad_request("`extensions` must be an object."));
    }
    let document = parse_query(&query).map_err(|error| Problem::document("GRAPHQL_PARSE_FAILED", error.to_string()))?;
    let kind = kind(&document, name.as_deref())?;
    let mut request = Request::new(query).variables(variables);
    if let Some(name) = name {
        request = request.operation_name(name);
    }
    request.set_parsed_query(document);
    Ok(Parsed { request, kind })
}

fn kind(document: &ExecutableDocument, name: Option<&str>) -> Result<OperationType, Problem> {
    let unresolved = |message: String| Problem::document("OPERATION_RESOLUTION_FAILURE", message);
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Ok(operation.node.ty),
        (DocumentOperations::Single(_), Some(name)) => {
            Err(unresolved(format!("There is no operation named {name:?}.")))
        }
        (DocumentOperations::Multiple(operations), Some(name)) => match operations.get(name) {
            Some(operation) => Ok(operation.node.ty),
            None => Err(unresolved(format!("There is no operation named {name:?}."))),
        },
        (DocumentOperations::Multiple(operations), None) => match operations.values().next() {
            Some(operation) if operations.len() == 1 => Ok(operation.node.ty),
            _ => Err(unresolved("The document has several operations: give `operationName`.".to_owned())),
        },
    }
}
