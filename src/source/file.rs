//! A file on disk, by positioned reads.

use std::{fs::File, io, path::Path};

use super::Source;

/// A file that was opened for reading.
pub struct OnDisk {
    file: File,
    len: u64,
}

impl OnDisk {
    /// Opens a regular file.
    ///
    /// # Errors
    /// Whatever the system says; a folder or a device is refused, because it has no length to account for.
    pub fn open(path: &Path) -> io::Result<Self> {
        // Looked at before it is opened: opening a named pipe would wait for somebody to write.
        let regular = path.metadata()?.is_file();
        if !regular {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        let file = File::open(path)?;
        let about = file.metadata()?;
        Ok(OnDisk { file, len: about.len() })
    }
}

impl Source for OnDisk {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.len.saturating_sub(at)).unwrap_or(usize::MAX).min(into.len());
        let mut done = 0;
        while done < wanted {
            let rest = into.get_mut(done..wanted).unwrap_or_default();
            match positioned(&self.file, rest, at.saturating_add(done as u64)) {
                Ok(0) => {
                    return Err(io::Error::new(
                        io::ErrorKind::UnexpectedEof,
                        "the file became shorter while it was read",
                    ));
                }
                Ok(count) => done = done.saturating_add(count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(wanted)
    }
}

#[cfg(unix)]
fn positioned(file: &File, into: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, into, at)
}

#[cfg(windows)]
fn positioned(file: &File, into: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, into, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_shrinks_is_an_error_with_words() {
        let path = std::env::temp_dir().join(format!("just-data-shrinks-{}", std::process::id()));
        std::fs::write(&path, [7; 100]).unwrap();
        let source = OnDisk::open(&path).unwrap();
        std::fs::write(&path, [7; 10]).unwrap();
        let error = source.read_at(0, &mut [0; 50]).unwrap_err();
        std::fs::remove_file(&path).unwrap();
        assert!(error.to_string().contains("became shorter"), "{error}");
    }

    #[test]
    fn a_folder_is_refused() {
        assert!(OnDisk::open(&std::env::temp_dir()).is_err());
    }
}
