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

/// Which programs may be run; none by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed(Vec<Program>);

impl Allowed {
    /// Whether this one may.
    #[must_use]
    pub fn has(&self, program: Program) -> bool {
        self.0.contains(&program)
    }
}

/// A name that is none of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected some of bash, cmd, helm and kubectl, with commas between them")]
pub struct NoProgram;

/// Reads `bash,helm`.
impl FromStr for Allowed {
    type Err = NoProgram;

    fn from_str(text: &str) -> Result<Self, NoProgram> {
        let program = |name: &str| Program::ALL.into_iter().find(|known| known.name() == name.trim()).ok_or(NoProgram);
        text.split(',').map(program).collect::<Result<_, _>>().map(Self)
    }
}
