//! Where the text of a file is read: by its name, or from the file that is held open, whatever its name is by now.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::encoding;
use crate::input::{self, Bytes};
use crate::{IngestError, Progress, Result};

/// A file of text.
#[derive(Clone, Debug)]
pub(super) struct Place {
    path: PathBuf,
    /// The file itself, where another may have its name by now.
    held: Option<Arc<File>>,
    /// Zero bytes before its text, which a truncation left while it was written. They count nowhere.
    hole: u64,
    /// Whether its text differs from its bytes: it is packed or not in UTF-8, or its lines end otherwise.
    packed: bool,
    /// Whether it is packed, and so finished.
    finished: bool,
}

impl Place {
    /// The file of this name.
    pub fn named(path: &Path) -> Result<Self> {
        Self::of(path, None)
    }

    /// This file, which had this name when it was opened.
    pub fn held(path: &Path, file: Arc<File>) -> Result<Self> {
        Self::of(path, Some(file))
    }

    fn of(path: &Path, held: Option<Arc<File>>) -> Result<Self> {
        let mut place = Self { path: path.to_path_buf(), held, hole: 0, packed: false, finished: false };
        let looked = place.look();
        looked.map_err(|error| IngestError::io(&place.name(), error))?;
        Ok(place)
    }

    fn look(&mut self) -> io::Result<()> {
        let mut head = Vec::new();
        self.raw(0)?.take(input::HEAD as u64).read_to_end(&mut head)?;
        self.finished = encoding::packing(&head).is_some();
        self.packed = self.finished || encoding::encoding(&head).is_some();
        if !self.packed {
            self.hole = input::without_hole(self.raw(0)?)?.0;
        }
        Ok(())
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn name(&self) -> String {
        self.path.display().to_string()
    }

    pub fn is_finished(&self) -> bool {
        self.finished
    }

    pub fn is_packed(&self) -> bool {
        self.packed
    }

    /// The first bytes of its text, unpacked.
    pub fn unpacked_head(&self) -> Result<Vec<u8>> {
        let raw = self.raw(0).map_err(|error| IngestError::io(&self.name(), error))?;
        Ok(input::unpack(&self.name(), raw, &Arc::default())?.0)
    }

    /// The first bytes of its text, which is not packed.
    pub fn head(&self) -> io::Result<Vec<u8>> {
        let mut head = Vec::new();
        self.raw(self.hole)?.take(input::HEAD as u64).read_to_end(&mut head)?;
        Ok(head)
    }

    pub fn is_parquet(&self) -> io::Result<bool> {
        Ok(self.head()?.starts_with(input::PARQUET_MAGIC))
    }

    /// Where so many bytes of its text end on disk, if it is not packed.
    pub fn on_disk(&self, bytes: u64) -> u64 {
        self.hole + bytes
    }

    /// Whether its text, which is not packed, is this one after so many bytes.
    pub fn holds(&self, after: u64, text: &[u8]) -> io::Result<bool> {
        let mut found = Vec::new();
        self.raw(self.hole + after)?.take(text.len() as u64).read_to_end(&mut found)?;
        Ok(found == text)
    }

    /// Its size on disk.
    pub fn size(&self) -> io::Result<u64> {
        match &self.held {
            Some(file) => Ok(file.metadata()?.len()),
            None => Ok(fs::metadata(&self.path)?.len()),
        }
    }

    /// Its text from the start. What is no text is refused.
    pub fn text(&self, progress: &Arc<Progress>) -> Result<Bytes> {
        let raw = self.raw(0).map_err(|error| IngestError::io(&self.name(), error))?;
        Ok(input::unpack(&self.name(), raw, progress)?.1)
    }

    /// Its text after so many bytes; `None` if it does not have so many.
    pub fn text_after(&self, bytes: u64, progress: &Arc<Progress>) -> io::Result<Option<Bytes>> {
        if !self.packed {
            return Ok(Some(input::counted(self.raw(self.hole + bytes)?, progress)));
        }
        let mut input = input::unpacked(input::counted(self.raw(0)?, progress));
        let passed = io::copy(&mut input.by_ref().take(bytes), &mut io::sink())?;
        Ok((passed == bytes).then_some(input))
    }

    /// Its bytes on disk from a place on.
    fn raw(&self, at: u64) -> io::Result<Bytes> {
        if let Some(file) = &self.held {
            return Ok(Box::new(Held { file: Arc::clone(file), at }));
        }
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(at))?;
        Ok(Box::new(file))
    }
}

/// A file that others read as well, each at a place of its own.
struct Held {
    file: Arc<File>,
    at: u64,
}

impl Read for Held {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read_at(buffer, self.at)?;
        self.at += n as u64;
        Ok(n)
    }
}
