//! The session's time zone: every way to set it, checked, written as the one setting that DataFusion knows.

use std::fmt;
use std::str::FromStr;

use chrono_tz::{TZ_VARIANTS, Tz};
use datafusion::sql::parser::{ResetStatement, Statement};
use datafusion::sql::sqlparser::ast::{Expr, Ident, ObjectName, Set, Statement as Sql, Value};
use nines_slo::nearest;

use crate::{EngineError, Result};

/// A time zone, by its IANA name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone(Tz);

impl Zone {
    /// Where clocks show UTC.
    pub const UTC: Zone = Zone(Tz::UTC);

    /// The name as it is spelled in the IANA's list, such as `Asia/Shanghai`.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The zone itself.
    pub fn tz(self) -> Tz {
        self.0
    }
}

impl Default for Zone {
    fn default() -> Self {
        Zone::UTC
    }
}

impl FromStr for Zone {
    type Err = EngineError;

    /// Capitals count for nothing.
    fn from_str(name: &str) -> Result<Self> {
        let found = TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(name));
        found.map(|zone| Zone(*zone)).ok_or_else(|| no_zone(name))
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The setting's name.
const SETTING: &str = "datafusion.execution.time_zone";

/// Writes `SET TIME ZONE 'Asia/Shanghai'`, `SET timezone = …` and the like as DataFusion's own setting, and `RESET` as setting it
/// to `usual`. Refuses what is no time zone. Other statements stay as they are.
pub(crate) fn set(statement: &mut Statement, usual: Zone) -> Result<()> {
    let zone = match statement {
        Statement::Reset(ResetStatement::Variable(name)) if is_zone(name) => usual,
        Statement::Statement(sql) => match sql.as_ref() {
            Sql::Set(Set::SetTimeZone { local: false, value }) => told(value, usual)?,
            Sql::Set(Set::SingleAssignment { scope: None, hivevar: false, variable, values }) if is_zone(variable) => {
                match values.as_slice() {
                    [value] => told(value, usual)?,
                    _ => return Err(no_zone(&values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))),
                }
            }
            _ => return Ok(()),
        },
        _ => return Ok(()),
    };
    *statement = Statement::Statement(Box::new(Sql::Set(Set::SingleAssignment {
        scope: None,
        hivevar: false,
        variable: ObjectName::from(SETTING.split('.').map(Ident::new).collect::<Vec<_>>()),
        values: vec![Expr::value(Value::SingleQuotedString(zone.to_string()))],
    })));
    Ok(())
}

/// Whether the setting has one of its names.
fn is_zone(name: &ObjectName) -> bool {
    let name = name.to_string().replace('"', "").to_lowercase();
    [SETTING, "timezone", "time.zone", "time_zone"].contains(&name.as_str())
}

/// The zone that a value names.
fn told(value: &Expr, usual: Zone) -> Result<Zone> {
    match value {
        Expr::Identifier(word) if word.quote_style.is_none() && is_usual(&word.value) => Ok(usual),
        Expr::Identifier(word) => word.value.parse(),
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(name) | Value::DoubleQuotedString(name) => name.parse(),
            other => Err(no_zone(&other.to_string())),
        },
        other => Err(no_zone(&other.to_string())),
    }
}

fn is_usual(word: &str) -> bool {
    word.eq_ignore_ascii_case("default") || word.eq_ignore_ascii_case("local")
}

fn no_zone(name: &str) -> EngineError {
    let names: Vec<&str> = TZ_VARIANTS.iter().map(|zone: &Tz| zone.name()).collect();
    let city = |zone: &&&str| zone.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(name));
    let near = names.iter().find(city).copied().or_else(|| nearest(name, &names));
    let expected = match near {
        Some(near) => format!("did you mean {near}?"),
        None => "expected a name such as Asia/Shanghai or UTC".to_string(),
    };
    EngineError::Usage(format!("{name} is no time zone; {expected}"))
}

#[cfg(test)]
mod tests {
    use datafusion::sql::parser::DFParserBuilder;

    use super::*;
    use crate::tokens::DIALECT;

    fn written(sql: &str) -> String {
        let parser = DFParserBuilder::new(sql).with_dialect(&DIALECT).build();
        let mut statement = parser.unwrap().parse_statement().unwrap();
        match set(&mut statement, "Asia/Kolkata".parse().unwrap()) {
            Ok(()) => statement.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn every_spelling_is_one_setting() {
        for sql in [
            "SET TIME ZONE 'Asia/Shanghai'",
            "SET TIME ZONE = 'Asia/Shanghai'",
            "SET TIMEZONE TO 'asia/shanghai'",
            "SET timezone = 'Asia/Shanghai'",
            "SET time_zone = \"Asia/Shanghai\"",
            "SET datafusion.execution.time_zone = 'Asia/Shanghai'",
            "SET DataFusion.Execution.Time_Zone TO 'Asia/Shanghai'",
        ] {
            assert_eq!(written(sql), "SET datafusion.execution.time_zone = 'Asia/Shanghai'", "{sql}");
        }
        for sql in
            ["RESET timezone", "RESET datafusion.execution.time_zone", "SET TIME ZONE DEFAULT", "SET TIME ZONE LOCAL"]
        {
            assert_eq!(written(sql), "SET datafusion.execution.time_zone = 'Asia/Kolkata'", "{sql}");
        }
        assert_eq!(written("SET TIME ZONE UTC"), "SET datafusion.execution.time_zone = 'UTC'");
        assert_eq!(written("SET datafusion.execution.batch_size = 7"), "SET datafusion.execution.batch_size = 7");
    }

    #[test]
    fn what_is_no_zone_is_refused_with_the_nearest() {
        assert_eq!(written("SET TIME ZONE 'Shanghai'"), "Shanghai is no time zone; did you mean Asia/Shanghai?");
        assert_eq!(
            written("SET TIME ZONE 'Asia/Shangai'"),
            "Asia/Shangai is no time zone; did you mean Asia/Shanghai?"
        );
        for sql in
            ["SET TIME ZONE '+08:00'", "SET TIME ZONE 8", "SET TIME ZONE INTERVAL '8 hours'", "SET timezone = NULL"]
        {
            assert!(written(sql).contains("is no time zone; expected a name such as Asia/Shanghai or UTC"), "{sql}");
        }
    }
}
