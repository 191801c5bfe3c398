//! A process beside the test: its output is captured, and it is stopped by its own id.

use std::{
    fs::File,
    io::{BufRead, BufReader, ErrorKind, Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use crate::Failure;

/// A running process. Dropping it kills it.
#[derive(Debug)]
pub struct Peer {
    name: String,
    log: PathBuf,
    child: Child,
    output: Arc<Output>,
}

impl Peer {
    /// Starts a command. What it prints goes into the file `log` and can be waited for.
    ///
    /// # Errors
    ///
    /// If its program is not installed or cannot be started.
    pub fn start(command: &mut Command, log: &Path) -> Result<Self, Failure> {
        let name = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| absent(&name, &error))?;
        let output = Arc::new(Output::new(File::create(log)?));
        if let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) {
            output.collect(stdout);
            output.collect(stderr);
        }
        Ok(Self { name, log: log.to_owned(), child, output })
    }

    /// Waits for a line that contains `text`, and gives it.
    ///
    /// # Errors
    ///
    /// If the process ends, or the time is over, without one.
    pub fn line(&self, text: &str, patience: Duration) -> Result<String, Failure> {
        let found = |seen: &Seen| seen.lines.iter().find(|line| line.contains(text)).cloned();
        let seen = self.output.wait(patience, |seen| found(seen).is_some() || seen.open == 0);
        let line = found(&seen);
        drop(seen);
        line.ok_or_else(|| self.failure(&format!("never printed {text:?}")))
    }

    /// Waits for so many lines that contain `text`.
    ///
    /// # Errors
    ///
    /// If the process ends, or the time is over, with less of them.
    pub fn line_times(&self, text: &str, times: usize, patience: Duration) -> Result<(), Failure> {
        let count = |seen: &Seen| seen.lines.iter().filter(|line| line.contains(text)).count();
        let seen = self.output.wait(patience, |seen| count(seen) >= times || seen.open == 0);
        let count = count(&seen);
        drop(seen);
        if count >= times {
            return Ok(());
        }
        Err(self.failure(&format!("printed {text:?} {count} times, not {times}")))
    }

    /// All lines it has printed so far.
    pub fn lines(&self) -> Vec<String> {
        self.output.lock().lines.clone()
    }

    /// Waits until it has ended by itself.
    ///
    /// # Errors
    ///
    /// If it has not when the time is over.
    pub fn ended(&mut self, patience: Duration) -> Result<ExitStatus, Failure> {
        let open = self.output.wait(patience, |seen| seen.open == 0).open;
        if open != 0 {
            return Err(self.failure("does not end"));
        }
        Ok(self.child.wait()?)
    }

    /// Waits until it has ended by itself, with success.
    ///
    /// # Errors
    ///
    /// If it fails, or has not ended when the time is over.
    pub fn succeeds(&mut self, patience: Duration) -> Result<(), Failure> {
        let status = self.ended(patience)?;
        if status.success() { Ok(()) } else { Err(self.failure(&format!("ended with {status}"))) }
    }

    /// Asks it to end with a signal such as `INT`, and waits until it has.
    ///
    /// # Errors
    ///
    /// If it does not end.
    pub fn stop(&mut self, signal: &str) -> Result<(), Failure> {
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        let id = self.child.id().to_string();
        Command::new("kill").args(["-s", signal, &id]).status()?;
        self.ended(Duration::from_secs(10)).map(|_| ())
    }

    fn failure(&self, what: &str) -> Failure {
        let last = self.lines().into_iter().rfind(|line| !line.trim().is_empty());
        let (log, last) = (self.log.display(), last.unwrap_or_default());
        Failure::new(format!("{} {what}; its last line: {last:?}; its output: {log}", self.name))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a process prints, on both of its outputs.
#[derive(Debug)]
struct Output {
    seen: Mutex<Seen>,
    news: Condvar,
    file: Mutex<File>,
}

#[derive(Debug, Default)]
struct Seen {
    lines: Vec<String>,
    /// Outputs that are not closed yet.
    open: usize,
}

impl Output {
    fn new(file: File) -> Self {
        Self { seen: Mutex::default(), news: Condvar::new(), file: Mutex::new(file) }
    }

    /// Reads an output to its end in a thread of its own.
    fn collect(self: &Arc<Self>, pipe: impl Read + Send + 'static) {
        self.lock().open += 1;
        let output = Arc::clone(self);
        thread::spawn(move || {
            let mut pipe = BufReader::new(pipe);
            let mut line = Vec::new();
            while pipe.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
                output.take(&line);
                line.clear();
            }
            output.lock().open -= 1;
            output.news.notify_all();
        });
    }

    fn take(&self, line: &[u8]) {
        // A log that cannot be written is missed by nobody but the reader of a failure.
        let _ = self.file.lock().unwrap_or_else(PoisonError::into_inner).write_all(line);
        let line = String::from_utf8_lossy(line).trim_end().to_owned();
        self.lock().lines.push(line);
        self.news.notify_all();
    }

    fn wait(&self, patience: Duration, enough: impl Fn(&Seen) -> bool) -> MutexGuard<'_, Seen> {
        let seen = self.news.wait_timeout_while(self.lock(), patience, |seen| !enough(seen));
        seen.unwrap_or_else(PoisonError::into_inner).0
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn absent(program: &str, error: &std::io::Error) -> Failure {
    match error.kind() {
        ErrorKind::NotFound => {
            Failure::new(format!("{program} is not installed: run crates/interop/setup"))
        }
        _ => Failure::new(format!("{program} cannot be started: {error}")),
    }
}
