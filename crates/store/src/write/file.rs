//! One data file: how it is encoded, named and put.
//!
//! The encoded bytes of a file are kept until it is finished, because its name carries their checksum;
//! a file that grows beyond [`FULL_BYTES`] is closed and the partition goes on in another one.

use std::sync::Arc;

use chrono::Utc;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Field, SchemaRef};
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::parquet::basic::{Compression, Encoding, ZstdLevel};
use datafusion::parquet::file::metadata::SortingColumn;
use datafusion::parquet::file::properties::{EnabledStatistics, WriterProperties};
use datafusion::parquet::schema::types::ColumnPath;

use super::blocks::{BlockWriter, Encoded};
use crate::error::{Result, StoreError};
use crate::log::{Bounds, FileName, NewFile, WRITTEN_BY};
use crate::objects::{BLOCK, Objects};
use crate::schema::TableKind;

use super::layout::{Layout, present};
use super::written::Written;

/// Rows of a row group. With sorted rows, a group is a range of series.
const GROUP_ROWS: usize = 1 << 20;
/// A row group is closed early when its encoders hold this much (wide histograms).
const GROUP_BYTES: usize = 64 << 20;
/// Rows of a data page, the unit that a reader can skip.
const PAGE_ROWS: usize = 20_000;
/// Texts up to this many bytes have exact bounds; Parquet abbreviates longer ones.
const EXACT_BYTES: usize = 256;
/// Bytes after which a file is closed.
const FULL_BYTES: usize = 128 << 20;

fn properties(kind: TableKind, schema: &SchemaRef, level: i32) -> Result<WriterProperties> {
    let mut leaves = Vec::new();
    schema.fields().iter().for_each(|field| find_leaves(field, &mut Vec::new(), &mut leaves));
    let leaf = |name: &str| leaves.iter().position(|leaf| matches!(leaf.as_slice(), [only] if only == name));
    let sorting = present(kind, schema).map(|name| {
        let leaf = leaf(name).ok_or_else(|| StoreError::internal(format!("key column {name} is not flat")))?;
        Ok(SortingColumn { column_idx: leaf as i32, descending: false, nulls_first: false })
    });
    let mut properties = WriterProperties::builder()
        .set_created_by(WRITTEN_BY.to_string())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(level)?))
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_max_row_group_bytes(Some(GROUP_BYTES))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_statistics_truncate_length(Some(EXACT_BYTES))
        .set_sorting_columns(Some(sorting.collect::<Result<_>>()?));
    if kind.is_series() {
        let time = ColumnPath::from("time");
        properties = properties
            .set_column_dictionary_enabled(time.clone(), false)
            .set_column_encoding(time, Encoding::DELTA_BINARY_PACKED);
    }
    for field in schema.fields().iter().filter(|field| field.data_type().is_nested()) {
        let mut leaves = Vec::new();
        find_leaves(field, &mut Vec::new(), &mut leaves);
        // Nobody asks for the smallest bucket of a page.
        for leaf in leaves {
            properties = properties.set_column_statistics_enabled(ColumnPath::new(leaf), EnabledStatistics::None);
        }
    }
    Ok(properties.build())
}

/// The Parquet columns of a field.
fn find_leaves(field: &Field, path: &mut Vec<String>, leaves: &mut Vec<Vec<String>>) {
    path.push(field.name().clone());
    match field.data_type() {
        DataType::Struct(fields) => fields.iter().for_each(|field| find_leaves(field, path, leaves)),
        DataType::List(item) => {
            path.push("list".to_string());
            find_leaves(item, path, leaves);
            path.pop();
        }
        _ => leaves.push(path.clone()),
    }
    path.pop();
}

/// Files for rows that come in order, the next one when the partition changes or a file is full.
pub(crate) struct PartitionFiles<'a> {
    layout: &'a Arc<Layout>,
    objects: &'a Objects,
    written: &'a Written,
    memory: MemoryReservation,
    open: Option<Writer>,
    done: Vec<NewFile>,
    /// What is left of the name of the rows, where they are stored already: the names of the files add up to it.
    content: Option<u64>,
}

impl<'a> PartitionFiles<'a> {
    pub(crate) fn new(
        layout: &'a Arc<Layout>,
        objects: &'a Objects,
        written: &'a Written,
        memory: MemoryReservation,
    ) -> Self {
        Self { layout, objects, written, memory, open: None, done: Vec::new(), content: None }
    }

    /// Files for rows of one partition that are stored already, and are called so.
    pub(crate) fn same_rows(
        layout: &'a Arc<Layout>,
        objects: &'a Objects,
        written: &'a Written,
        memory: MemoryReservation,
        content: u64,
    ) -> Self {
        Self { content: Some(content), ..Self::new(layout, objects, written, memory) }
    }

    /// Appends rows that follow the last ones in order of partition and key.
    pub(crate) async fn write(&mut self, first_day: i32, rows: &RecordBatch) -> Result<()> {
        let mut writer = match self.open.take() {
            Some(writer) if writer.first_day == first_day && !writer.is_full() => writer,
            full => {
                if let Some(full) = full {
                    let content = random();
                    self.content = self.content.map(|left| left.wrapping_sub(content));
                    self.close(full, content).await?;
                }
                let schema = self.written.columns().of_file(self.layout.schema(), &rows.schema());
                Writer::new(Arc::clone(self.layout), schema, first_day)?
            }
        };
        writer.write(rows)?;
        self.memory.resize(writer.memory());
        self.open = Some(writer);
        Ok(())
    }

    pub(crate) async fn finish(mut self) -> Result<Vec<NewFile>> {
        if let Some(last) = self.open.take() {
            let content = self.content.unwrap_or_else(random);
            self.close(last, content).await?;
        }
        Ok(self.done)
    }

    async fn close(&mut self, writer: Writer, content: u64) -> Result<()> {
        self.done.push(writer.finish(self.objects, self.written, content).await?);
        Ok(())
    }
}

/// Writes rows of one partition into one file.
struct Writer {
    layout: Arc<Layout>,
    schema: SchemaRef,
    first_day: i32,
    rows: usize,
    parquet: BlockWriter,
}

impl Writer {
    fn new(layout: Arc<Layout>, schema: SchemaRef, first_day: i32) -> Result<Self> {
        let parquet = BlockWriter::new(&schema, properties(layout.kind(), &schema, layout.level())?, BLOCK)?;
        Ok(Self { layout, schema, first_day, rows: 0, parquet })
    }

    /// Bytes that it holds.
    fn memory(&self) -> usize {
        self.parquet.memory()
    }

    fn is_full(&self) -> bool {
        self.parquet.written() >= FULL_BYTES
    }

    /// Appends rows that follow the last ones in the table's order.
    fn write(&mut self, rows: &RecordBatch) -> Result<()> {
        self.rows += rows.num_rows();
        // The stream's batches do not carry the metadata of the table's fields.
        let columns = self.schema.fields().iter().map(|field| Arc::clone(&rows[field.name().as_str()])).collect();
        let rows = RecordBatch::try_new(Arc::clone(&self.schema), columns)?;
        self.parquet.write(&rows)
    }

    /// Closes the file and puts it under a name that nobody else can have.
    async fn finish(self, objects: &Objects, written: &Written, content: u64) -> Result<NewFile> {
        let Encoded { bytes, tail, crc, metadata } = self.parquet.finish()?;
        let partition = self.layout.kind().partition();
        let (first_day, folder) = match partition.column() {
            Some(column) => (Some(self.first_day), format!("{}={}/", column.name(), partition.told(self.first_day)?)),
            None => (None, String::new()),
        };
        let file = NewFile {
            path: format!("{folder}{}", FileName::new(content, tail, crc)),
            first_day,
            size: bytes.len() as u64,
            rows: self.rows as u64,
            bounds: Bounds::from_parquet(self.layout.kind(), &metadata)?,
            written_at: Utc::now().timestamp_millis(),
        };
        let at = file.object_path(self.layout.kind());
        written.begin(&at).await?;
        if !written.put(objects, &at, bytes).await? {
            return Err(StoreError::internal(format!("a file with the random name {at} exists already")));
        }
        Ok(file)
    }
}

/// A number by chance, for what other rows are called.
fn random() -> u64 {
    // Of the 128 bits six are fixed, each in another half than its counterpart.
    let (high, low) = uuid::Uuid::new_v4().as_u64_pair();
    high ^ low
}
