//! How plain data of definitions is written where a plan that travels takes them along.

/// An exact share: numerator and denominator.
pub(crate) mod share {
    use nines_timeline::Share;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

    pub fn serialize<S: Serializer>(share: &Share, to: S) -> Result<S::Ok, S::Error> {
        (share.numerator(), share.denominator()).serialize(to)
    }

    pub fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Share, D::Error> {
        let (numerator, denominator) = Deserialize::deserialize(from)?;
        Share::from_ratio(numerator, denominator)
            .ok_or_else(|| de::Error::custom(format_args!("{numerator}/{denominator} is no share")))
    }
}

/// Where slices lie: an offset and a width in µs.
pub(crate) mod grid {
    use nines_timeline::Grid;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(grid: &Grid, to: S) -> Result<S::Ok, S::Error> {
        (grid.offset(), grid.width()).serialize(to)
    }

    pub fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Grid, D::Error> {
        let (offset, width) = Deserialize::deserialize(from)?;
        Ok(Grid::new(offset, width))
    }
}

/// A time zone by its name.
pub(crate) mod zone {
    use chrono_tz::Tz;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub fn serialize<S: Serializer>(zone: &Tz, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(zone.name())
    }

    pub fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Tz, D::Error> {
        let name = String::deserialize(from)?;
        name.parse().map_err(|_| de::Error::custom(format_args!("{name:?} is no time zone")))
    }
}
