//! State in one redb file: what was answered is on disk, and a process killed at any moment finds it again.
//!
//! One thread writes. What arrives while it waits for the disk goes into the next transaction together, so that many
//! callers share one wait. After a failed write the database refuses everything; it is opened anew for the next one, so
//! that a disk that was full and no longer is needs no restart.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use redb::{Database, ReadableDatabase as _, ReadableTable as _, TableDefinition, TableError};

use super::{Change, Done, Row, Store, StoreError, Table};

/// What the rows look like. A file with a greater number is not touched.
const SCHEMA: u64 = 1;

/// Facts about the file itself.
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");

/// The row of [`META`] that holds the schema.
const SCHEMA_KEY: &str = "schema";

/// Changes that share one transaction at most: a bound on memory, far above what hooks bring.
const BATCH: usize = 1024;

/// Pages kept in memory; the state is small, and the service should be.
const CACHE_BYTES: usize = 1 << 20;

/// Changes and who is to be told.
struct Job {
    changes: Vec<Change>,
    done: Done,
}

/// State in one file. Dropping it writes what was handed over and closes the file.
#[derive(Debug)]
pub struct File {
    /// By the order of [`Table::ALL`].
    rows: Vec<Vec<Row>>,
    jobs: Option<Sender<Job>>,
    writer: Option<JoinHandle<()>>,
}

impl File {
    /// Opens the file, or makes it. What a killed process left behind is repaired.
    ///
    /// # Errors
    /// The file cannot be opened or written, is in use, is no file of ours, or was written by a newer program.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let database = create(path)?;
        let all = Table::ALL.into_iter().map(|table| rows(&database, table)).collect::<Result<_, _>>();
        let rows = all.map_err(|e| unusable(path, &e))?;
        let (jobs, waiting) = channel();
        let file = path.to_owned();
        let writer = std::thread::Builder::new()
            .name("state".to_owned())
            .spawn(move || Writer { path: file, database: Some(database) }.run(&waiting))
            .map_err(|e| unusable(path, &e))?;
        Ok(Self { rows, jobs: Some(jobs), writer: Some(writer) })
    }
}

impl Store for File {
    fn read(&self, table: Table) -> Result<Vec<Row>, StoreError> {
        Ok(self.rows.get(table as usize).cloned().unwrap_or_default())
    }

    fn write(&self, changes: Vec<Change>, done: Done) {
        let Some(jobs) = &self.jobs else { return done(Err(StoreError::Io("it is closed".to_owned()))) };
        if let Err(refused) = jobs.send(Job { changes, done }) {
            (refused.0.done)(Err(StoreError::Io("its writer is gone".to_owned())));
        }
    }
}

impl Drop for File {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has told nobody anything that is not so.
            let _ = writer.join();
        }
    }
}

/// What the writing thread has.
struct Writer {
    path: PathBuf,
    /// `None` after a failure.
    database: Option<Database>,
}

impl Writer {
    fn run(mut self, waiting: &Receiver<Job>) {
        while let Ok(first) = waiting.recv() {
            let batch: Vec<Job> = std::iter::once(first).chain(waiting.try_iter().take(BATCH - 1)).collect();
            let result = self.commit(&batch).map_err(|e| StoreError::Io(e.to_string()));
            for job in batch {
                (job.done)(result.clone());
            }
        }
    }

    /// One transaction for all of it.
    fn commit(&mut self, batch: &[Job]) -> Result<(), redb::Error> {
        let database = match self.database.take() {
            Some(database) => database,
            // Never made anew here: a file that vanished would come back without the gates it had.
            None => builder().open(&self.path)?,
        };
        let changes = batch.iter().flat_map(|job| &job.changes);
        write(&database, changes)?;
        self.database = Some(database);
        Ok(())
    }
}

fn write<'a>(database: &Database, changes: impl Iterator<Item = &'a Change>) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    for change in changes {
        let mut table = transaction.open_table(definition(change.table))?;
        match &change.value {
            Some(value) => table.insert(change.key.as_slice(), value.as_slice())?,
            None => table.remove(change.key.as_slice())?,
        };
    }
    transaction.commit()?;
    Ok(())
}

const fn definition(table: Table) -> TableDefinition<'static, &'static [u8], &'static [u8]> {
    match table {
        Table::Gates => TableDefinition::new("gates"),
        Table::Runs => TableDefinition::new("runs"),
        Table::Rulings => TableDefinition::new("rulings"),
    }
}

fn builder() -> redb::Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

fn unusable(path: &Path, why: &dyn std::fmt::Display) -> StoreError {
    StoreError::Open { path: path.display().to_string(), why: why.to_string() }
}

/// The database in that file, made if it is not there, with a schema that is known.
fn create(path: &Path) -> Result<Database, StoreError> {
    let database = builder().create(path).map_err(|e| unusable(path, &e))?;
    let found = schema(&database).map_err(|e| unusable(path, &e))?;
    if found > SCHEMA {
        return Err(StoreError::Schema { path: path.display().to_string(), found, known: SCHEMA });
    }
    Ok(database)
}

/// The schema the file has, written if it has none yet.
fn schema(database: &Database) -> Result<u64, redb::Error> {
    let transaction = database.begin_write()?;
    let found = {
        let mut meta = transaction.open_table(META)?;
        let found = meta.get(SCHEMA_KEY)?.map(|row| row.value());
        if found.is_none() {
            meta.insert(SCHEMA_KEY, SCHEMA)?;
        }
        found.unwrap_or(SCHEMA)
    };
    transaction.commit()?;
    Ok(found)
}

/// All rows of a table; none when it was never written.
fn rows(database: &Database, table: Table) -> Result<Vec<Row>, redb::Error> {
    let transaction = database.begin_read()?;
    let table = match transaction.open_table(definition(table)) {
        Ok(table) => table,
        Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut rows = Vec::new();
    for row in table.iter()? {
        let (key, value) = row?;
        rows.push((key.value().to_vec(), value.value().to_vec()));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(key: &str, value: Option<&str>) -> Change {
        let value = value.map(|value| value.as_bytes().to_vec());
        Change { table: Table::Gates, key: key.as_bytes().to_vec(), value }
    }

    fn write(file: &File, changes: Vec<Change>) -> Result<(), StoreError> {
        let (done, answer) = channel();
        file.write(changes, Box::new(move |result| done.send(result).unwrap()));
        answer.recv().unwrap()
    }

    fn read(path: &Path) -> Vec<(String, String)> {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let rows = File::open(path).unwrap().read(Table::Gates).unwrap();
        rows.into_iter().map(|(key, value)| (text(key), text(value))).collect()
    }

    #[test]
    fn what_was_answered_is_there_after_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let file = File::open(&path).unwrap();
        write(&file, vec![put("a", Some("1")), put("b", Some("2"))]).unwrap();
        write(&file, vec![put("a", None), put("c", Some("3")), put("b", Some("4"))]).unwrap();
        drop(file);
        assert_eq!(read(&path), [("b".into(), "4".into()), ("c".into(), "3".into())]);
    }

    #[test]
    fn all_that_wait_are_told_and_the_last_of_several_values_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let file = File::open(&path).unwrap();
        let (done, answers) = channel();
        for n in 0..3000 {
            let done = done.clone();
            let key = format!("{:02}", n % 100);
            file.write(vec![put(&key, Some(&n.to_string()))], Box::new(move |r| done.send((n, r)).unwrap()));
        }
        let told: Vec<_> = answers.iter().take(3000).collect();
        assert!(told.iter().enumerate().all(|(n, told)| *told == (n, Ok(()))), "in order, and all well");
        drop(file);
        let rows = read(&path);
        assert_eq!(rows.len(), 100);
        assert_eq!((rows[7].1.as_str(), rows[99].1.as_str()), ("2907", "2999"));
    }

    #[test]
    fn a_file_that_is_not_ours_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("notes");
        std::fs::write(&text, "some notes that nobody should lose").unwrap();
        let error = File::open(&text).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{} cannot be opened: ", text.display())), "{error}");
        assert_eq!(std::fs::read_to_string(&text).unwrap(), "some notes that nobody should lose");
        let missing = folder.path().join("no/such/folder");
        assert!(matches!(File::open(&missing), Err(StoreError::Open { .. })));
    }

    #[test]
    fn a_file_in_use_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let first = File::open(&path).unwrap();
        assert!(matches!(File::open(&path), Err(StoreError::Open { .. })));
        drop(first);
        File::open(&path).unwrap();
    }

    #[test]
    fn a_file_of_a_newer_program_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        drop(File::open(&path).unwrap());
        let database = builder().open(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        transaction.open_table(META).unwrap().insert(SCHEMA_KEY, 7).unwrap();
        transaction.commit().unwrap();
        drop(database);
        let shown = path.display().to_string();
        assert_eq!(File::open(&path).unwrap_err(), StoreError::Schema { path: shown, found: 7, known: 1 });
    }
}
