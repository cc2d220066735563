//! Version 0 of a table: its protocol and metadata.
//!
//! Written by hand rather than through the kernel, which creates tables of protocol (3, 7) only. The
//! entry is created only if absent, so of two processes that create the same table both succeed and one wrote it.

use std::sync::Arc;

use chrono::Utc;
use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema};
use delta_kernel::engine::arrow_conversion::TryFromArrow;
use delta_kernel::schema::StructType;
use delta_kernel::snapshot::SnapshotRef;
use delta_kernel::table_features::ColumnMappingMode;
use serde_json::{Value, json};

use super::entry::sealed;
use super::seal::{ENTRY_SEAL, UNSEALED};
use super::{Log, WRITTEN_BY};
use crate::error::{Result, StoreError, StoreErrorKind};

impl Log {
    /// Makes sure that the table exists.
    pub(crate) async fn create(&self) -> Result<()> {
        let now = Utc::now().timestamp_millis();
        let schema = self.schema_string()?;
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
                "configuration": {"delta.setTransactionRetentionDuration": "interval 30 days"},
                "createdTime": now,
            }}),
        ];
        self.objects.put_new(&self.place(0).entry(), sealed(&entry)).await?;
        Ok(())
    }

    /// The table's schema as the log states it: the stored columns, then the partition column.
    fn delta_schema(&self) -> Result<StructType> {
        let stored = self.kind.schema(self.slice_seconds);
        let mut fields: Vec<Field> = stored
            .fields()
            .iter()
            .map(|field| field.as_ref().clone().with_data_type(nullable_inside(field.data_type())))
            .collect();
        fields.extend(self.kind.partition().column());
        Ok(StructType::try_from_arrow(&Schema::new(fields))?)
    }

    /// Refuses a table that is not laid out as this program expects. Only what came in later may be absent.
    pub(super) fn check_schema(&self, snapshot: &SnapshotRef) -> Result<()> {
        let (mut expected, found) = (columns(&self.delta_schema()?), columns(&snapshot.schema()));
        let is_there = |name: &str| found.iter().any(|(known, ..)| known == name);
        expected.retain(|(name, ..)| is_there(name) || !self.kind.later().contains(&name.as_str()));
        if expected == found {
            return self.check_slice_seconds(snapshot);
        }
        Err(StoreError::new(
            StoreErrorKind::Incompatible,
            format!(
                "the columns of {self} are not those that this version of nines knows; use the version that wrote it"
            ),
        ))
    }
}

/// Name, type and whether NULL may stand there.
fn columns(schema: &StructType) -> Vec<(String, delta_kernel::schema::DataType, bool)> {
    schema.fields().map(|field| (field.name().clone(), field.data_type().clone(), field.nullable)).collect()
}

impl Log {
    /// The `metaData` action that gives a table of an earlier version the columns that came in later; `None` if it has them all.
    pub(crate) async fn later_columns(&self, snapshot: &SnapshotRef) -> Result<Option<Value>> {
        if columns(&snapshot.schema()).len() == columns(&self.delta_schema()?).len() {
            return Ok(None);
        }
        let first = self.entry(0).await?;
        let actions = first.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let mut metadata = None;
        for action in actions {
            let action: Value = serde_json::from_slice(action).map_err(|error| {
                StoreError::caused(StoreErrorKind::Corrupt, format_args!("entry 0 of {self}"), error)
            })?;
            metadata = action.get("metaData").cloned().or(metadata);
        }
        let mut metadata = metadata.ok_or_else(|| StoreError::corrupt(format!("entry 0 of {self} has no metadata")))?;
        metadata["schemaString"] = self.schema_string()?.into();
        Ok(Some(json!({ "metaData": metadata })))
    }

    fn schema_string(&self) -> Result<String> {
        serde_json::to_string(&self.delta_schema()?)
            .map_err(|error| StoreError::caused(StoreErrorKind::Internal, "cannot write the table's schema", error))
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
        match switched_on.iter().find(|(_, on)| *on == Some(true)) {
            None => Ok(()),
            Some((property, _)) => Err(StoreError::new(
                StoreErrorKind::Incompatible,
                format!("another program has set {property} in {self}, with which nines cannot write; unset it there"),
            )),
        }
    }
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
