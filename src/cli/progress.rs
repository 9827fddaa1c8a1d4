//! One line on the terminal while a load runs; nothing where there is no terminal.

use std::convert::Infallible;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use crate::load::Watcher;
use crate::report::live;

/// How often the line is drawn.
const PERIOD: Duration = Duration::from_millis(200);

/// Draws until it is cancelled; draws nothing where standard error is no terminal.
pub(super) async fn draw(watcher: &Watcher, whole: Option<Duration>, quiet: bool) -> Infallible {
    if quiet || !io::stderr().is_terminal() {
        return std::future::pending().await;
    }
    let _line = Line;
    loop {
        tokio::time::sleep(PERIOD).await;
        let progress = watcher.progress();
        let text = live(watcher.elapsed(), whole, progress.finished, progress.second.as_ref());
        // A terminal that has gone is no reason to end the load.
        let _ = write!(io::stderr().lock(), "\r\x1b[2K{text}");
        let _ = io::stderr().lock().flush();
    }
}

/// Leaves no half line behind.
struct Line;

impl Drop for Line {
    fn drop(&mut self) {
        let _ = write!(io::stderr().lock(), "\r\x1b[2K");
    }
}
