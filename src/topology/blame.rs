//! Who has to act on an error, and what to type next.

use std::io;

use super::{Category, TopologyError};

impl TopologyError {
    /// Whether nothing was done, because of what the node is by the lab's own doing.
    pub fn is_left_alone(&self) -> bool {
        use TopologyError::{Impossible, IsPrimary, NothingToCure};
        matches!(self, Impossible { .. } | IsPrimary { .. } | NothingToCure { .. })
    }

    /// Who has to act; decides the exit code.
    pub fn category(&self) -> Category {
        use TopologyError::*;
        match self {
            NoBinaries { .. } | NoAccount | NotReachable { .. } | PortInUse(_) | NoPort(_) | Config(_) => {
                Category::Environment
            }
            NoDocker | NoEngine { .. } | NoCompose | NoImage(_) | NoMount(_) => Category::Environment,
            Tool { .. } | Guard { .. } | Io { .. } | DoesNotStart { .. } => Category::Environment,
            NoCluster { .. } | SeveralClusters(_) | AlreadyUp(_) | Owned { .. } | Busy(_) => {
                Category::Environment
            }
            Unreachable { .. } | Unfit { .. } | Passfile(_) => Category::Environment,
            Aurora(problem) => problem.category(),
            Hook { .. } | LeftBehind { .. } => Category::Lab,
            NotTaken { .. } | DidNotHold { .. } | NothingToCure { .. } | NoEffect { .. } => Category::Lab,
            Impossible { .. } | IsPrimary { .. } => Category::Lab,
            UnknownNode { .. } | NotRunning { .. } | AlreadyRunning { .. } => Category::Lab,
            SecondPrimary { .. } => Category::Lab,
            Survived { .. } | StopForced { .. } | NoAnswer { .. } | Lab(_) | Query { .. } => Category::Lab,
        }
    }

    /// What to type next, where the lab knows.
    pub fn help(&self) -> Option<String> {
        use TopologyError::*;
        let help = match self {
            NoBinaries { .. } => {
                "install the server (Debian, Ubuntu: apt-get install postgresql; Fedora: dnf install \
                 postgresql-server postgresql-contrib; macOS: brew install postgresql),\nor name its folder: \
                 --pg-bin DIR or REPLAB_PG_BIN=DIR\nreplab doctor shows what this machine has"
            }
            NoDocker => {
                "install it (Debian, Ubuntu: apt-get install docker.io docker-compose), or use --topology local"
            }
            NoEngine { .. } => {
                "start it (systemctl start docker), or name it with DOCKER_HOST; it may let only the group `docker` in"
            }
            NoCompose => "install one of them (Debian, Ubuntu: apt-get install docker-compose)",
            NoImage(image) => {
                return Some(format!(
                    "fetch it: docker pull {image}\nor, where no registry can be reached, build one from Debian's \
                     packages with compose/offline-image.sh and name that: --image replab-postgres:offline"
                ));
            }
            NoAccount => "create one (useradd --system postgres), or run replab as another user than root",
            NoMount(_) => {
                "run replab as root (sudo replab ...), or leave fill-disk and free-disk out of the schedule: no other fault \
                 needs a privilege"
            }
            NotReachable { .. } => {
                "choose another place for the lab's files: REPLAB_STATE_DIR=/var/tmp/replab"
            }
            PortInUse(_) => "choose another --port, or none: replab then finds free ones",
            NoPort(_) => "choose one with --port",
            Guard { .. } => "replab starts itself as `replab guard`; run it from a path that stays in place",
            Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                "make room on that disk, or choose another place: REPLAB_STATE_DIR=DIR"
            }
            Io { .. } => {
                "choose another place for the lab's files with REPLAB_STATE_DIR=DIR\nreplab doctor checks it"
            }
            Tool { .. } | DoesNotStart { .. } => "replab doctor checks what PostgreSQL needs here",
            NoCluster { .. } => "replab up starts one",
            SeveralClusters(_) => "choose one with --name",
            AlreadyUp(_) => {
                "replab status shows it, replab down ends it, replab up --name OTHER starts another"
            }
            Owned { .. } => "end that run first (Ctrl-C there)",
            Busy(_) => "try again when it is done",
            Survived { .. } => "replab gc tries again",
            Unreachable { .. } => {
                "psql URL shows whether the server is there and lets the user in; a password may stand in the URL, in \
                 PGPASSWORD or in ~/.pgpass\nreplab doctor checks the rest of this machine"
            }
            Unfit { .. } | Passfile(_) => {
                "topology.writer and topology.readers (--writer, --reader) say which servers the run uses\n\
                 replab doctor checks the rest of this machine"
            }
            Aurora(problem) => return problem.help(),
            Hook { .. } => "the command's whole output is in the run's directory, below nodes/",
            LeftBehind { schema, .. } => {
                return Some(format!(
                    "on the primary, in the database of the run: DROP SCHEMA {schema} CASCADE"
                ));
            }
            _ => return None,
        };
        Some(help.to_owned())
    }

    /// The same error, as one of making the cluster.
    pub(super) fn while_starting(self) -> TopologyError {
        match self {
            TopologyError::NoAnswer { node, why, log } => TopologyError::DoesNotStart { node, why, log },
            other => other,
        }
    }
}
