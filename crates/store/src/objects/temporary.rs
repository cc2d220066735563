//! What puts into a local folder leave that are interrupted.

use std::fs;
use std::io;
use std::path::Path as FilePath;
use std::time::SystemTime;

use datafusion::object_store::path::Path;

/// The temporary files in a folder and the folders in it: path below `folder`, bytes, and when they were written last.
pub(super) fn files(at: &FilePath, folder: &Path) -> io::Result<Vec<(Path, u64, SystemTime)>> {
    let mut found = Vec::new();
    let entries = match fs::read_dir(at) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let metadata = match entry.metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            metadata => metadata?,
        };
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        if metadata.is_dir() {
            found.extend(files(&entry.path(), &folder.clone().join(name))?);
        } else if is_temporary(name) {
            found.push((folder.clone().join(name), metadata.len(), metadata.modified()?));
        }
    }
    Ok(found)
}

/// `name#digits`
fn is_temporary(name: &str) -> bool {
    name.rsplit_once('#').is_some_and(|(_, digits)| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}
