//! Files that appear only when they are complete.

use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::{CliError, Result, doing};

/// Writes a file that appears only when it is complete.
pub(crate) fn whole_file(file: &Path, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    if is_standard_output(file) {
        let mut whole = Vec::new();
        write(&mut whole)?;
        return doing("writing to standard output", std::io::stdout().write_all(&whole));
    }
    let mut whole = beside(file)?;
    write(&mut whole)?;
    put(whole, file)
}

/// Refuses a file that cannot be.
pub(crate) fn can_be_written(file: &Path) -> Result<()> {
    if is_standard_output(file) { Ok(()) } else { beside(file).map(drop) }
}

/// Whether a name means standard output: what stands behind it, a file that a shell appends to perhaps, is not replaced.
pub(crate) fn is_standard_output(file: &Path) -> bool {
    ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].iter().any(|name| file == Path::new(name))
}

/// A temporary file in the folder of another one, or anywhere if that is a pipe or a device.
pub(super) fn beside(file: &Path) -> Result<NamedTempFile> {
    let file = &behind(file);
    let mut builder = tempfile::Builder::new();
    builder.prefix(".nines-");
    if is_special(file) {
        return doing(format_args!("writing {}", file.display()), builder.tempfile());
    }
    let folder = match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let wrong = match (folder.is_dir(), file.is_dir()) {
        (false, _) => format!("{}: there is no folder {}", file.display(), folder.display()),
        (_, true) => format!("{} is a folder; expected the name of a file", file.display()),
        _ => String::new(),
    };
    if !wrong.is_empty() {
        return Err(CliError::Usage(wrong));
    }
    let created = builder.permissions(readable()).tempfile_in(folder);
    doing(format_args!("writing {}", file.display()), created)
}

/// What a link leads to: the link stays.
fn behind(file: &Path) -> PathBuf {
    match file.is_symlink() && !is_descriptor(file) {
        true => std::fs::canonicalize(file).unwrap_or_else(|_| file.to_path_buf()),
        false => file.to_path_buf(),
    }
}

/// Whether it is something that takes text but is no file, such as /dev/null: nothing may be put in its place.
fn is_special(file: &Path) -> bool {
    is_descriptor(file) || std::fs::metadata(file).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

/// Whether it is something that this process has open.
fn is_descriptor(file: &Path) -> bool {
    ["/dev/fd", "/proc/self/fd"].iter().any(|folder| file.starts_with(folder)) || file == Path::new("/dev/stderr")
}

/// Puts what was written into its place.
pub(super) fn put(whole: NamedTempFile, file: &Path) -> Result<()> {
    let file = &behind(file);
    if is_special(file) {
        let copied = || std::io::copy(&mut whole.reopen()?, &mut std::fs::OpenOptions::new().append(true).open(file)?);
        return doing(file.display(), copied()).map(drop);
    }
    // Who may read a file that is replaced may read what replaces it, and nobody else.
    if let Ok(replaced) = std::fs::metadata(file) {
        doing(file.display(), whole.as_file().set_permissions(replaced.permissions()))?;
    }
    doing(file.display(), whole.as_file().sync_all())?;
    whole.persist(file).map(drop).map_err(|error| CliError::Io(file.display().to_string(), error.error))
}

/// A temporary file is private by default; a result is for others too, as the umask allows.
fn readable() -> std::fs::Permissions {
    use std::os::unix::fs::PermissionsExt;
    std::fs::Permissions::from_mode(0o666)
}
