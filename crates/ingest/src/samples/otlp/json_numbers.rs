//! Numbers as JSON of protobuf writes them: 64 bits as a text, what is no number as a word; and `null` for what is not given.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error, Unexpected, Visitor};

/// A number in any of these ways.
pub(super) trait Number: Sized {
    const EXPECTED: &'static str;

    fn whole(number: i128) -> Option<Self>;
    fn float(number: f64) -> Option<Self>;
    fn text(text: &str) -> Option<Self>;
}

macro_rules! whole {
    ($of:ty) => {
        impl Number for $of {
            const EXPECTED: &'static str = concat!("a whole number (", stringify!($of), "), as a number or a text");

            fn whole(number: i128) -> Option<Self> {
                number.try_into().ok()
            }

            fn float(number: f64) -> Option<Self> {
                // Larger ones are not exact.
                (number.fract() == 0.0 && number.abs() < 2f64.powi(53)).then_some(number as i128).and_then(Self::whole)
            }

            fn text(text: &str) -> Option<Self> {
                text.parse().ok()
            }
        }
    };
}

whole!(u64);
whole!(i64);
whole!(u32);
whole!(i32);

impl Number for f64 {
    const EXPECTED: &'static str = "a number, or one of NaN, Infinity and -Infinity as a text";

    fn whole(number: i128) -> Option<Self> {
        Some(number as f64)
    }

    fn float(number: f64) -> Option<Self> {
        Some(number)
    }

    fn text(text: &str) -> Option<Self> {
        match text {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ if text.starts_with(|c: char| c.is_ascii_digit() || c == '-') => text.parse().ok(),
            _ => None,
        }
    }
}

/// A number, or nothing.
struct Given<N>(Option<N>);

impl<'de, N: Number> Deserialize<'de> for Given<N> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_any(NumberVisitor(PhantomData))
    }
}

struct NumberVisitor<N>(PhantomData<N>);

impl<N: Number> NumberVisitor<N> {
    fn given<E: Error>(number: Option<N>, found: Unexpected<'_>) -> Result<Given<N>, E> {
        match number {
            Some(number) => Ok(Given(Some(number))),
            None => Err(E::invalid_value(found, &N::EXPECTED)),
        }
    }
}

impl<N: Number> Visitor<'_> for NumberVisitor<N> {
    type Value = Given<N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(N::EXPECTED)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Given<N>, E> {
        Self::given(N::whole(i128::from(number)), Unexpected::Unsigned(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Given<N>, E> {
        Self::given(N::whole(i128::from(number)), Unexpected::Signed(number))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Given<N>, E> {
        Self::given(N::float(number), Unexpected::Float(number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Given<N>, E> {
        Self::given(N::text(text), Unexpected::Str(text))
    }

    fn visit_unit<E: Error>(self) -> Result<Given<N>, E> {
        Ok(Given(None))
    }
}

/// A number; what is not given is 0.
pub(super) fn number<'de, D: Deserializer<'de>, N: Number + Default>(json: D) -> Result<N, D::Error> {
    Ok(Given::deserialize(json)?.0.unwrap_or_default())
}

/// A number that may be missing.
pub(super) fn optional<'de, D: Deserializer<'de>, N: Number>(json: D) -> Result<Option<N>, D::Error> {
    Ok(Given::deserialize(json)?.0)
}

/// A list of numbers.
pub(super) fn list<'de, D: Deserializer<'de>, N: Number + Default>(json: D) -> Result<Vec<N>, D::Error> {
    let all: Option<Vec<Given<N>>> = Option::deserialize(json)?;
    Ok(all.unwrap_or_default().into_iter().map(|given| given.0.unwrap_or_default()).collect())
}

/// Anything; `null` is the default.
pub(super) fn nullable<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(json: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(json)?.unwrap_or_default())
}
