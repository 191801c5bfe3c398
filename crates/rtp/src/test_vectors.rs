//! Reading the vectors of `tests/data`.

use serde_json::Value;

pub(crate) fn rtcp() -> Value {
    serde_json::from_str(include_str!("../tests/data/rtcp.json")).unwrap()
}

pub(crate) fn rfc8285() -> Value {
    serde_json::from_str(include_str!("../tests/data/rfc8285.json")).unwrap()
}

pub(crate) fn e_model() -> Value {
    serde_json::from_str(include_str!("../tests/data/e-model.json")).unwrap()
}

pub(crate) fn bytes_of(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

pub(crate) fn hex_of(vector: &Value) -> Vec<u8> {
    bytes_of(vector["hex"].as_str().unwrap())
}

pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}
