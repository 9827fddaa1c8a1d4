//! The image: built from the Dockerfile, and run as Flagger's charts run their loadtester.
//!
//! Compiling inside of it would need a registry, so the binary comes from outside: the one that `TOLLGATE_IMAGE_BINARY`
//! names, or else the one under test, which borrows the C library of this machine.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;
use serde_json::{Value, json};

use super::tools::{output, program, repository};
use crate::service::{Answer, ask};
use crate::tollgate::{Ended, Running, quiet};

/// How the loadtester's manifests start it, and with the chart's last flag.
const STARTED: &str = "./loadtester -port=8080 -log-level=info -timeout=1h -namespace-regexp=";

/// How they ask whether it lives.
const PROBED: &str = "wget --quiet --tries=1 --timeout=4 --spider http://localhost:8080/healthz";

/// What the image may weigh.
const MOST_BYTES: u64 = 20 << 20;

/// Where its volume is in these tests.
const VOLUME: &str = "/var/lib/tollgate";

/// Runs `"$@"` in a root that cannot be written, but for the volume.
const FENCE: &str = r#"
root=$1 volume=$2 user=$3
shift 3
mount --make-rprivate / && mount --bind "$root" "$root" && mount -o remount,bind,ro "$root"
[ -z "$volume" ] || mount --bind "$volume" "$root/var/lib/tollgate"
[ -d "$root/lib" ] && mount --rbind /lib "$root/lib" && mount --rbind /lib64 "$root/lib64"
mount --bind /etc/hosts "$root/etc/hosts"
exec unshare --root="$root" --wd=/home/app --setgid="$user" --setuid="$user" "$@"
"#;

/// The tools that build and run it, and where they keep things.
struct Builder {
    buildah: PathBuf,
    folder: tempfile::TempDir,
}

impl Builder {
    /// `None`, said aloud, where images cannot be built.
    fn new() -> Option<Self> {
        let buildah = program("buildah", "Debian: buildah")?;
        if !rustix::process::getuid().is_root() {
            eprintln!("skipped: building images as this test does needs root");
            return None;
        }
        Some(Self { buildah, folder: tempfile::tempdir().unwrap() })
    }

    fn buildah(&self) -> Command {
        let mut command = Command::new(&self.buildah);
        let at = |name: &str| self.folder.path().join(name);
        command.arg("--root").arg(at("storage")).arg("--runroot").arg(at("running"));
        command.args(["--storage-driver", "vfs"]);
        command
    }

    /// The root as the Dockerfile's own script lays it out.
    fn laid_out(&self) -> PathBuf {
        let folder = self.folder.path().join("files");
        if !folder.exists() {
            output(Command::new(repository("deploy/image/lay-out")).arg(binary()).arg(&folder));
        }
        folder
    }

    /// Builds a target of the Dockerfile and returns a container of it.
    fn built(&self, target: &str, contexts: &[(&str, &Path)]) -> Container {
        let image = self.build(target, contexts);
        let name = output(self.buildah().args(["from", &image])).trim().to_owned();
        let root = output(self.buildah().args(["mount", &name])).trim().into();
        let inspected = output(self.buildah().args(["inspect", &name]));
        let inspected: Value = serde_json::from_str(&inspected).unwrap();
        let mut settings = inspected["Docker"]["config"].clone();
        // Of the container that built it, and of no use to others.
        settings.as_object_mut().unwrap().remove("Hostname");
        Container { root, settings, layers: inspected["Docker"]["rootfs"]["diff_ids"].clone() }
    }

    /// The image that users get by default.
    fn usual(&self) -> Container {
        self.built("runtime", &[("files", &self.laid_out())])
    }

    /// Builds a target of the Dockerfile and returns its number.
    fn build(&self, target: &str, contexts: &[(&str, &Path)]) -> String {
        let id = self.folder.path().join("id");
        let empty = self.folder.path().join("empty");
        std::fs::create_dir_all(&empty).unwrap();
        let mut command = self.buildah();
        command.args(["build", "--isolation", "chroot", "--format", "docker", "--timestamp", "0", "--target", target]);
        command.arg("--iidfile").arg(&id).arg("--file").arg(repository("Dockerfile"));
        for (name, folder) in contexts {
            command.arg("--build-context").arg(format!("{name}={}", folder.display()));
        }
        output(command.arg(&empty));
        std::fs::read_to_string(id).unwrap()
    }
}

/// The binary that goes into the image.
fn binary() -> PathBuf {
    std::env::var_os("TOLLGATE_IMAGE_BINARY").map_or_else(|| env!("CARGO_BIN_EXE_tollgate").into(), PathBuf::from)
}

/// Whether it needs nothing else: no program is named that would load libraries for it.
fn is_static(binary: &Path) -> bool {
    let bytes = std::fs::read(binary).unwrap();
    !bytes.windows(9).any(|window| window == b"/ld-linux" || window == b"/ld-musl-")
}

/// An unpacked image.
struct Container {
    root: PathBuf,
    /// How it is started, as container runtimes read it.
    settings: Value,
    /// What its files are, by their digests.
    layers: Value,
}

impl Container {
    /// Makes room for what a container runtime would mount; nothing of it is in the image.
    fn prepared(self) -> Self {
        let folders = if is_static(&binary()) { &["etc", "var/lib"][..] } else { &["etc", "var/lib", "lib", "lib64"] };
        for folder in folders {
            std::fs::create_dir_all(self.root.join(folder)).unwrap();
        }
        std::fs::create_dir_all(self.root.join("var/lib/tollgate")).unwrap();
        std::fs::write(self.root.join("etc/hosts"), "").unwrap();
        self
    }

    /// A command line in it, as its user or another, with or without a volume.
    fn command(&self, line: &str, user: u32, volume: Option<&Path>) -> Command {
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-ec", FENCE, "sh"]).arg(&self.root);
        command.arg(volume.unwrap_or(Path::new(""))).arg(user.to_string()).args(line.split(' '));
        command.env_clear();
        for variable in self.settings["Env"].as_array().unwrap() {
            let (name, value) = variable.as_str().unwrap().split_once('=').unwrap();
            command.env(name, value);
        }
        quiet(command)
    }

    fn run(&self, line: &str, user: u32) -> Ended {
        Running::start(self.command(line, user, None)).finish()
    }

    /// The service as the loadtester's manifests start it, on a port that is free.
    fn serve(&self, user: u32, more: &str, volume: Option<&Path>) -> Serving {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let line = format!("{}{more}", STARTED.replace("8080", &port.to_string()));
        let mut running = Running::start(self.command(&line, user, volume));
        assert_eq!(running.line(), format!("tollgate listens on http://[::]:{port}/\n"));
        Serving { running, addr: SocketAddr::from(([127, 0, 0, 1], port)) }
    }

    fn probe(&self, user: u32, port: u16) -> Option<i32> {
        self.run(&PROBED.replace("8080", &port.to_string()), user).code
    }
}

struct Serving {
    running: Running,
    addr: SocketAddr,
}

impl Serving {
    fn post(&self, path: &str, metadata: &Value) -> Answer {
        let body = json!({"name": "podinfo", "namespace": "test", "phase": "Progressing", "metadata": metadata});
        ask(self.addr, "POST", path, &[], body.to_string().as_bytes())
    }
}

/// Every entry of a folder: its path below it, and what is known of it.
fn entries(folder: &Path) -> Vec<(String, std::fs::Metadata)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in next.read_dir().unwrap() {
            let path = entry.unwrap().path();
            let known = path.symlink_metadata().unwrap();
            if known.is_dir() {
                folders.push(path.clone());
            }
            found.push((path.strip_prefix(folder).unwrap().display().to_string(), known));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

#[test]
fn the_image_answers_as_the_loadtester_did_to_whatever_user_and_writes_nothing() {
    let Some(builder) = Builder::new() else { return };
    let container = builder.usual().prepared();
    for user in [100, 10_001, 65_532] {
        let serving = container.serve(user, "", None);
        assert_eq!(ask(serving.addr, "GET", "/healthz", &[], b"").short(), (200, "OK"), "{user}");
        assert_eq!(container.probe(user, serving.addr.port()), Some(0), "{user}: the old probe");
        let target = format!("http://{}/healthz", serving.addr);
        for (path, metadata, expected) in [
            ("/gate/check", json!({}), (403, "Forbidden")),
            ("/gate/open", json!({}), (202, "")),
            ("/gate/check", json!({}), (200, "Approved")),
            ("/rollback/check", json!({}), (403, "Forbidden")),
            ("/", json!({}), (400, "metadata not found in payload")),
            ("/", json!({"type": "cmd", "cmd": format!("hey -n 2 -c 1 {target}")}), (202, "")),
            ("/", json!({"type": "bash", "cmd": format!("curl -s {target} | grep OK")}), (200, "")),
        ] {
            assert_eq!(serving.post(path, &metadata).short(), expected, "{user}: {path} {metadata}");
        }
        serving.running.signal(Signal::TERM);
        assert_eq!(serving.running.finish().code, Some(0), "{user}");
        assert_eq!(container.probe(user, serving.addr.port()), Some(1), "{user}: the old probe, of what has ended");
    }
}

#[test]
fn a_container_that_is_killed_and_started_again_keeps_its_gates_on_a_volume() {
    let Some(builder) = Builder::new() else { return };
    let container = builder.usual().prepared();
    let volume = tempfile::tempdir().unwrap();
    std::os::unix::fs::chown(volume.path(), Some(10_001), Some(10_001)).unwrap();
    let state = format!(" --state={VOLUME}/state");
    let serving = container.serve(10_001, &state, Some(volume.path()));
    assert_eq!(serving.post("/gate/open", &json!({})).status, 202);
    serving.running.signal(Signal::KILL);
    assert_eq!(serving.running.finish().code, None, "killed");
    let serving = container.serve(10_001, &state, Some(volume.path()));
    assert_eq!(serving.post("/gate/check", &json!({})).short(), (200, "Approved"));
}

#[test]
fn the_image_holds_one_binary_under_the_names_it_answers_to() {
    let Some(builder) = Builder::new() else { return };
    let container = builder.usual();
    assert_eq!(builder.usual().layers, container.layers, "the same files make the same image");
    says_what_it_is(&container.settings);
    let found = entries(&container.root);
    let bytes: u64 = found.iter().filter(|(_, known)| known.is_file()).map(|(_, known)| known.len()).sum();
    let names: Vec<&str> = found.iter().filter(|(_, known)| !known.is_dir()).map(|(name, _)| name.as_str()).collect();
    let links = ["ghz", "grpc_health_probe", "hey", "tollgate", "wget"].map(|name| format!("usr/local/bin/{name}"));
    let mut expected: Vec<&str> = links.iter().map(String::as_str).chain(["usr/share/licenses/tollgate"]).collect();
    expected.insert(0, "home/app/loadtester");
    assert_eq!(names, expected);
    for (name, known) in &found {
        use std::os::unix::fs::MetadataExt as _;
        let others = if known.is_symlink() { 0 } else { known.mode() & 0o022 };
        assert_eq!((known.uid(), others, known.mtime()), (0, 0, 0), "{name}: root's alone, and of no time");
    }
    // The binary under test is a debug build, several times as large.
    if binary().components().any(|part| part.as_os_str() == "dist") {
        assert!(is_static(&binary()) && bytes <= MOST_BYTES, "{bytes} bytes");
    }
    let container = container.prepared();
    for (line, code, says) in [
        ("tollgate --version", 0, concat!("tollgate ", env!("CARGO_PKG_VERSION"))),
        ("./loadtester --version", 0, concat!("tollgate ", env!("CARGO_PKG_VERSION"))),
        ("./loadtester run --help", 0, "Usage: tollgate run"),
        ("hey -n 0 http://127.0.0.1/", 1, "-n and -c cannot be smaller than 1."),
        ("ghz --insecure -n 1 -c 1 127.0.0.1:1", 0, "[Unavailable]   1 responses"),
        ("grpc_health_probe -connect-timeout=1s -addr=127.0.0.1:1", 2, "127.0.0.1:1"),
        ("wget http://localhost/", 2, "this wget only probes"),
    ] {
        let ended = container.run(line, 10_001);
        assert_eq!(ended.code, Some(code), "{line}: {ended:?}");
        assert!(format!("{}{}", ended.stdout, ended.stderr).contains(says), "{line}: {ended:?}");
    }
}

/// How it is started, probed, and called.
fn says_what_it_is(settings: &Value) {
    assert_eq!(settings["Entrypoint"], json!([STARTED.split(' ').next()]));
    assert_eq!(settings["WorkingDir"], "/home/app");
    assert_eq!(settings["User"], "100:101");
    let probe: Vec<&str> = PROBED.split(' ').collect();
    let probe = json!(probe).to_string().replace("8080", "9090");
    let check: Vec<Value> = settings["Healthcheck"]["Test"].as_array().unwrap().clone();
    assert_eq!((&check[0], json!(check[1..]).to_string()), (&json!("CMD"), probe), "on the port it has by itself");
    let label = |name: &str| settings["Labels"][format!("org.opencontainers.image.{name}")].clone();
    assert_eq!(label("version"), env!("CARGO_PKG_VERSION"));
    assert_eq!(label("licenses"), "Apache-2.0");
    assert_eq!(label("title"), "tollgate");
}

#[test]
fn the_image_for_commands_has_their_programs_and_is_started_alike() {
    let Some(builder) = Builder::new() else { return };
    let programs = builder.folder.path().join("programs");
    std::fs::create_dir_all(programs.join("usr/local/bin")).unwrap();
    std::fs::create_dir_all(programs.join("bin")).unwrap();
    for name in ["bin/bash", "bin/busybox", "usr/local/bin/helm", "usr/local/bin/kubectl"] {
        std::fs::write(programs.join(name), "").unwrap();
    }
    std::os::unix::fs::symlink("/bin/busybox", programs.join("usr/local/bin/wget")).unwrap();
    let files = builder.laid_out();
    let exec = builder.built("exec", &[("files", &files), ("programs", &programs)]);
    says_what_it_is(&exec.settings);
    let link = |name: &str| std::fs::read_link(exec.root.join(name)).unwrap();
    assert_eq!(link("usr/local/bin/hey"), Path::new("tollgate"), "ours");
    assert_eq!(link("usr/local/bin/wget"), Path::new("/bin/busybox"), "a whole wget: scripts do more than probe");
    assert_eq!(link("home/app/loadtester"), Path::new("/usr/local/bin/tollgate"));
    assert!(exec.root.join("usr/local/bin/helm").is_file() && exec.root.join("bin/bash").is_file());
}
