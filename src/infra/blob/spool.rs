//! Files on their way in: on disk, so that an upload takes no memory, and without a name, so that a crash leaves nothing.

use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::FileExt,
    path::PathBuf,
    sync::Arc,
};

/// Where files wait. Beside the data: the machine's folder for temporary files is often memory.
#[derive(Clone, Debug)]
pub struct Spool(PathBuf);

impl Spool {
    pub fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// An empty file that is gone when the last handle is dropped. Blocks.
    pub fn file(&self) -> io::Result<File> {
        tempfile::tempfile_in(&self.0)
    }
}

/// A file that came in whole. Clones are the same file.
#[derive(Clone, Debug)]
pub struct Spooled {
    file: Arc<File>,
    byte_size: u64,
}

impl Spooled {
    /// A file that was written to its end. Blocks.
    pub fn new(file: File) -> io::Result<Self> {
        let byte_size = file.metadata()?.len();
        Ok(Self { file: Arc::new(file), byte_size })
    }

    pub const fn byte_size(&self) -> u64 {
        self.byte_size
    }

    /// From the beginning, whoever else reads it.
    pub fn reader(&self) -> Reader {
        Reader { file: Arc::clone(&self.file), at: 0 }
    }
}

/// Reads at a place of its own. Blocks.
#[derive(Debug)]
pub struct Reader {
    file: Arc<File>,
    at: u64,
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at = self.at.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn two_readers_do_not_disturb_each_other_and_nothing_stays_behind() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let mut file = Spool::new(folder.path().to_owned()).file()?;
        file.write_all(b"spotlight")?;
        let spooled = Spooled::new(file)?;
        let (mut one, mut two, mut text) = (spooled.reader(), spooled.reader(), String::new());
        let mut begin = [0; 4];
        one.read_exact(&mut begin)?;
        two.read_to_string(&mut text)?;
        one.read_to_string(&mut text)?;
        assert_eq!((spooled.byte_size(), &begin, text.as_str()), (9, b"spot", "spotlightlight"));
        assert_eq!(std::fs::read_dir(folder.path())?.count(), 0);
        Ok(())
    }
}
