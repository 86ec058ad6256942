//! Where the file is when nobody says where.

use std::ffi::OsString;
use std::path::PathBuf;

/// The buffer's file in the platform's state directory, decided from environment variables alone.
///
/// On AWS Lambda, where only `/tmp` can be written, `/tmp/dexcost/buffer.sqlite3`. Elsewhere
/// `dexcost/buffer.sqlite3` under `$XDG_STATE_HOME` where that is absolute, else under
/// `~/Library/Application Support` (macOS), `%LOCALAPPDATA%` (Windows) or `~/.local/state`; where
/// there is no home either, under `/tmp`.
///
/// ```
/// use std::path::Path;
/// use dexcost::buffer::default_path;
///
/// let path = default_path(|name| (name == "HOME").then(|| "/home/ada".into()));
/// # #[cfg(not(any(windows, target_os = "macos")))]
/// assert_eq!(path, Path::new("/home/ada/.local/state/dexcost/buffer.sqlite3"));
/// ```
#[must_use]
pub fn default_path(variable: impl Fn(&str) -> Option<OsString>) -> PathBuf {
    let absolute = |name: &str| {
        variable(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let state = if variable("AWS_LAMBDA_FUNCTION_NAME").is_some() {
        None
    } else if let Some(state) = absolute("XDG_STATE_HOME") {
        Some(state)
    } else if cfg!(windows) {
        absolute("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        absolute("HOME").map(|home| home.join("Library/Application Support"))
    } else {
        absolute("HOME").map(|home| home.join(".local/state"))
    };
    let state = state.unwrap_or_else(|| PathBuf::from("/tmp"));
    state.join("dexcost").join("buffer.sqlite3")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(variables: &[(&str, &str)]) -> String {
        let found = |name: &str| {
            variables
                .iter()
                .find(|(n, _)| *n == name)
                .map(|(_, v)| OsString::from(v))
        };
        default_path(found).display().to_string()
    }

    #[test]
    fn lambda_writes_to_tmp_whatever_the_home_is() {
        let variables = [
            ("AWS_LAMBDA_FUNCTION_NAME", "f"),
            ("HOME", "/home/x"),
            ("XDG_STATE_HOME", "/s"),
        ];
        assert_eq!(path(&variables), "/tmp/dexcost/buffer.sqlite3");
    }

    #[test]
    fn a_relative_state_directory_is_ignored_as_the_specification_says() {
        assert_eq!(path(&[("XDG_STATE_HOME", "/s")]), "/s/dexcost/buffer.sqlite3");
        assert_eq!(path(&[("XDG_STATE_HOME", "s")]), "/tmp/dexcost/buffer.sqlite3");
    }
}
