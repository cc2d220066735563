//! How the files of a table are put into folders: by UTC day, by UTC month, or all together.
//!
//! Everywhere in the store a partition is told by its first day, in days since 1970, so that days and months sort and
//! compare alike. The log and the folder's name tell it by one text, as any Delta reader expects it.

use chrono::{DateTime, Datelike, NaiveDate};
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::object_store::path::Path;

use crate::error::{Result, StoreError};

/// By what a table's files are put into folders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Partition {
    /// They are not.
    None,
    /// By the UTC day of their rows' `time`: `date=2026-10-31`.
    Day,
    /// By the month of their rows' `date`: `month=2026-10`.
    Month,
}

impl Partition {
    /// The partition column. It is in the log and in folder names, not in the files and not in SQL.
    pub(crate) fn column(self) -> Option<Field> {
        match self {
            Partition::None => None,
            Partition::Day => Some(Field::new("date", DataType::Date32, false)),
            // A month is no Delta type; as text it sorts and compares as months do.
            Partition::Month => Some(Field::new("month", DataType::Utf8, false)),
        }
    }

    /// The first day of the partition that a day is in, in days since 1970.
    pub(crate) fn first_day(self, day: i32) -> Result<i32> {
        match self {
            Partition::None => Ok(0),
            Partition::Day => Ok(day),
            Partition::Month => Ok(day - date(day)?.day0() as i32),
        }
    }

    /// What the log and the folder's name say of the partition with this first day.
    pub(crate) fn told(self, first_day: i32) -> Result<String> {
        let date = date(first_day)?;
        Ok(match self {
            Partition::Month => date.format("%Y-%m").to_string(),
            Partition::None | Partition::Day => date.format("%Y-%m-%d").to_string(),
        })
    }

    /// The first day of the partition that the log tells so; `None` if it is none.
    pub(crate) fn read(self, told: &str) -> Option<i32> {
        let date: NaiveDate = match self {
            Partition::None => return None,
            Partition::Day => told.parse().ok()?,
            Partition::Month => format!("{told}-01").parse().ok()?,
        };
        Some(date.to_epoch_days())
    }

    /// The first day of the partition that a file's folder tells; `None` if it tells none.
    pub(crate) fn of_folder(self, path: &Path) -> Option<i32> {
        let column = self.column()?;
        let told = path.parts().find_map(|part| {
            let (name, told) = part.as_ref().split_once('=')?;
            (name == column.name()).then(|| told.to_string())
        });
        self.read(&told?)
    }

    /// The last day of the partition with this first day.
    pub(crate) fn last_day(self, first_day: i32) -> Result<i32> {
        match self {
            Partition::None | Partition::Day => Ok(first_day),
            Partition::Month => Ok(first_day + i32::from(date(first_day)?.num_days_in_month()) - 1),
        }
    }
}

fn date(day: i32) -> Result<NaiveDate> {
    DateTime::from_timestamp(i64::from(day) * 86_400, 0)
        .map(|day| day.date_naive())
        .filter(|day| (0..=9999).contains(&day.year()))
        .ok_or_else(|| StoreError::rows(format!("day {day} since 1970 is outside the years 0 to 9999")))
}

#[cfg(test)]
mod tests {
    use super::Partition::{Day, Month};
    use super::Path;

    #[test]
    fn a_partition_is_told_and_read_alike() {
        for (partition, day, first, told) in [
            (Day, 0, 0, "1970-01-01"),
            (Day, -1, -1, "1969-12-31"),
            (Month, 0, 0, "1970-01"),
            (Month, 30, 0, "1970-01"),
            (Month, 31, 31, "1970-02"),
            (Month, -1, -31, "1969-12"),
            (Month, 20_727, 20_727, "2026-10"),
            (Month, 20_757, 20_727, "2026-10"),
        ] {
            assert_eq!(partition.first_day(day).unwrap(), first, "{partition:?} {day}");
            assert_eq!(partition.told(first).unwrap(), told);
            assert_eq!(partition.read(told), Some(first));
            let folder = format!("t/{}={told}/k1-0.parquet", partition.column().unwrap().name());
            assert_eq!(partition.of_folder(&Path::from(folder)), Some(first));
            assert!((first..=partition.last_day(first).unwrap()).contains(&day));
        }
        assert_eq!((Month.read("2026-13"), Month.read("2026-10-01"), Day.read("2026-10")), (None, None, None));
        assert!(Day.told(4_000_000).is_err());
    }
}
