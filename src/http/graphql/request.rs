//! From bytes to an operation that may run: the parameters' types, the document's text, its limits, its operation.

use super::{
    cost::{self, Prices, Requested},
    documents::{self, Documents, Unknown},
    engine::Validation,
    guard,
    inputs::Inputs,
    persisted::Persisted,
    problem::Problem,
    settings::EdgeSettings,
};
use crate::{graphql::upload::Uploads, infra::blob::Spooled};
use async_graphql::{
    Request, Variables,
    parser::{
        parse_query,
        types::{DocumentOperations, ExecutableDocument, OperationDefinition, OperationType},
    },
};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::sync::Arc;

/// As a document's strings write it.
const NUL: &str = "\\u0000";

/// What may be handed to the engine.
#[derive(Debug)]
pub struct Operation {
    pub request: Request,
    pub kind: OperationType,
    pub requested: Requested,
    pub validation: Validation,
    /// To be kept once it has passed.
    pub unknown: Option<Unknown>,
    /// The same for the whole cluster.
    pub persisted: Option<Persisted>,
}

impl Operation {
    pub fn is_subscription(&self) -> bool {
        self.kind == OperationType::Subscription
    }
}

/// The parameters of a request, as the specification names them, each of the right type.
#[derive(Clone, Debug, Default)]
pub struct Parameters {
    pub query: Option<String>,
    pub operation_name: Option<String>,
    pub variables: Map<String, Value>,
    pub extensions: Map<String, Value>,
    /// What the markers in `variables` stand for.
    pub files: Vec<Spooled>,
}

impl Parameters {
    pub fn from_json(bytes: &[u8]) -> Result<Self, Problem> {
        let value =
            serde_json::from_slice(bytes).map_err(|error| Problem::bad_request(format!("Not JSON: {error}.")))?;
        Self::from_value(value)
    }

    pub fn from_value(value: Value) -> Result<Self, Problem> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Raw {
            query: Option<Value>,
            operation_name: Option<Value>,
            variables: Option<Value>,
            extensions: Option<Value>,
        }
        match value {
            Value::Object(_) => {
                let raw: Raw =
                    serde_json::from_value(value).map_err(|error| Problem::bad_request(error.to_string()))?;
                Ok(Self {
                    query: string("query", raw.query)?,
                    operation_name: string("operationName", raw.operation_name)?.filter(|name| !name.is_empty()),
                    variables: object("variables", raw.variables)?,
                    extensions: object("extensions", raw.extensions)?,
                    files: Vec::new(),
                })
            }
            Value::Array(_) => Err(Problem::bad_request("Batches are not served: send one operation at a time.")),
            _ => Err(Problem::bad_request("The body must be a JSON object.")),
        }
    }

    /// From the part of an address behind the question mark.
    pub fn from_address(query: &str) -> Result<Self, Problem> {
        let mut parameters = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let json = |name: &str, text: &str| match text {
                "" => Ok(Map::new()),
                text => object(name, serde_json::from_str(text).map_err(|_| wrong(name, "JSON"))?),
            };
            match name.as_ref() {
                "query" => parameters.query = Some(value.into_owned()),
                "operationName" => parameters.operation_name = Some(value.into_owned()).filter(|name| !name.is_empty()),
                "variables" => parameters.variables = json("variables", &value)?,
                "extensions" => parameters.extensions = json("extensions", &value)?,
                _ => {}
            }
        }
        Ok(parameters)
    }

    /// Checks the text, parses it, checks what it asks for, and finds the operation and its cost.
    pub fn into_operation(
        self,
        settings: &EdgeSettings,
        prices: &Prices,
        documents: &Documents,
        inputs: &Inputs,
    ) -> Result<Operation, Problem> {
        let Some(query) = self.query else { return Err(Problem::bad_request("`query` must be a string.")) };
        if query.contains(['\0']) || query.contains(NUL) || self.variables.values().any(has_nul) {
            return Err(Problem::bad_request("U+0000 is no text: PostgreSQL keeps none."));
        }
        let (document, unknown) = match documents.get(&query) {
            Some(document) => (document, None),
            None => {
                let document = Arc::new(parse(&query, settings)?);
                (Arc::clone(&document), Some(Unknown { text: query.into(), document }))
            }
        };
        let operation = chosen(&document, self.operation_name.as_deref())?;
        let variables = Variables::from_json(Value::Object(self.variables));
        let requested = cost::requested(prices, &document, operation, &variables);
        if requested.cost > settings.operation_cost {
            let (cost, limit) = (requested.cost, settings.operation_cost);
            let message = format!("The operation costs {cost} points; at most {limit} are allowed.");
            return Err(Problem::document("QUERY_TOO_COMPLEX", message).beyond(limit, cost));
        }
        let is_valid = unknown.is_none() && documents::are_plain(inputs, &variables, operation);
        let validation = if is_valid { Validation::Done } else { Validation::Due };
        let kind = operation.ty;
        // The text is not asked for any more.
        let mut request = Request::new("").variables(variables).data(Uploads(self.files));
        request.operation_name = self.operation_name;
        request.set_parsed_query(ExecutableDocument::clone(&document));
        Ok(Operation { request, kind, requested, validation, unknown, persisted: None })
    }
}

fn parse(query: &str, settings: &EdgeSettings) -> Result<ExecutableDocument, Problem> {
    if query.len() > settings.query_bytes {
        let message = format!("The document has {} bytes; at most {} are read.", query.len(), settings.query_bytes);
        let (value, limit) =
            (query.len().try_into().unwrap_or(u64::MAX), settings.query_bytes.try_into().unwrap_or(u64::MAX));
        return Err(Problem::document("QUERY_TOO_COMPLEX", message).beyond(limit, value));
    }
    guard::check_text(query, &settings.document)?;
    let document = parse_query(query).map_err(|error| Problem::document("GRAPHQL_PARSE_FAILED", error.to_string()))?;
    guard::check_document(&document, &settings.document)?;
    Ok(document)
}

fn chosen<'a>(document: &'a ExecutableDocument, name: Option<&str>) -> Result<&'a OperationDefinition, Problem> {
    let unknown = |name: &str| {
        let message = format!("There is no operation named {name:?}.");
        Problem::document("OPERATION_RESOLUTION_FAILURE", message)
    };
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Ok(&operation.node),
        (DocumentOperations::Single(_), Some(name)) => Err(unknown(name)),
        (DocumentOperations::Multiple(operations), Some(name)) => {
            operations.get(name).map(|operation| &operation.node).ok_or_else(|| unknown(name))
        }
        (DocumentOperations::Multiple(operations), None) => match operations.values().next() {
            Some(operation) if operations.len() == 1 => Ok(&operation.node),
            _ => {
                let message = "The document has several operations: give `operationName`.";
                Err(Problem::document("OPERATION_RESOLUTION_FAILURE", message))
            }
        },
    }
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(has_nul),
        Value::Object(map) => map.values().any(has_nul),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn string(name: &str, value: Option<Value>) -> Result<Option<String>, Problem> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(wrong(name, "a string")),
    }
}

fn object(name: &str, value: Option<Value>) -> Result<Map<String, Value>, Problem> {
    match value {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(map)) => Ok(map),
        Some(_) => Err(wrong(name, "an object")),
    }
}

fn wrong(name: &str, kind: &str) -> Problem {
    Problem::bad_request(format!("`{name}` must be {kind}."))
}
