//! Programs that may be run, by the names that hooks and `--enable-exec` have for them.

use std::fmt;
use std::str::FromStr;

/// A kind of task that runs a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// `bash -c`, waited for.
    Bash,
    /// `sh -c`, in the background.
    Cmd,
    /// `helm` with arguments, waited for.
    Helm,
    /// `kubectl` with arguments, waited for.
    Kubectl,
}

impl Program {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Bash, Self::Cmd, Self::Helm, Self::Kubectl];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Cmd => "cmd",
            Self::Helm => "helm",
            Self::Kubectl => "kubectl",
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What hooks may use only where it is allowed by name; nothing by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    programs: Vec<Program>,
    concord: bool,
}

/// The name of Concord among the programs.
const CONCORD: &str = "concord";

impl Allowed {
    /// Whether this one may.
    #[must_use]
    pub fn has(&self, program: Program) -> bool {
        self.programs.contains(&program)
    }

    /// Whether hooks may start processes in Concord. Such a hook names a file, and a server that is sent what is in it.
    #[must_use]
    pub const fn has_concord(&self) -> bool {
        self.concord
    }
}

/// A name that is none of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected some of bash, cmd, concord, helm and kubectl, with commas between them")]
pub struct NoProgram;

/// Reads `bash,helm`.
impl FromStr for Allowed {
    type Err = NoProgram;

    fn from_str(text: &str) -> Result<Self, NoProgram> {
        let (concord, names): (Vec<&str>, Vec<&str>) =
            text.split(',').map(str::trim).partition(|name| *name == CONCORD);
        let program = |name: &str| Program::ALL.into_iter().find(|known| known.name() == name).ok_or(NoProgram);
        let programs = names.into_iter().map(program).collect::<Result<_, _>>()?;
        Ok(Self { programs, concord: !concord.is_empty() })
    }
}
