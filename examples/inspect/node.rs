//! A value that both the tree and the JSON are made from.

use serde::ser::{Serialize, SerializeMap, Serializer};

/// A value. The keys of a map keep their order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    /// What is not there.
    Null,
    Flag(bool),
    Number(i128),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Node {
    pub(crate) fn map<const N: usize>(entries: [(&str, Self); N]) -> Self {
        Self::Map(entries.map(|(key, value)| (key.to_owned(), value)).into())
    }

    /// The value at `key`; `None` when this is no map or has no such key.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(entries) => entries.iter().find(|(own, _)| own == key).map(|(_, it)| it),
            _ => None,
        }
    }

    /// Whether this is a URI: its text is its line, its other entries are parts of that.
    pub(crate) fn is_uri(&self) -> bool {
        self.get("text").is_some() && self.get("scheme").is_some()
    }

    /// Puts a value behind the others of a map.
    #[must_use]
    pub(crate) fn with(mut self, key: &str, value: Self) -> Self {
        if let Self::Map(entries) = &mut self {
            entries.push((key.to_owned(), value));
        }
        self
    }

    /// The value in one line; `None` for maps, for what is not there, and for lists of maps.
    pub(crate) fn line(&self) -> Option<String> {
        match self {
            Self::Null | Self::Map(_) => None,
            Self::Flag(flag) => Some(flag.to_string()),
            Self::Number(number) => Some(number.to_string()),
            Self::Text(text) => Some(text.clone()),
            Self::List(list) => {
                let lines: Option<Vec<_>> = list.iter().map(Self::line).collect();
                lines.map(|lines| lines.join(", "))
            }
        }
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Number(number) => serializer.serialize_i128(*number),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(list) => serializer.collect_seq(list),
            Self::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

macro_rules! numbers {
    ($($number:ty)*) => {$(
        impl From<$number> for Node {
            fn from(number: $number) -> Self {
                Self::Number(number as i128)
            }
        }
    )*};
}

numbers! { u8 u16 u32 u64 usize i32 }

impl From<bool> for Node {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Node {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl<T: Into<Self>> From<Option<T>> for Node {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<T: Into<Self>> FromIterator<T> for Node {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}
