//! Version 0 of a table: its protocol and metadata.
//!
//! Written by hand rather than through the kernel, which creates tables of protocol (3, 7) only. The
//! entry is created only if absent, so of two processes that create the same table both succeed and one wrote it.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema};
use delta_kernel::engine::arrow_conversion::TryFromArrow;
use delta_kernel::schema::{StructField, StructType};
use delta_kernel::snapshot::SnapshotRef;
use delta_kernel::table_features::ColumnMappingMode;
use serde_json::{Value, json};

use super::entry::sealed;
use super::seal::{ENTRY_SEAL, UNSEALED};
use super::{Log, WRITTEN_BY};
use crate::error::{Result, StoreError, StoreErrorKind};
use crate::write::LaterColumns;

/// The properties that say how long entries of the log, and files that no longer count, are kept.
const LOG_RETENTION: &str = "delta.logRetentionDuration";
const FILE_RETENTION: &str = "delta.deletedFileRetentionDuration";
/// How long that is as long as nobody says otherwise.
const KEPT: Duration = Duration::from_secs(30 * 86_400);

fn interval(kept: Duration) -> String {
    format!("interval {} days", kept.as_secs().div_ceil(86_400))
}

impl Log {
    /// Makes sure that the table exists.
    pub(crate) async fn create(&self) -> Result<()> {
        let now = Utc::now().timestamp_millis();
        let schema = schema_string(&self.delta_schema(|name| !self.kind.later().contains(&name))?)?;
        let entry = [
            json!({"commitInfo": {
                "timestamp": now,
                "operation": "CREATE TABLE",
                "operationParameters": {},
                "engineInfo": WRITTEN_BY,
                "table": self.kind.name(),
                "version": 0,
                ENTRY_SEAL: UNSEALED,
            }}),
            json!({"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}),
            json!({"metaData": {
                "id": uuid::Uuid::new_v4().to_string(),
                "name": self.kind.name(),
                "format": {"provider": "parquet", "options": {}},
                "schemaString": schema,
                "partitionColumns": self.kind.partition().column().iter().map(Field::name).collect::<Vec<_>>(),
                "configuration": {
                    "delta.setTransactionRetentionDuration": "interval 30 days",
                    // What other programs may remove on their own: nothing that a version of the last 30 days needs.
                    LOG_RETENTION: interval(KEPT),
                    FILE_RETENTION: interval(KEPT),
                },
                "createdTime": now,
            }}),
        ];
        self.objects.put_new(&self.place(0).entry(), sealed(&entry)).await?;
        self.put_record().await
    }

    /// The table's schema as the log states it: the stored columns that it has, then the partition column.
    fn delta_schema(&self, has: impl Fn(&str) -> bool) -> Result<StructType> {
        let stored = self.kind.stored_schema(self.slice_seconds);
        let mut fields: Vec<Field> = stored
            .fields()
            .iter()
            .filter(|field| has(field.name()))
            .map(|field| field.as_ref().clone().with_data_type(nullable_inside(field.data_type())))
            .collect();
        fields.extend(self.kind.partition().column());
        Ok(StructType::try_from_arrow(&Schema::new(fields))?)
    }

    /// Refuses a table whose columns are not laid out as this program expects. Those that came in later may be absent, and
    /// those that a newer version added are not looked at: `nines.json` says whether that may be.
    pub(super) fn check_schema(&self, snapshot: &SnapshotRef) -> Result<()> {
        let found = snapshot.schema();
        for expected in self.delta_schema(|_| true)?.fields() {
            match found.field(expected.name()) {
                Some(field) if (&field.data_type, field.nullable) == (&expected.data_type, expected.nullable) => {}
                None if self.kind.later().contains(&expected.name().as_str()) => {}
                _ => return Err(self.other_columns(&format!("column {} is not as expected", expected.name()))),
            }
        }
        match self.unknown_columns(snapshot).find(|field| !field.nullable) {
            Some(field) => Err(self.other_columns(&format!("column {} is unknown", field.name()))),
            None => self.check_slice_seconds(snapshot),
        }
    }

    fn other_columns(&self, why: &str) -> StoreError {
        StoreError::new(
            StoreErrorKind::Incompatible,
            format!(
                "the columns of {self} are not those that nines {} knows ({why}); use the version that wrote it",
                env!("CARGO_PKG_VERSION")
            ),
        )
    }

    /// The columns of a table that this program does not know.
    fn unknown_columns(&self, snapshot: &SnapshotRef) -> impl Iterator<Item = StructField> {
        let stored = self.kind.stored_schema(self.slice_seconds);
        let partition = self.kind.partition().column();
        let known = move |name: &str| {
            stored.field_with_name(name).is_ok() || partition.as_ref().is_some_and(|column| column.name() == name)
        };
        let unknown: Vec<StructField> =
            snapshot.schema().fields().filter(|field| !known(field.name())).cloned().collect();
        unknown.into_iter()
    }

    /// Adds the columns that a table has to a set.
    pub(crate) fn has_columns(&self, snapshot: &SnapshotRef, columns: &LaterColumns) {
        snapshot.schema().fields().for_each(|field| columns.need(field.name()));
    }

    /// The `metaData` action that gives a table the columns of a set that it does not have yet; `None` if it has them all.
    pub(crate) async fn with_columns(&self, snapshot: &SnapshotRef, columns: &LaterColumns) -> Result<Option<Value>> {
        let schema = self.delta_schema(|name| columns.has(name))?;
        let has = |name: &str| snapshot.schema().field(name).is_some();
        if schema.fields().all(|field| has(field.name())) {
            return Ok(None);
        }
        let mut metadata = self.metadata(snapshot.version()).await?;
        metadata["schemaString"] = schema_string(&schema)?.into();
        Ok(Some(json!({ "metaData": metadata })))
    }

    /// The `metaData` action that lets other programs keep what is retained so long; `None` if the table says so already, or nothing is
    /// kept by time.
    pub(crate) async fn with_kept(&self, snapshot: &SnapshotRef, kept: Duration) -> Result<Option<Value>> {
        let properties = snapshot.table_properties();
        let said = [properties.log_retention_duration, properties.deleted_file_retention_duration];
        let days = Duration::from_secs(kept.as_secs().div_ceil(86_400) * 86_400);
        if kept.is_zero() || said == [Some(days); 2] {
            return Ok(None);
        }
        let properties = [LOG_RETENTION, FILE_RETENTION].into_iter().map(|property| (property, interval(kept)));
        self.with_properties(snapshot, properties).await.map(Some)
    }

    /// The `metaData` action that says what a snapshot's says.
    pub(crate) async fn metadata_of(&self, snapshot: &SnapshotRef) -> Result<Value> {
        Ok(json!({ "metaData": self.metadata(snapshot.version()).await? }))
    }

    /// The `metaData` action that gives a table these properties.
    pub(crate) async fn with_properties(
        &self,
        snapshot: &SnapshotRef,
        properties: impl Iterator<Item = (&'static str, String)>,
    ) -> Result<Value> {
        let mut metadata = self.metadata(snapshot.version()).await?;
        for (property, value) in properties {
            metadata["configuration"][property] = value.into();
        }
        Ok(json!({ "metaData": metadata }))
    }

    /// Refuses to write to a table in which another program has switched on what an entry of ours would break.
    pub(crate) fn check_writable(&self, snapshot: &SnapshotRef) -> Result<()> {
        let properties = snapshot.table_properties();
        let switched_on = [
            ("delta.appendOnly", properties.append_only),
            ("delta.enableChangeDataFeed", properties.enable_change_data_feed),
            ("delta.enableDeletionVectors", properties.enable_deletion_vectors),
            ("delta.enableInCommitTimestamps", properties.enable_in_commit_timestamps),
            ("delta.enableRowTracking", properties.enable_row_tracking),
            ("delta.columnMapping.mode", properties.column_mapping_mode.map(|mode| mode != ColumnMappingMode::None)),
        ];
        if let Some(unknown) = self.unknown_columns(snapshot).next() {
            let name = unknown.name();
            return Err(StoreError::new(
                StoreErrorKind::Incompatible,
                format!(
                    "{self} has a column {name} that nines {} does not know and would lose; write with the version that \
                     added it, remove the column with the program that did, or go back to a version without it: nines \
                     log {table} and nines restore {table} --to VERSION",
                    env!("CARGO_PKG_VERSION"),
                    table = self.kind.name()
                ),
            ));
        }
        match switched_on.iter().find(|(_, on)| *on == Some(true)) {
            None => Ok(()),
            Some((property, _)) => Err(StoreError::new(
                StoreErrorKind::Incompatible,
                format!(
                    "another program has set {property} in {self}, with which nines cannot write; unset it there, or go \
                     back to a version before: nines log {table} and nines restore {table} --to VERSION",
                    table = self.kind.name()
                ),
            )),
        }
    }
}

fn schema_string(schema: &StructType) -> Result<String> {
    serde_json::to_string(schema)
        .map_err(|error| StoreError::caused(StoreErrorKind::Internal, "cannot write the table's schema", error))
}

/// Delta engines reject NOT NULL inside structs and lists, so only top-level columns carry it.
fn nullable_inside(data_type: &DataType) -> DataType {
    let inner = |field: &Field| field.clone().with_data_type(nullable_inside(field.data_type())).with_nullable(true);
    match data_type {
        DataType::Utf8View => DataType::Utf8,
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(|field| inner(field)).collect::<Fields>()),
        DataType::List(item) => DataType::List(Arc::new(inner(item))),
        other => other.clone(),
    }
}
