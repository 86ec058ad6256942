//! Opening the file, and setting a corrupt one aside.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::clock::Timestamp;

use super::options::{BufferOptions, Durability};
use super::schema;

/// Why the file cannot be used at the moment.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It is damaged, or no database.
    Corrupt(String),
    /// It was removed or replaced while it was open.
    Removed,
    /// Full, locked, read-only, of a later version, somebody else's: it may pass.
    Failing(String),
}

impl Trouble {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Corrupt(text) | Self::Failing(text) => text,
            Self::Removed => "the file was removed",
        }
    }
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt(error.to_string()),
            _ => Self::Failing(error.to_string()),
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Failing(error.to_string())
    }
}

/// Opens the file for writing, made and migrated where needed.
pub(super) fn open(options: &BufferOptions) -> Result<Connection, Trouble> {
    if let Some(folder) = options.path.parent() {
        make_folder(folder)?;
    }
    make_file(&options.path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(&options.path, flags)?;
    conn.busy_timeout(options.busy_wait)?;
    let found = schema::version(&conn)?;
    if found > schema::current_version() {
        let known = schema::current_version();
        let text = format!("the file has schema {found}, this version of dexcost writes {known}");
        return Err(Trouble::Failing(text));
    }
    if schema::is_foreign(&conn)? {
        return Err(Trouble::Failing(
            "the file is a database of another program".to_owned(),
        ));
    }
    settings(&conn, options)?;
    schema::migrate(&conn)?;
    Ok(conn)
}

fn settings(conn: &Connection, options: &BufferOptions) -> rusqlite::Result<()> {
    let synchronous = match options.durability {
        Durability::Normal => "NORMAL",
        Durability::Full => "FULL",
    };
    // The answer of a pragma is a row; execute_batch steps over it.
    conn.execute_batch(&format!(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous};
         PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864;
         PRAGMA temp_store = MEMORY;"
    ))?;
    if let Some(pages) = options.max_pages {
        conn.execute_batch(&format!("PRAGMA max_page_count = {pages}"))?;
    }
    Ok(())
}

fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Makes an empty file that only its owner can read; SQLite gives its side files the same mode.
fn make_file(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Renames a corrupt file and its side files, deleting nothing. `false` where another process has
/// done so already, or where the file turns out to be sound and `surely` is not set.
pub(super) fn set_aside(path: &Path, now: Timestamp, surely: bool) -> io::Result<bool> {
    let guard = File::create(beside(path, ".aside"))?;
    guard.lock()?;
    if !surely && is_sound(path) {
        return Ok(false);
    }
    let stamp = now.to_string().replace([':', '.'], "-");
    let names = (0u32..).map(|n| match n {
        0 => format!(".corrupt-{stamp}"),
        _ => format!(".corrupt-{stamp}-{n}"),
    });
    let free = names.map(|name| beside(path, &name)).find(|name| !name.exists());
    let Some(target) = free else { return Ok(false) };
    for side in ["-wal", "-shm", "-journal"] {
        let from = beside(path, side);
        if from.exists() {
            std::fs::rename(from, beside(&target, side))?;
        }
    }
    std::fs::rename(path, target)?;
    Ok(true)
}

/// What tells a file from another one under the same name; `None` where there is none, or where the
/// system does not say.
pub(super) fn identity(path: &Path) -> Option<(u64, u64)> {
    let file = std::fs::metadata(path).ok()?;
    #[cfg(unix)]
    return Some((
        std::os::unix::fs::MetadataExt::dev(&file),
        std::os::unix::fs::MetadataExt::ino(&file),
    ));
    #[cfg(not(unix))]
    return file.is_file().then_some((0, 0));
}

fn is_sound(path: &Path) -> bool {
    let check = || -> rusqlite::Result<bool> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(path, flags)?;
        conn.busy_timeout(Duration::from_secs(1))?;
        let answer: String = conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        Ok(answer == "ok")
    };
    match check() {
        Ok(sound) => sound,
        Err(error) => !matches!(Trouble::from(error), Trouble::Corrupt(_)),
    }
}

pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
