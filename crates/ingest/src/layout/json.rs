//! Logs with one JSON object per line: which of its fields mean what.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::field::{Field, Role, checked, refused};
use super::filling::HOST;
use super::no_request::says_status;
use super::time::TimeForm;
use crate::{IngestError, LatencyUnit, Result};

/// Fields by their paths. Where several mean the same, the first that is there counts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct JsonLayout {
    fields: Vec<Field>,
    /// For each of the first fields, as a person wrote down what it means; `None` where every line must have it anyway.
    mapped: Vec<Option<String>>,
}

/// What to do with what an API gives out.
const OF_ARRAY: &str =
    "A log has an object on each line. Make lines of an array: jq -c '.[]' FILE | nines ingest requests - …";

/// What logs call the host of a request, the one that the client asked for first.
const HOSTS: [&str; 10] = [
    "request.host",
    "RequestHost",
    ":authority",
    "authority",
    "properties.originalHost",
    "properties.hostName",
    "properties.host",
    "host",
    "http_host",
    "server_name",
];

/// The fields of a line, each where it is there; the last of those of the same name.
pub(crate) struct Values<'a>(Vec<Option<Cow<'a, str>>>);

/// Reads `time=ts status=http.status target=http.url taken=took:ms`; `request` instead of `target` for a whole request line.
pub(super) fn read(text: &str) -> Result<JsonLayout> {
    let (mut fields, mut mapped) = (Vec::new(), Vec::new());
    for word in text.split_whitespace() {
        let wrong = |reason: &str| {
            refused(format!("{word:?} {reason}")).expected("such as time=ts, status=http.status or taken=duration:ms")
        };
        let (meaning, path) =
            word.split_once('=').filter(|(_, path)| !path.is_empty()).ok_or_else(|| wrong("names no field"))?;
        let (path, unit) = path.rsplit_once(':').map_or((path, None), |(path, unit)| (path, Some(unit)));
        let role = match (meaning, unit) {
            ("taken", Some(name)) => {
                let unit = LatencyUnit::ALL.into_iter().find(|unit| unit.name() == name);
                Role::Taken(unit.ok_or_else(|| wrong("has no unit s, ms, us or ns"))?)
            }
            ("taken", None) => return Err(wrong("has no unit").advice("Write it behind the field: taken=duration:ms")),
            (_, Some(_)) => return Err(wrong("has a unit, which only 'taken' has")),
            ("time", None) => Role::Time(TimeForm::Either),
            ("status", None) => Role::Status,
            ("target", None) => Role::Target,
            ("request", None) => Role::Request,
            (_, None) => return Err(wrong("means nothing known: time, status, target, request or taken")),
        };
        mapped.push(matches!(role, Role::Taken(_) | Role::Target | Role::Request).then(|| word.to_string()));
        fields.push(Field { name: path.to_string(), role, is_list: false });
    }
    Ok(JsonLayout { mapped, ..JsonLayout::of(fields)? })
}

impl JsonLayout {
    pub fn of(fields: Vec<Field>) -> Result<JsonLayout> {
        checked(fields.iter())?;
        Ok(JsonLayout { fields, mapped: Vec::new() })
    }

    /// For each of the first fields, as a person wrote down what it means.
    pub fn mapped(&self) -> &[Option<String>] {
        &self.mapped
    }

    /// The fields that are looked for.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Looks for fields of these names too.
    pub fn look_for(&mut self, names: &[String]) {
        for name in names {
            match name == HOST {
                true => HOSTS.iter().for_each(|path| self.look_at(path, Role::Host)),
                false => self.look_at(name, Role::Skip),
            }
        }
    }

    fn look_at(&mut self, path: &str, role: Role) {
        match self.fields.iter_mut().find(|field| field.name == path) {
            Some(known) if known.role == Role::Skip => known.role = role,
            Some(_) => {}
            None => self.fields.push(Field { name: path.to_string(), role, is_list: false }),
        }
    }

    /// What stands in them.
    pub fn values<'a>(&self, line: &'a [u8]) -> Result<Values<'a>> {
        let mut values = Values(vec![None; self.fields.len()]);
        let mut json = serde_json::Deserializer::from_slice(line);
        let all = (0..self.fields.len()).collect();
        let walk = Walk { layout: self, at: all, depth: Depth::default(), values: &mut values };
        let read = walk.deserialize(&mut json).and_then(|()| json.end());
        read.map_err(|error| {
            let refused =
                IngestError::bad_line(format!("the line is no JSON object: {error}")).at(error.column().max(1));
            match line.trim_ascii_start().starts_with(b"[") {
                true => refused.advice(OF_ARRAY),
                false => refused,
            }
        })?;
        Ok(values)
    }
}

impl<'a> Values<'a> {
    /// The value of the field of this number.
    pub fn take(&mut self, number: usize) -> Option<Cow<'a, str>> {
        self.0.get_mut(number)?.take()
    }

    /// The same, which stays.
    pub fn get(&self, number: usize) -> Option<&str> {
        self.0.get(number)?.as_deref()
    }
}

/// How many bytes of each path were met on the way.
type Depth = usize;

/// A look at one value: these fields are in it, the first bytes of whose paths were met.
struct Walk<'w, 'a> {
    layout: &'w JsonLayout,
    at: Vec<usize>,
    depth: Depth,
    values: &'w mut Values<'a>,
}

impl<'a> DeserializeSeed<'a> for Walk<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'w, 'a> Walk<'w, 'a> {
    /// The fields that end here take this text.
    fn set(self, text: Cow<'a, str>) {
        for &number in &self.at {
            if self.layout.fields[number].name.len() == self.depth {
                self.values.0[number] = Some(text.clone());
            }
        }
    }
}

impl<'a> Visitor<'a> for Walk<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Cow<'a, str>>()? {
            let mut at = Vec::new();
            let mut depth = 0;
            for &number in &self.at {
                let rest = self.layout.fields[number].name.get(self.depth..).unwrap_or_default();
                let rest = if self.depth > 0 { rest.strip_prefix('.') } else { Some(rest) };
                // A name may itself have dots: `"http.status": 200`.
                let met = rest
                    .and_then(|rest| rest.strip_prefix(&*key))
                    .filter(|rest| rest.is_empty() || rest.starts_with('.'));
                if let Some(left) = met {
                    at.push(number);
                    depth = self.layout.fields[number].name.len() - left.len();
                }
            }
            match at.is_empty() {
                true => drop(map.next_value::<IgnoredAny>()?),
                false => map.next_value_seed(Walk { layout: self.layout, at, depth, values: &mut *self.values })?,
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_borrowed_str<E: Error>(self, text: &'a str) -> Result<(), E> {
        self.set(Cow::Borrowed(text));
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.set(Cow::Owned(text.to_string()));
        Ok(())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.set(Cow::Owned(number.to_string()));
        Ok(())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.set(Cow::Owned(number.to_string()));
        Ok(())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        self.set(Cow::Owned(number.to_string()));
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        // A status that is there and says nothing is one that nobody knows.
        for &number in &self.at {
            let field = &self.layout.fields[number];
            if field.name.len() == self.depth && says_status(&field.role) {
                self.values.0[number] = Some(Cow::Borrowed(""));
            }
        }
        Ok(())
    }
}
