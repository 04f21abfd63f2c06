//! Files that one process leaves for the next, in the user's cache directory: whole, sealed, and of one GPU only.
//!
//! A file is a line that says what it is, a line that says which GPU, driver and version it belongs to, a line with the
//! length and hash of what follows, and then that. What does not fit in any way counts as absent.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use wgpu::AdapterInfo;

/// The variable that names another directory; an empty one keeps nothing.
const VARIABLE: &str = "TRAINSMITH_CACHE_DIR";

/// Where the files of this user lie.
fn folder() -> Option<PathBuf> {
    let var = |name: &str| std::env::var_os(name).filter(|text| !text.is_empty());
    if let Some(chosen) = std::env::var_os(VARIABLE) {
        return (!chosen.is_empty()).then(|| chosen.into());
    }
    place(std::env::consts::OS, var)
}

/// The directory of caches that a system has for each user, in it our own.
fn place(system: &str, var: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let under = |name: &str, rest: &[&str]| {
        let root = PathBuf::from(var(name)?);
        // Rules of the variables: a relative path is none.
        root.is_absolute().then(|| rest.iter().fold(root, |path, part| path.join(part)))
    };
    match system {
        "windows" => under("LOCALAPPDATA", &["trainsmith", "cache"]),
        "macos" => under("HOME", &["Library", "Caches", "trainsmith"]),
        _ => under("XDG_CACHE_HOME", &["trainsmith"]).or_else(|| under("HOME", &[".cache", "trainsmith"])),
    }
}

/// Which GPU, driver and version of the library a file belongs to.
#[derive(Clone, Debug)]
pub(super) struct Identity(String);

impl Identity {
    /// That of an adapter.
    pub(super) fn of(info: &AdapterInfo) -> Self {
        let version = env!("CARGO_PKG_VERSION");
        let AdapterInfo { name, vendor, device, driver, driver_info, backend, .. } = info;
        let text = format!("{name} {vendor:x}:{device:x} {backend} {driver} {driver_info} trainsmith {version}");
        Self(text.replace(['\n', '\r'], " "))
    }
}

/// One file: what it holds, and for which GPU.
#[derive(Clone, Debug)]
pub(super) struct Sealed {
    path: PathBuf,
    head: String,
}

impl Sealed {
    /// The file of this kind, if the user has a cache directory.
    pub(super) fn new(kind: &str, identity: &Identity) -> Option<Self> {
        Some(Self::inside(&folder()?, kind, identity))
    }

    fn inside(folder: &Path, kind: &str, identity: &Identity) -> Self {
        let path = folder.join(format!("gpu-{:016x}.{kind}", hash(identity.0.as_bytes())));
        Self { path, head: format!("trainsmith gpu {kind} 1\n{}\n", identity.0) }
    }

    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it could be written now.
    pub(super) fn is_writable(&self) -> bool {
        let probe = self.path.with_extension(format!("probe-{}", std::process::id()));
        let made = self.path.parent().is_some_and(|folder| std::fs::create_dir_all(folder).is_ok());
        let done = made && std::fs::write(&probe, b"").is_ok();
        let _ = std::fs::remove_file(&probe);
        done
    }

    /// What was written, if it is there whole and of this GPU.
    pub(super) fn read(&self) -> Option<Vec<u8>> {
        let bytes = std::fs::read(&self.path).ok()?;
        let rest = bytes.strip_prefix(self.head.as_bytes())?;
        let end = rest.iter().position(|&byte| byte == b'\n')?;
        let (seal, content) = (&rest[..end], &rest[end + 1..]);
        (seal == seal_of(content).as_bytes()).then(|| content.to_vec())
    }

    /// Write it whole or not at all.
    pub(super) fn write(&self, content: &[u8]) -> std::io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        std::fs::create_dir_all(folder)?;
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        // Two processes never write to one name.
        let draft = folder.join(format!(".{name}.new-{}", std::process::id()));
        let written = (|| {
            let mut file = std::fs::File::create(&draft)?;
            file.write_all(self.head.as_bytes())?;
            file.write_all(seal_of(content).as_bytes())?;
            file.write_all(b"\n")?;
            file.write_all(content)?;
            file.sync_all()?;
            std::fs::rename(&draft, &self.path)
        })();
        if written.is_err() {
            let _ = std::fs::remove_file(&draft);
        }
        written
    }
}

fn seal_of(content: &[u8]) -> String {
    format!("{} {:016x}", content.len(), hash(content))
}

/// A hash (FNV-1a) that is the same in every process and version: finds damage, not intent.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(name: &str, card: &str) -> Sealed {
        let folder = std::env::temp_dir().join(format!("trainsmith-disk-{}-{name}", std::process::id()));
        Sealed::inside(&folder, "pipelines", &Identity(card.into()))
    }

    #[test]
    fn what_is_written_is_read_by_the_same_gpu_alone() {
        let file = at("same", "card driver 1");
        assert_eq!(file.read(), None, "nothing is there");
        assert!(file.is_writable());
        file.write(b"first").unwrap();
        file.write(b"second\nline").unwrap();
        assert_eq!(file.read().unwrap(), b"second\nline");
        let folder = file.path.parent().unwrap();
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), 1, "no draft is left");
        let other = at("same", "card driver 2");
        assert_eq!(other.read(), None);
        std::fs::copy(&file.path, &other.path).unwrap();
        assert_eq!(other.read(), None, "a file of another driver under this one's name");
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_is_broken_counts_as_absent() {
        let file = at("broken", "card");
        file.write(b"0123456789").unwrap();
        let whole = std::fs::read(&file.path).unwrap();
        for length in 0..whole.len() {
            std::fs::write(&file.path, &whole[..length]).unwrap();
            assert_eq!(file.read(), None, "cut off after {length} bytes");
        }
        for place in 0..whole.len() {
            let mut changed = whole.clone();
            changed[place] ^= 1;
            std::fs::write(&file.path, &changed).unwrap();
            assert_eq!(file.read(), None, "byte {place} is another");
        }
        std::fs::write(&file.path, [&whole[..], b"more"].concat()).unwrap();
        assert_eq!(file.read(), None, "longer than it was");
        std::fs::remove_dir_all(file.path.parent().unwrap()).unwrap();
    }

    #[test]
    fn where_nothing_can_be_written_nothing_is_left() {
        let file = at("blocked", "card");
        let folder = file.path.parent().unwrap();
        // A file where the directory would be: not even the administrator can write into it.
        std::fs::write(folder, b"in the way").unwrap();
        assert!(!file.is_writable());
        file.write(b"lost").unwrap_err();
        assert_eq!(file.read(), None);
        std::fs::remove_file(folder).unwrap();
    }

    #[test]
    fn each_system_has_its_place() {
        let root = std::env::temp_dir();
        let all = |_: &str| Some(root.clone().into_os_string());
        let home = |name: &str| (name == "HOME").then(|| root.clone().into_os_string());
        assert_eq!(place("linux", all), Some(root.join("trainsmith")));
        assert_eq!(place("linux", home), Some(root.join(".cache").join("trainsmith")));
        assert_eq!(place("macos", home), Some(root.join("Library").join("Caches").join("trainsmith")));
        assert_eq!(place("windows", all), Some(root.join("trainsmith").join("cache")));
        assert_eq!(place("linux", |_| None), None);
        assert_eq!(place("linux", |_| Some("relative".into())), None);
    }
}
