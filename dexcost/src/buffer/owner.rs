//! Who writes to a file, and whether they still live.
//!
//! Each open buffer has a token and a file `<database>.owner-<token>` beside the database on which it
//! holds a lock that the kernel releases when the process ends, however it ends. Whoever can take that
//! lock knows that the owner is gone.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::clock::Timestamp;
use crate::id::TaskId;

/// The lock that shows that an owner lives.
#[derive(Debug)]
pub(super) struct Owner {
    pub(super) token: String,
    path: PathBuf,
    _lock: File,
}

impl Owner {
    /// Takes a fresh token and locks its file.
    pub(super) fn new(database: &Path, now: Timestamp) -> io::Result<Self> {
        let mut last = io::Error::other("no lock file stayed in place");
        for _ in 0..8 {
            let token = TaskId::at(now).to_string();
            let path = lock_path(database, &token);
            let file = create(&path)?;
            // A reader may look at the very moment; somebody who tidies up may even remove the file.
            match file.lock() {
                Ok(()) if path.exists() => {
                    return Ok(Self {
                        token,
                        path,
                        _lock: file,
                    });
                }
                Ok(()) => {}
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Removes the file. The lock goes with the value.
    pub(super) fn retire(&self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn lock_path(database: &Path, token: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".owner-");
    name.push(token);
    PathBuf::from(name)
}

/// The claim on what a dead owner left; nobody else can recover it meanwhile.
#[derive(Debug)]
pub(super) struct Estate {
    path: PathBuf,
    _lock: Option<File>,
}

impl Estate {
    /// Claims an owner's estate; `None` where the owner lives or somebody else has claimed it.
    pub(super) fn claim(database: &Path, token: &str) -> Option<Self> {
        let path = lock_path(database, token);
        match OpenOptions::new().read(true).write(true).open(&path) {
            Ok(file) => match file.try_lock() {
                Ok(()) => Some(Self {
                    path,
                    _lock: Some(file),
                }),
                Err(TryLockError::WouldBlock | TryLockError::Error(_)) => None,
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Some(Self { path, _lock: None }),
            Err(_) => None,
        }
    }

    /// Removes the lock file once everything of it is recovered.
    pub(super) fn settle(self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Whether the owner of a token lives, as far as can be told without writing.
pub(super) fn is_alive(database: &Path, token: &str) -> bool {
    let Ok(file) = File::open(lock_path(database, token)) else {
        return false;
    };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_estate_of_a_living_owner_cannot_be_claimed() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("b.sqlite3");
        let owner = Owner::new(&database, Timestamp::default()).unwrap();
        let token = owner.token.clone();
        assert!(is_alive(&database, &token));
        assert!(Estate::claim(&database, &token).is_none());
        drop(owner);
        assert!(!is_alive(&database, &token));
        let estate = Estate::claim(&database, &token).unwrap();
        assert!(Estate::claim(&database, &token).is_none(), "claimed twice");
        estate.settle();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
