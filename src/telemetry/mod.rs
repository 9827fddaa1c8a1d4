//! Logs: JSON lines on standard error, at a level that can be changed while the program runs.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Registry, reload};

/// How much is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Level {
    /// Every request, probes too.
    Debug,
    /// What people on call want to read afterwards.
    #[default]
    Info,
    /// What should not happen, but may.
    Warn,
    /// What needs somebody.
    Error,
}

/// The levels, by name.
const LEVELS: [(&str, Level); 4] =
    [("debug", Level::Debug), ("info", Level::Info), ("warn", Level::Warn), ("error", Level::Error)];

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(LEVELS.iter().find(|(_, level)| level == self).map_or("", |(name, _)| name))
    }
}

/// A level that there is not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("got '{0}', expected debug, info, warn or error")]
pub struct NoLevel(String);

/// Also what the loadtester takes: `warning`, and `fatal` and `panic`, at which it logs errors and nothing else that we have.
impl FromStr for Level {
    type Err = NoLevel;

    fn from_str(text: &str) -> Result<Self, NoLevel> {
        match text {
            "warning" => Ok(Self::Warn),
            "fatal" | "panic" => Ok(Self::Error),
            text => {
                let level = LEVELS.iter().find(|(name, _)| *name == text).map(|(_, level)| *level);
                level.ok_or_else(|| NoLevel(text.chars().filter(|c| !c.is_control()).take(40).collect()))
            }
        }
    }
}

/// The handle with which the level is read and changed. Clones share it.
#[derive(Clone, Debug)]
pub struct Logs {
    level: Arc<Mutex<Level>>,
    filter: Option<reload::Handle<Targets, Registry>>,
}

impl Logs {
    /// Logs at this level from now on, for the whole process.
    ///
    /// # Errors
    /// Somebody else decided where logs go before.
    pub fn start(level: Level) -> Result<Self, tracing::subscriber::SetGlobalDefaultError> {
        let (filter, handle) = reload::Layer::new(targets(level));
        let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(std::io::stderr);
        tracing::subscriber::set_global_default(Registry::default().with(filter).with(lines))?;
        Ok(Self { level: Arc::new(Mutex::new(level)), filter: Some(handle) })
    }

    /// A handle without logs behind it, for a service inside another program.
    #[must_use]
    pub fn none() -> Self {
        Self { level: Arc::default(), filter: None }
    }

    /// The level.
    #[must_use]
    pub fn level(&self) -> Level {
        *self.level.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the level.
    pub fn set(&self, level: Level) {
        *self.level.lock().unwrap_or_else(PoisonError::into_inner) = level;
        if let Some(filter) = &self.filter {
            // Fails only when the process is ending and its logs are gone.
            let _ = filter.reload(targets(level));
        }
    }
}

/// Our own logs at that level; what libraries say only from warnings on.
fn targets(level: Level) -> Targets {
    let level = match level {
        Level::Debug => LevelFilter::DEBUG,
        Level::Info => LevelFilter::INFO,
        Level::Warn => LevelFilter::WARN,
        Level::Error => LevelFilter::ERROR,
    };
    Targets::new().with_target("tollgate", level).with_default(level.min(LevelFilter::WARN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_ours_and_the_loadtesters() {
        for (text, expected) in [
            ("debug", Some(Level::Debug)),
            ("info", Some(Level::Info)),
            ("warn", Some(Level::Warn)),
            ("warning", Some(Level::Warn)),
            ("error", Some(Level::Error)),
            ("fatal", Some(Level::Error)),
            ("panic", Some(Level::Error)),
            ("INFO", None),
            ("", None),
        ] {
            assert_eq!(text.parse().ok(), expected, "{text}");
        }
        assert_eq!(
            "loud\u{7}".parse::<Level>().unwrap_err().to_string(),
            "got 'loud', expected debug, info, warn or error"
        );
    }
}
