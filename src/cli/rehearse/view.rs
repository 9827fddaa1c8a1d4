//! What a rehearsal looks like: each tick as lines, below them on a terminal what moves, and at the end the timeline; or JSON.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use super::{Played, Seen};
use crate::cli::say;
use crate::cli::screen::Screen;
use crate::cli::style::{size, style};
use crate::rehearse::{Record, Setting, Stage, ending, heading, live, ticked, timeline, unfinished};
use crate::report::Style;

/// How often what moves is drawn.
pub(super) const PERIOD: Duration = Duration::from_millis(200);

/// What is shown, and what stands on the terminal.
pub(super) struct View {
    style: Style,
    /// Lines are cut at the terminal's width.
    cut: bool,
    /// Something moves below them.
    moves: bool,
    json: bool,
    screen: Screen,
    setting: Option<Setting>,
}

impl View {
    pub(super) fn new(no_color: bool, json: bool) -> Self {
        let style = style(&io::stdout(), no_color);
        let cut = io::stdout().is_terminal();
        let moves = cut && io::stderr().is_terminal() && style.unicode && !json;
        Self { style, cut, moves, json, screen: Screen::default(), setting: None }
    }

    pub(super) fn show(&mut self, seen: Seen<'_>, record: &Record, stage: &Stage) {
        if self.json {
            return;
        }
        match seen {
            Seen::Set(setting) => {
                self.setting = Some(setting.clone());
                self.print(&heading(setting, self.style, self.cut));
            }
            Seen::Ticked(tick) => {
                if let Some(setting) = self.setting.take() {
                    self.print(&ticked(tick, &setting.canary, self.style, self.cut));
                    self.setting = Some(setting);
                }
            }
            Seen::Beat => self.draw(record, stage),
        }
    }

    /// Lines that stay, above what moves.
    fn print(&mut self, text: &str) {
        self.clear();
        say(text);
    }

    fn draw(&mut self, record: &Record, stage: &Stage) {
        let Some(setting) = self.setting.as_ref().filter(|_| self.moves) else { return };
        let width = size(&io::stderr()).map_or(80, |(columns, _)| columns);
        let now = stage.elapsed();
        let account = stage.account(setting.slow(), now);
        let lines = live(record, setting, &account, now, Style { width, ..self.style });
        write(&self.screen.frame(lines, width));
    }

    fn clear(&mut self) {
        let width = size(&io::stderr()).map_or(80, |(columns, _)| columns);
        write(&self.screen.cleared(width));
    }

    pub(super) fn end(&mut self, played: &Played) {
        let Played { setting, record, account, took } = played;
        if self.json {
            let json = record.json(setting, account, *took);
            say(&format!("{json:#}\n"));
            return;
        }
        self.print(&unfinished(record, self.style, self.cut));
        say(&format!("\n{}\n", timeline(record, &setting.canary, self.style, self.cut)));
        say(&ending(record, setting, account, *took, self.style));
    }
}

/// A terminal that has gone is no reason to end.
fn write(text: &str) {
    let mut terminal = io::stderr().lock();
    let _ = terminal.write_all(text.as_bytes()).and_then(|()| terminal.flush());
}
