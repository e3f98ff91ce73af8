//! Just enough of JSON Schema for `schemas/results-1.json`. A validator from a library would bring
//! other features of Burn's dependencies and with them a second build of Burn for the tests.

use serde_json::Value;

/// Where `value` is not what `schema` asks for.
pub(crate) fn errors(schema: &Value, value: &Value) -> Vec<String> {
    let mut errors = Vec::new();
    check(schema, schema, value, "", &mut errors);
    errors
}

fn check(root: &Value, schema: &Value, value: &Value, place: &str, errors: &mut Vec<String>) {
    for (keyword, rule) in schema.as_object().unwrap() {
        match keyword.as_str() {
            "$schema" | "$defs" | "title" => {}
            "$ref" => {
                let pointer = rule.as_str().unwrap().trim_start_matches('#');
                check(root, root.pointer(pointer).unwrap(), value, place, errors);
            }
            "properties" => {
                for (name, part) in rule.as_object().unwrap() {
                    if let Some(value) = value.get(name) {
                        check(root, part, value, &format!("{place}/{name}"), errors);
                    }
                }
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, rule, item, &format!("{place}/{index}"), errors);
                }
            }
            "anyOf" => {
                let fits = rule.as_array().unwrap().iter().any(|option| {
                    let mut wrong = Vec::new();
                    check(root, option, value, place, &mut wrong);
                    wrong.is_empty()
                });
                if !fits {
                    errors.push(format!("{place}: fits none of {rule}"));
                }
            }
            _ if holds(keyword, rule, schema, value) => {}
            _ => errors.push(format!("{place}: {keyword} {rule} against {value}")),
        }
    }
}

fn holds(keyword: &str, rule: &Value, schema: &Value, value: &Value) -> bool {
    match keyword {
        "const" => value == rule,
        "enum" => rule.as_array().unwrap().contains(value),
        "type" => match rule {
            Value::Array(options) => options.iter().any(|option| has_type(option, value)),
            _ => has_type(rule, value),
        },
        "required" => rule
            .as_array()
            .unwrap()
            .iter()
            .all(|name| value.get(name.as_str().unwrap()).is_some()),
        "additionalProperties" => {
            let known = schema["properties"].as_object().unwrap();
            rule == true
                || value
                    .as_object()
                    .unwrap()
                    .keys()
                    .all(|name| known.contains_key(name))
        }
        "minItems" => value
            .as_array()
            .is_none_or(|items| items.len() as u64 >= rule.as_u64().unwrap()),
        "maxItems" => value
            .as_array()
            .is_none_or(|items| items.len() as u64 <= rule.as_u64().unwrap()),
        "uniqueItems" => value.as_array().is_none_or(|items| {
            items
                .iter()
                .enumerate()
                .all(|(index, item)| !items[..index].contains(item))
        }),
        "minLength" => value
            .as_str()
            .is_none_or(|text| text.len() as u64 >= rule.as_u64().unwrap()),
        "minimum" => value
            .as_f64()
            .is_none_or(|number| number >= rule.as_f64().unwrap()),
        "maximum" => value
            .as_f64()
            .is_none_or(|number| number <= rule.as_f64().unwrap()),
        "pattern" => value
            .as_str()
            .is_none_or(|text| matches(rule.as_str().unwrap(), text)),
        other => panic!("the schema uses {other}, which this check does not know"),
    }
}

fn has_type(name: &Value, value: &Value) -> bool {
    match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        "null" => value.is_null(),
        other => panic!("the schema uses the type {other}"),
    }
}

/// The three patterns of the schema.
fn matches(pattern: &str, text: &str) -> bool {
    let slug = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    match pattern {
        "^[a-z0-9-]+$" => slug(text),
        "^[0-9a-f]{64}$" => {
            text.len() == 64
                && text
                    .chars()
                    .all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c))
        }
        "^figures/[a-z0-9-]+\\.svg$" => text
            .strip_prefix("figures/")
            .and_then(|rest| rest.strip_suffix(".svg"))
            .is_some_and(slug),
        other => panic!("the schema uses the pattern {other}"),
    }
}
