//! One boot in QEMU: from a description of the machine to how it ended and what the guest wrote.
//!
//! Every boot has a directory of its own, which is QEMU's current directory and holds links to the
//! kernel and the modules under plain names. So paths with blanks or commas do no harm, and what the
//! guest is told (QEMU puts file names into its command lines) is the same wherever the workspace
//! lies: with the instruction clock, equal inputs give equal counts. What the guest wrote stays there,
//! and so does the command, for a look after a failure.

use std::fs::File;
use std::os::unix::fs::symlink;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::install;
use crate::outcome::{Ending, Outcome};

/// The emulator.
pub const PROGRAM: &str = "qemu-system-i386";
/// In a boot's directory: what the guest wrote to its first serial port.
pub const CONSOLE_FILE: &str = "console.log";
/// In a boot's directory: what the guest wrote to its second serial port.
pub const RECORDS_FILE: &str = "records.jsonl";
/// In a boot's directory: what QEMU itself had to say.
const QEMU_FILE: &str = "qemu.log";
/// In a boot's directory: the command that boots the same again.
const COMMAND_FILE: &str = "command.sh";
/// What is typed at the console.
const TYPED_FILE: &str = "typed";
/// In a boot's directory: the plugin.
const PLUGIN: &str = "plugin.so";
/// In a boot's directory: what the plugin had to say.
const PLUGIN_FILE: &str = "plugin.jsonl";

/// The emulator's version, as it says it.
///
/// # Errors
/// It is missing and cannot be installed, or says something else.
pub fn version() -> Result<String> {
    let program = install::ensure_command(PROGRAM, install::QEMU)?;
    let output = Command::new(&program).arg("--version").output().context("cannot run QEMU")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = text.split_once(" version ").and_then(|(_, rest)| rest.split_whitespace().next());
    Ok(version.with_context(|| format!("{} does not say its version", program.display()))?.into())
}

/// A file that the boot loader puts into memory beside the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// The first word of the module's command line. Not empty, no blanks, no slash.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// The rest of the module's command line.
    pub arguments: String,
}

/// A plugin of the emulator's code generator that looks on; see [`crate::plugin`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plugin {
    /// The file.
    pub path: PathBuf,
    /// What it is told, `NAME=VALUE,NAME=VALUE`, beside where to write.
    pub arguments: String,
}

/// Where the guest's first serial port goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Console {
    /// Into a file only.
    Quiet,
    /// Also to this program's standard output.
    Show,
    /// Connected to the terminal in both directions.
    Interactive,
    /// Into a file only, and this is typed from the start. The guest's serial port drops what comes before
    /// it is set up.
    Typed(&'static str),
}

/// How the guest's time passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// One nanosecond an instruction: the cycle counter counts instructions exactly, every run of the
    /// same machine is the same run, and waiting for a timer takes no time (but with
    /// [`Console::Interactive`]).
    Instructions,
    /// By the clock of the host.
    Host,
}

/// From where the machine boots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    /// The emulator loads the kernel itself, a multiboot file.
    Kernel,
    /// The firmware boots a disc (ISO 9660) in the drive.
    Disc,
    /// The firmware boots a disk, of which the machine writes to a copy.
    Disk,
}

/// Name under which a guest that no boot loader tells finds its command line in the emulator's configuration device.
pub const LINE: &str = "opt/freehold/line";

/// A machine to boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// What [`Machine::kernel`] is.
    pub medium: Medium,
    /// The kernel, a multiboot file; or a disc or disk with one.
    pub kernel: PathBuf,
    /// The modules, in order.
    pub modules: Vec<Module>,
    /// The kernel's command line; QEMU puts "kernel " before it. From a disc or disk it is the contents of [`LINE`].
    pub append: String,
    /// The processor's model.
    pub cpu: String,
    /// Memory in MiB.
    pub memory_mib: u32,
    /// How time passes.
    pub clock: Clock,
    /// Where the first serial port goes.
    pub console: Console,
    /// Wall-clock time after which the boot counts as hung.
    pub time_limit: Option<Duration>,
    /// What looks on.
    pub plugin: Option<Plugin>,
}

/// A boot that is over.
#[derive(Debug)]
pub struct Boot {
    /// What it came to.
    pub outcome: Outcome,
    /// What the guest wrote to its first serial port.
    pub console: String,
    /// What it wrote to the second.
    pub records: String,
    /// What QEMU had to say.
    pub qemu: String,
    /// What the plugin wrote.
    pub seen: String,
    /// Wall-clock time that it took.
    pub duration: Duration,
}

impl Machine {
    /// Boots, waits for the end, judges. `directory` is emptied first; `closing_name` is the name that
    /// the closing record must bear, if it is known.
    ///
    /// # Errors
    /// QEMU is missing and cannot be installed, or a file cannot be linked, written or read. However
    /// the guest fails is no error but an [`Outcome`].
    pub fn boot(&self, directory: &Path, closing_name: Option<&str>) -> Result<Boot> {
        let mut child = self.start(directory, &[], false)?;
        let started = Instant::now();
        let ending = child.wait(self.time_limit)?;
        let read = |file| read_lossy(&directory.join(file));
        let (console, records, qemu) = (read(CONSOLE_FILE)?, read(RECORDS_FILE)?, read(QEMU_FILE)?);
        let outcome = Outcome::judge(ending, &console, &records, closing_name);
        Ok(Boot { outcome, console, records, qemu, seen: read(PLUGIN_FILE)?, duration: started.elapsed() })
    }

    /// Starts QEMU with further arguments and does not wait. With `apart`, what the terminal's
    /// interrupt key stops does not include it.
    ///
    /// # Errors
    /// As for [`Machine::boot`].
    pub fn start(&self, directory: &Path, further: &[String], apart: bool) -> Result<Running> {
        let program = install::ensure_command(PROGRAM, install::QEMU)?;
        self.lay_out(directory)?;
        let arguments = [self.arguments(), further.to_vec()].concat();
        let line = shell_line(&program, &arguments);
        std::fs::write(directory.join(COMMAND_FILE), format!("cd \"$(dirname \"$0\")\" && {line}\n"))?;

        let mut command = Command::new(&program);
        command.args(&arguments).current_dir(directory);
        command.stdin(match self.console {
            Console::Interactive => Stdio::inherit(),
            Console::Typed(text) => {
                std::fs::write(directory.join(TYPED_FILE), text)?;
                File::open(directory.join(TYPED_FILE))?.into()
            }
            Console::Quiet | Console::Show => Stdio::null(),
        });
        command.stdout(match self.console {
            Console::Quiet | Console::Typed(_) => Stdio::null(),
            Console::Show | Console::Interactive => Stdio::inherit(),
        });
        command.stderr(File::create(directory.join(QEMU_FILE))?);
        if apart {
            command.process_group(0);
        }
        let child = command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Running { child })
    }

    /// Empties `directory` and links the kernel, the modules and the plugin into it.
    fn lay_out(&self, directory: &Path) -> Result<()> {
        let context = || format!("cannot prepare {}", directory.display());
        if directory.exists() {
            std::fs::remove_dir_all(directory).with_context(context)?;
        }
        std::fs::create_dir_all(directory).with_context(context)?;
        let link = |name: &str, path: &Path| -> Result<()> {
            let original = path.canonicalize().with_context(|| format!("no file {}", path.display()))?;
            let link = directory.join(name);
            match link.canonicalize() {
                Ok(taken) if taken == original => Ok(()),
                Ok(taken) => {
                    bail!("{} and {} would both be called {name}", taken.display(), original.display())
                }
                Err(_) => symlink(&original, &link).with_context(context),
            }
        };
        link("kernel", &self.kernel)?;
        if let Some(plugin) = &self.plugin {
            link(PLUGIN, &plugin.path)?;
        }
        self.modules.iter().try_for_each(|module| link(&module.name, &module.path))
    }

    /// The command that boots it, as one types it in a directory laid out as `Machine::lay_out` does.
    pub fn command_line(&self) -> String {
        shell_line(Path::new(PROGRAM), &self.arguments())
    }

    /// QEMU's arguments, for a current directory laid out as `Machine::lay_out` does.
    fn arguments(&self) -> Vec<String> {
        let mut arguments: Vec<String> = Vec::new();
        let mut add = |words: &[&str]| arguments.extend(words.iter().map(|word| String::from(*word)));
        add(&["-machine", "pc", "-accel", "tcg"]);
        if self.clock == Clock::Instructions {
            // While the guest waits for somebody to type, time passes as for that person: else the
            // emulator would run through the guest's timer ticks as fast as it can. Counts stay exact.
            let sleep = if self.console == Console::Interactive { "on" } else { "off" };
            add(&["-icount", &format!("shift=0,sleep={sleep}")]);
        }
        add(&["-cpu", &self.cpu, "-m", &format!("{}M", self.memory_mib)]);
        add(&["-nodefaults", "-display", "none", "-vga", "none", "-no-reboot"]);
        add(&["-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"]);
        let console = match self.console {
            Console::Quiet => format!("file,id=console,path={CONSOLE_FILE}"),
            Console::Show | Console::Interactive | Console::Typed(_) => {
                format!("stdio,id=console,logfile={CONSOLE_FILE}")
            }
        };
        add(&["-chardev", &console, "-serial", "chardev:console"]);
        add(&["-chardev", &format!("file,id=records,path={RECORDS_FILE}"), "-serial", "chardev:records"]);
        match self.medium {
            Medium::Kernel => add(&["-kernel", "kernel"]),
            Medium::Disc => add(&["-cdrom", "kernel"]),
            Medium::Disk => add(&["-drive", "file=kernel,format=raw,if=ide,snapshot=on"]),
        }
        match self.medium {
            _ if self.append.is_empty() => {}
            Medium::Kernel => add(&["-append", &self.append]),
            // QEMU takes two commas for one.
            Medium::Disc | Medium::Disk => {
                add(&["-fw_cfg", &format!("name={LINE},string={}", self.append.replace(',', ",,"))]);
            }
        }
        if !self.modules.is_empty() {
            let modules: Vec<_> = self.modules.iter().map(Module::for_initrd).collect();
            add(&["-initrd", &modules.join(",")]);
        }
        if let Some(plugin) = &self.plugin {
            add(&["-plugin", &format!("./{PLUGIN},{},out={PLUGIN_FILE}", plugin.arguments)]);
        }
        arguments
    }
}

impl Module {
    /// The module in QEMU's `-initrd`, which separates modules by commas and takes two for one.
    fn for_initrd(&self) -> String {
        let blank = if self.arguments.is_empty() { "" } else { " " };
        format!("{}{blank}{}", self.name, self.arguments).replace(',', ",,")
    }
}

/// A QEMU that has been started. It does not outlive this value.
#[derive(Debug)]
pub struct Running {
    child: Child,
}

impl Running {
    /// Waits until QEMU has ended, at most for `limit`, then kills it.
    ///
    /// # Errors
    /// The system cannot wait for it.
    pub fn wait(&mut self, limit: Option<Duration>) -> Result<Ending> {
        const POLL: Duration = Duration::from_millis(5);
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().context("cannot wait for QEMU")? {
                return Ok(ending(status));
            }
            if let Some(limit) = limit.filter(|limit| started.elapsed() >= *limit) {
                self.child.kill().context("cannot end QEMU")?;
                self.child.wait().context("cannot wait for QEMU")?;
                return Ok(Ending::TimeLimit(limit));
            }
            std::thread::sleep(POLL);
        }
    }
}

impl Running {
    /// Ends QEMU now, if it has not ended yet.
    pub fn end(&mut self) {
        // Both fail if it has ended already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

fn ending(status: ExitStatus) -> Ending {
    match (status.code(), status.signal()) {
        (Some(code), _) => Ending::Status(code),
        (None, signal) => Ending::Signal(signal.unwrap_or(0)),
    }
}

/// A file's text; nothing if QEMU ended before it made the file.
fn read_lossy(path: &Path) -> Result<String> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// A command as one types it.
fn shell_line(program: &Path, arguments: &[String]) -> String {
    let quote = |word: &str| format!("'{}'", word.replace('\'', r"'\''"));
    let words = arguments.iter().map(|word| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_=,.:/".contains(c);
        if !word.is_empty() && word.chars().all(plain) { word.clone() } else { quote(word) }
    });
    std::iter::once(program.display().to_string()).chain(words).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> Machine {
        Machine {
            medium: Medium::Kernel,
            kernel: "/k".into(),
            modules: Vec::new(),
            append: String::new(),
            cpu: "pentium".into(),
            memory_mib: 32,
            clock: Clock::Instructions,
            console: Console::Quiet,
            time_limit: None,
            plugin: None,
        }
    }

    fn module(name: &str, path: &Path, arguments: &str) -> Module {
        Module { name: name.into(), path: path.into(), arguments: arguments.into() }
    }

    fn value_of(arguments: &[String], option: &str) -> Option<String> {
        arguments.iter().position(|argument| argument == option).map(|at| arguments[at + 1].clone())
    }

    #[test]
    fn modules_are_separated_by_single_commas_only() {
        let mut machine = machine();
        assert_eq!(value_of(&machine.arguments(), "-initrd"), None);
        machine.modules = vec![module("init", Path::new("/i"), "a,b c"), module("file", Path::new("/f"), "")];
        assert_eq!(value_of(&machine.arguments(), "-initrd").as_deref(), Some("init a,,b c,file"));
    }

    #[test]
    fn a_kernel_is_told_by_multiboot_and_a_disk_by_the_configuration_device() {
        let mut machine = Machine { append: "a=1,2 b".into(), ..machine() };
        let told =
            |machine: &Machine| ["-append", "-fw_cfg"].map(|name| value_of(&machine.arguments(), name));
        assert_eq!(told(&machine), [Some("a=1,2 b".into()), None]);
        assert_eq!(value_of(&machine.arguments(), "-kernel").as_deref(), Some("kernel"));
        for (medium, option) in [(Medium::Disc, "-cdrom"), (Medium::Disk, "-drive")] {
            machine.medium = medium;
            assert_eq!(told(&machine), [None, Some("name=opt/freehold/line,string=a=1,,2 b".into())]);
            assert!(value_of(&machine.arguments(), option).is_some(), "{medium:?}");
            assert_eq!(value_of(&machine.arguments(), "-kernel"), None);
        }
    }

    #[test]
    fn a_reset_is_seen_and_the_clock_can_be_chosen() {
        let mut machine = machine();
        let arguments = machine.arguments();
        assert!(arguments.contains(&"-no-reboot".into()));
        assert_eq!(value_of(&arguments, "-icount").as_deref(), Some("shift=0,sleep=off"));
        machine.console = Console::Interactive;
        assert_eq!(value_of(&machine.arguments(), "-icount").as_deref(), Some("shift=0,sleep=on"));
        machine.clock = Clock::Host;
        assert_eq!(value_of(&machine.arguments(), "-icount"), None);
    }

    #[test]
    fn one_name_for_two_files_is_refused_and_for_one_file_is_not() {
        let files = tempfile::tempdir().expect("a directory");
        let path = |name: &str| files.path().join(name);
        for name in ["kernel with, blanks", "a", "b"] {
            std::fs::write(path(name), name).expect("a file");
        }
        let mut machine = machine();
        machine.kernel = path("kernel with, blanks");
        machine.modules = vec![module("m", &path("a"), "1"), module("m", &path("a"), "2")];
        let boot = path("boot");
        machine.lay_out(&boot).expect("one file under one name");
        assert_eq!(std::fs::read_to_string(boot.join("kernel")).expect("a link"), "kernel with, blanks");
        machine.modules[1].path = path("b");
        assert!(machine.lay_out(&boot).is_err());
        machine.modules[1].path = path("absent");
        assert!(machine.lay_out(&boot).is_err());
    }

    #[test]
    fn the_time_limit_ends_what_does_not_end() {
        let start = || Running { child: Command::new("sleep").arg("600").spawn().expect("sleep") };
        let limit = Duration::from_millis(20);
        assert_eq!(start().wait(Some(limit)).expect("waited"), Ending::TimeLimit(limit));
    }

    #[test]
    fn commands_can_be_typed_again() {
        let line = shell_line(Path::new("qemu"), &["-m".into(), "32M".into(), "a b'c".into(), String::new()]);
        assert_eq!(line, r"qemu -m 32M 'a b'\''c' ''");
    }
}
