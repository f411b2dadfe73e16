//! The docker engine, spoken to through its command line: `DOCKER_HOST` and contexts mean what they mean there.

use std::path::Path;
use std::time::Duration;

use crate::topology::TopologyError;
use crate::topology::process::Program;

/// For anything but the start of a whole cluster.
const LIMIT: Duration = Duration::from_secs(30);

/// The names of the labels that everything of a cluster carries; compose.yaml writes them.
pub(super) const CLUSTER: &str = "replab.cluster";
pub(super) const OWNER: &str = "replab.owner";
pub(super) const HOST: &str = "replab.host";
pub(super) const STATE: &str = "replab.state";

/// Which program reads compose files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compose {
    /// `docker compose`.
    Plugin,
    /// `docker-compose`, the older program.
    Standalone,
}

/// An engine that answers.
#[derive(Clone, Debug)]
pub(super) struct Engine {
    /// The value of `DOCKER_HOST`, where it is not this process's own.
    host: Option<String>,
}

/// What an engine keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Container,
    Network,
    Volume,
}

/// Something with labels of replab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Labelled {
    pub(super) kind: Kind,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) cluster: String,
    pub(super) owner: String,
    pub(super) host: String,
}

impl Kind {
    /// In the order in which they can be removed.
    pub(super) const ALL: [Kind; 3] = [Kind::Container, Kind::Network, Kind::Volume];

    pub(super) fn noun(self) -> &'static str {
        match self {
            Kind::Container => "container",
            Kind::Network => "network",
            Kind::Volume => "volume",
        }
    }

    /// Its identity and its name, in the words of `docker ... ls --format`.
    fn columns(self) -> &'static str {
        match self {
            Kind::Container => "{{.ID}}\t{{.Names}}",
            Kind::Network => "{{.ID}}\t{{.Name}}",
            Kind::Volume => "{{.Name}}\t{{.Name}}",
        }
    }
}

impl Engine {
    /// The engine that `host` names, and without a name the one that the command line means. Nobody is asked yet.
    pub(super) fn at(host: Option<String>) -> Engine {
        Engine { host }
    }

    /// Asserts that there is a docker, and an engine behind it.
    ///
    /// # Errors
    /// [`TopologyError::NoDocker`], [`TopologyError::NoEngine`].
    pub(super) fn check(&self) -> Result<(), TopologyError> {
        self.docker(["version", "--format", "{{.Server.Version}}"]).map(drop).map_err(|error| match error {
            TopologyError::Tool { why, output, .. } => {
                TopologyError::NoEngine { why: if output.is_empty() { why } else { output } }
            }
            other => other,
        })
    }

    /// Asserts that `image` need not be fetched from anywhere.
    pub(super) fn check_image(&self, image: &str) -> Result<(), TopologyError> {
        match self.docker(["image", "inspect", "--format", "{{.Id}}", image]) {
            Err(TopologyError::Tool { .. }) => Err(TopologyError::NoImage(image.to_owned())),
            answered => answered.map(drop),
        }
    }

    /// The program that reads compose files: the plugin, or else the older one.
    pub(super) fn compose(&self) -> Result<Compose, TopologyError> {
        if self.docker(["compose", "version", "--short"]).is_ok() {
            return Ok(Compose::Plugin);
        }
        let older = self.program("docker-compose").args(["version", "--short"]).run_blocking(LIMIT);
        older.map(|_| Compose::Standalone).map_err(|_| TopologyError::NoCompose)
    }

    /// A compose command for `project`, described in `file`.
    pub(super) fn composing(&self, compose: Compose, project: &str, file: &Path) -> Program {
        let program = match compose {
            Compose::Plugin => self.program("docker").args(["compose"]),
            Compose::Standalone => self.program("docker-compose"),
        };
        program.args(["--project-name", project, "--file"]).args([file])
    }

    /// `docker <args>`, to be started.
    pub(super) fn program(&self, program: &str) -> Program {
        let host = self.host.iter().map(|host| ("DOCKER_HOST", host.clone()));
        Program::new(program, Path::new("/"), None).envs(host)
    }

    /// Runs `docker <args>` and answers what it wrote, without waiting for anything else meanwhile.
    pub(super) fn docker<const N: usize>(&self, args: [&str; N]) -> Result<String, TopologyError> {
        self.program("docker").args(args).run_blocking(LIMIT).map_err(without_docker)
    }

    /// The same, beside whatever else there is to do.
    pub(super) async fn tell<const N: usize>(&self, args: [&str; N]) -> Result<String, TopologyError> {
        self.program("docker").args(args).run(LIMIT).await.map_err(without_docker)
    }

    /// Everything of this kind whose label `name` says `value`.
    pub(super) fn labelled(
        &self,
        kind: Kind,
        name: &str,
        value: &str,
    ) -> Result<Vec<Labelled>, TopologyError> {
        let filter = format!("label={name}={value}");
        let labels = [CLUSTER, OWNER, HOST].map(|label| format!("{{{{.Label \"{label}\"}}}}"));
        let format = format!("{}\t{}", kind.columns(), labels.join("\t"));
        // Of containers, those that have ended, too.
        let all: &[&str] = if kind == Kind::Container { &["--all"] } else { &[] };
        let listed = self
            .program("docker")
            .args([kind.noun(), "ls", "--filter", &filter, "--format", &format])
            .args(all)
            .run_blocking(LIMIT)
            .map_err(without_docker)?;
        Ok(listed.lines().filter_map(|line| Labelled::read(kind, line)).collect())
    }

    /// Removes it; what is gone already is no error.
    pub(super) fn remove(&self, thing: &Labelled) -> Result<(), TopologyError> {
        let removed = match thing.kind {
            // With the volumes that the image itself declares.
            Kind::Container => self.docker(["container", "rm", "--force", "--volumes", &thing.id]),
            Kind::Network => self.docker(["network", "rm", &thing.id]),
            Kind::Volume => self.docker(["volume", "rm", &thing.id]),
        };
        match removed {
            Err(TopologyError::Tool { output, .. }) if output.to_lowercase().contains("no such") => Ok(()),
            removed => removed.map(drop),
        }
    }
}

impl Labelled {
    fn read(kind: Kind, line: &str) -> Option<Labelled> {
        let mut fields = line.split('\t').map(str::to_owned);
        let (id, name, cluster) = (fields.next()?, fields.next()?, fields.next()?);
        Some(Labelled { kind, id, name, cluster, owner: fields.next()?, host: fields.next()? })
    }
}

/// A program that is not there at all is told apart from one that fails.
fn without_docker(error: TopologyError) -> TopologyError {
    match error {
        TopologyError::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
            TopologyError::NoDocker
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_docker_lists() {
        let line = "0f3c\treplab-x-primary-1\tx-1a\t{\"pid\":7,\"start\":\"b 12\"}\thost/4026531836";
        let read = Labelled::read(Kind::Container, line).unwrap();
        assert_eq!((&*read.id, &*read.name, &*read.cluster), ("0f3c", "replab-x-primary-1", "x-1a"));
        assert_eq!((&*read.owner, &*read.host), ("{\"pid\":7,\"start\":\"b 12\"}", "host/4026531836"));
        assert_eq!(Labelled::read(Kind::Volume, "a\tb"), None);
    }

    #[test]
    fn an_engine_that_is_not_there_is_the_machines_fault() {
        let engine = Engine::at(Some("unix:///nowhere/docker.sock".to_owned()));
        let error = engine.check().unwrap_err();
        let expected = matches!(error, TopologyError::NoDocker | TopologyError::NoEngine { .. });
        assert!(expected && error.help().is_some(), "{error}");
    }
}
