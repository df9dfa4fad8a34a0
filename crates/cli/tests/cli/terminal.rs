//! Sessions on a terminal: a pseudo terminal, on which the tests type.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long a test waits for what it expects.
const PATIENCE: Duration = Duration::from_secs(20);

/// A session with its terminal.
struct Session {
    child: Child,
    keyboard: File,
    screen: mpsc::Receiver<Vec<u8>>,
    /// What was shown since the last look.
    shown: String,
}

/// A new folder for what programs remember.
fn memory(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("memory-{name}"));
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

impl Session {
    fn begin(memory: &PathBuf, environment: &[(&str, &str)]) -> Session {
        let (mut ours, mut theirs) = (0, 0);
        let none = std::ptr::null_mut();
        let size = libc::winsize { ws_row: 24, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };
        // SAFETY: the first two are written, the others may be missing; the size is only read.
        let result = unsafe { libc::openpty(&mut ours, &mut theirs, none, none.cast(), &raw const size) };
        assert_eq!(result, 0, "no pseudo terminal");
        // SAFETY: both were just opened, and nobody else has them.
        let (ours, theirs) = unsafe { (OwnedFd::from_raw_fd(ours), OwnedFd::from_raw_fd(theirs)) };
        let mut command = Command::new(env!("CARGO_BIN_EXE_hotloop"));
        command.env_remove("HOTLOOP_LOG").env_remove("NO_COLOR").env("TERM", "xterm");
        command.env("XDG_STATE_HOME", memory).envs(environment.iter().copied());
        let end = || Stdio::from(theirs.try_clone().unwrap());
        command.stdin(end()).stdout(end()).stderr(end());
        // SAFETY: both may be called between fork and exec.
        unsafe {
            command.pre_exec(|| {
                libc::setsid();
                libc::ioctl(0, libc::TIOCSCTTY as _, 0);
                Ok(())
            });
        }
        let child = command.spawn().unwrap();
        drop(theirs);
        let keyboard = File::from(ours);
        let mut screen = keyboard.try_clone().unwrap();
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // The end of the session is an error here.
            while let Ok(count @ 1..) = screen.read(&mut bytes) {
                if sender.send(bytes[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Session { child, keyboard, screen: receiver, shown: String::new() }
    }

    /// Waits until the text is on the screen, and gives what came before it.
    fn expect(&mut self, text: &str) -> String {
        let start = Instant::now();
        loop {
            if let Some(at) = self.shown.find(text) {
                let rest = self.shown.split_off(at + text.len());
                return std::mem::replace(&mut self.shown, rest);
            }
            let left = PATIENCE.saturating_sub(start.elapsed());
            match self.screen.recv_timeout(left) {
                Ok(bytes) => self.shown.push_str(&String::from_utf8_lossy(&bytes)),
                Err(_) => panic!("{text:?} does not come; there is {:?}", self.shown),
            }
        }
    }

    fn keys(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Types a line, once the prompt is there.
    fn line(&mut self, line: &str) {
        self.expect("pyl> ");
        self.keys(line);
        // The line as it is echoed, so that the answer is not looked for in it.
        self.expect(line);
        self.keys("\r");
    }

    fn end(mut self) -> ExitStatus {
        self.expect("pyl> ");
        self.keys("\x04");
        self.child.wait().unwrap()
    }
}

#[test]
fn values_are_coloured() {
    let mut session = Session::begin(&memory("colours"), &[]);
    session.line("1 + 41");
    session.expect("\x1b[36m42\x1b[0m");
    session.line("\"te\" ++ \"xt\"");
    session.expect("\x1b[32m\"text\"\x1b[0m");
    session.line("1 < 2");
    session.expect("\x1b[33mtrue\x1b[0m");
    assert!(session.end().success());
    let mut session = Session::begin(&memory("no-colours"), &[("NO_COLOR", "1")]);
    session.line("6 * 7");
    session.expect("42");
    let rest = session.expect("pyl> ");
    assert!(!rest.contains("[0m"), "{rest:?}");
    session.keys("\x04");
    assert!(session.child.wait().unwrap().success());
}

#[test]
fn blocks_are_indented_and_end_with_an_empty_line() {
    let mut session = Session::begin(&memory("blocks"), &[]);
    session.line("f = (func n)");
    session.expect("...> ");
    session.keys("(if n < 1)\r");
    session.expect("...> ");
    session.keys("    (return 5)\r");
    // Back to the left.
    session.expect("...> ");
    session.keys("\x7f\x7f\x7f\x7f(return 6)\r");
    session.expect("...> ");
    session.keys("\r");
    session.expect("<closure>");
    session.line("[(f 0) (f 1)]");
    session.expect("[5 6]");
    session.line("c = (class object v)");
    session.expect("...> ");
    session.keys("get = (func self) (return self.v)\r");
    session.expect("...> ");
    session.keys("\r");
    session.line("((c 7).get)");
    session.expect("\x1b[36m7");
    assert!(session.end().success());
}

#[test]
fn lines_are_called_back_also_later() {
    let memory = memory("history");
    let mut session = Session::begin(&memory, &[]);
    session.line("x = 20 + 1");
    session.expect("21");
    session.line("g = (func)");
    session.expect("...> ");
    session.keys("(return 77)\r");
    session.expect("...> ");
    session.keys("\r");
    session.expect("<closure>");
    session.expect("pyl> ");
    // Over an entry of two lines to the one before.
    session.keys("\x1b[A\x1b[A\x1b[A");
    session.expect("x = 20 + 1");
    session.keys(" * 2\r");
    session.expect("\x1b[36m22");
    assert!(session.end().success());
    let mut session = Session::begin(&memory, &[]);
    session.expect("pyl> ");
    session.keys("\x1b[A\x1b[A");
    session.expect("(return 77)");
    session.keys("\r");
    session.expect("<closure>");
    session.line("(g)");
    session.expect("\x1b[36m77");
    assert!(session.end().success());
    // No folder to write into is no error.
    let mut session = Session::begin(&PathBuf::from("/dev/null"), &[]);
    session.line("3 + 4");
    session.expect("7");
    assert!(session.end().success());
}

#[test]
fn names_are_completed() {
    let mut session = Session::begin(&memory("names"), &[]);
    session.line("counter_of_things = 9");
    session.expect("9");
    session.expect("pyl> ");
    session.keys("counter\t");
    session.expect("counter_of_things");
    session.keys(" * 11\r");
    session.expect("99");
    session.expect("pyl> ");
    session.keys("(isinst\t");
    session.expect("(isinstance");
    session.keys(" 1 int)\r");
    session.expect("true");
    session.line("point = (class object width height)");
    session.expect("...> ");
    session.keys("\r");
    session.line("p = (point 30 4)");
    session.expect("pyl> ");
    session.keys("p.wid\t");
    session.expect("p.width");
    session.keys("\r");
    session.expect("30");
    session.line("m = (import \"math\")");
    session.expect("pyl> ");
    session.keys("(m.degr\t");
    session.expect("(m.degrees");
    session.keys(" m.pi)\r");
    session.expect("180.0");
    // A name that was completed is not frozen by it.
    session.expect("pyl> ");
    session.keys("ran\t\t");
    session.expect("range");
    session.keys("\x03");
    // What is typed before the line is given up is lost with it.
    session.expect("\x1b[?2004l\r\n");
    session.line("range = 5");
    session.expect("\x1b[36m5");
    assert!(session.end().success());
}

#[test]
fn ctrl_c_stops_what_runs_and_drops_what_is_typed() {
    let mut session = Session::begin(&memory("ctrl-c"), &[]);
    session.line("kept = 31");
    session.expect("31");
    session.line("(while true) null");
    std::thread::sleep(Duration::from_millis(300));
    session.keys("\x03");
    session.expect("Error: interrupted");
    session.line("((import \"time\").sleep 1000)");
    std::thread::sleep(Duration::from_millis(1200));
    session.keys("\x03");
    session.expect("Error: interrupted");
    session.expect("pyl> ");
    session.keys("nonsense (");
    session.expect("nonsense (");
    session.keys("\x03");
    session.line("kept + 1");
    session.expect("32");
    assert!(session.end().success());
}

#[test]
fn programs_read_lines_themselves() {
    let mut session = Session::begin(&memory("input"), &[]);
    session.line("(input \"name? \")");
    session.expect("name? ");
    session.keys("somebody\r");
    session.expect("\"somebody\"");
    session.line("(exit 4)");
    assert_eq!(session.child.wait().unwrap().code(), Some(4));
}
