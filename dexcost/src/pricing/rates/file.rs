//! Reading and writing of rates files.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use crate::error::Error;

/// The largest rates file that is read. It holds some hundred thousand rates.
const MOST_BYTES: u64 = 8 << 20;

pub(super) fn read(path: &Path) -> Result<String, Error> {
    let broken = |reason: String| Error::PriceFile {
        origin: path.display().to_string(),
        at: None,
        reason,
    };
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|source| io_error(path, source))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(broken(format!("is larger than {MOST_BYTES} bytes")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        broken(format!("is not UTF-8 text (byte {at})"))
    })
}

/// Writes beside the file and renames, so that nobody ever sees half of it.
pub(super) fn write(path: &Path, text: &str) -> Result<(), Error> {
    let Some(name) = path.file_name() else {
        return Err(io_error(path, io::ErrorKind::IsADirectory.into()));
    };
    let suffix = format!(".{}-{:016x}.tmp", std::process::id(), fastrand::u64(..));
    let mut beside = name.to_owned();
    beside.push(suffix);
    let beside = path.with_file_name(beside);
    let written = write_through(&beside, text).and_then(|()| fs::rename(&beside, path));
    written.map_err(|source| {
        // It may not even exist; the first error is the one to tell.
        let _ = fs::remove_file(&beside);
        io_error(path, source)
    })
}

fn write_through(path: &Path, text: &str) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn io_error(path: &Path, source: io::Error) -> Error {
    Error::Io {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_a_huge_and_a_binary_file_are_named_in_the_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.yaml");
        assert!(matches!(read(&path), Err(Error::Io { .. })));
        assert!(matches!(read(folder.path()), Err(Error::Io { .. })));

        File::create(&path).unwrap().set_len(MOST_BYTES + 1).unwrap();
        let error = read(&path).unwrap_err().to_string();
        assert!(error.contains("r.yaml: is larger than 8388608 bytes"), "{error}");

        fs::write(&path, b"rates:\xff").unwrap();
        let error = read(&path).unwrap_err().to_string();
        assert!(error.contains("r.yaml: is not UTF-8 text (byte 6)"), "{error}");
    }

    #[test]
    fn a_write_that_fails_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.yaml");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("inside"), "x").unwrap();
        assert!(matches!(write(&path, "new"), Err(Error::Io { .. })));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(write(&folder.path().join("no/such/folder"), "new").is_err());
    }
}
