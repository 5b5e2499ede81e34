//! Programs that run a command or a program text that stands in their arguments.

use std::path::Path;

use super::interpreter::Interpreter;
use super::options::Options;

/// How a program comes to run what stands in its arguments.
#[derive(Debug)]
pub(super) enum Runs {
    /// It may run any of its arguments, but for the values of these options.
    Anything { data: Options },
    /// It runs the values of these options.
    Values { code: Options },
    /// It runs the command behind its own options and `own` arguments, and the values of `code`.
    Command {
        own: usize,
        code: Options,
        valued: Options,
    },
    /// It runs a script.
    Script(Interpreter),
}

/// Letters of which each may take a value, where it is not known which do.
const ANY_LETTER: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Names that are ordinary words, too: they count where a command stands, not among arguments.
const WORDS: &[&str] = &[
    "R", "at", "batch", "command", "ed", "ex", "expect", "find", "make", "scala", "screen",
    "script", "sort", "split", "time", "watch",
];

const NONE: Options = Options::NONE;

const fn some(letters: &'static str, names: &'static [&'static str]) -> Options {
    Options::new(letters, names)
}

const fn script(code: Options, loads: Options, valued: Options, plain: &'static str) -> Runs {
    Runs::Script(Interpreter {
        code,
        loads,
        valued,
        plain,
        is_shell: false,
        permutes: false,
    })
}

const fn text(code: Options, valued: Options, plain: &'static str) -> Runs {
    Runs::Script(Interpreter {
        code,
        loads: NONE,
        valued,
        plain,
        is_shell: false,
        permutes: true,
    })
}

const fn shell(valued: Options, plain: &'static str) -> Runs {
    Runs::Script(Interpreter {
        code: NONE,
        loads: some("", &["rcfile", "init-file"]),
        valued,
        plain,
        is_shell: true,
        permutes: false,
    })
}

const fn starts(own: usize, code: Options, valued: Options) -> Runs {
    Runs::Command { own, code, valued }
}

const fn values(letters: &'static str, names: &'static [&'static str]) -> Runs {
    Runs::Values {
        code: some(letters, names),
    }
}

#[rustfmt::skip]
const PROGRAMS: &[(&[&str], Runs)] = &[
    (
        &["sh", "bash", "dash", "zsh", "ksh", "mksh", "ash", "csh", "tcsh"],
        shell(some("oO", &[]), "abcefhiklmnprstuvxyBCDEHPTVX"),
    ),
    (&["fish"], script(some("c", &["command"]), some("C", &["init-command"]), some("dDfo", &[]), "ilnNPv")),
    (&["python", "pypy"], script(some("cm", &[]), NONE, some("WX", &[]), "bBdEhiIOPqsSuvVx")),
    (&["perl"], script(some("eE", &[]), some("mMI", &[]), NONE, "acfhilnpstTuUvwWX0")),
    (&["ruby"], script(some("e", &[]), some("rI", &[]), some("C", &[]), "achlnpsSvw0")),
    (&["lua", "luajit", "tclsh", "wish"], script(NONE, some("el", &[]), NONE, "ivEW")),
    (
        &["node", "nodejs", "deno", "bun"],
        script(some("ep", &["eval", "print"]), some("r", &["require", "import", "loader"]), NONE, "chiv"),
    ),
    (
        &["php"],
        script(
            some("rBREfF", &["run", "process-begin", "process-code", "process-end", "file"]),
            some("cdz", &["php-ini", "define", "zend-extension"]), NONE, "aCehilmnqsvw",
        ),
    ),
    (
        &["Rscript", "R", "julia", "octave", "guile", "erl", "elixir", "groovy", "scala", "ghc", "osascript",
          "expect", "gnuplot", "racket", "sbcl", "clojure"],
        script(NONE, some("ecEsrlf", &["eval", "expression", "command", "file"]), NONE, ""),
    ),
    (
        &["awk", "gawk", "mawk", "nawk"],
        script(
            some("feE", &["file", "source", "exec"]), some("il", &["include", "load"]),
            some("vF", &["assign", "field-separator"]), "bcnNrsStPO",
        ),
    ),
    (&["sed", "gsed"], text(some("ef", &["expression", "file"]), some("l", &["line-length"]), "nErsuzi")),
    (&["jq", "yq"], text(some("f", &["from-file", "expression"]), some("L", &[]), "rRcCMSsnjae")),
    (&["psql"], Runs::Anything { data: some("v", &["set", "variable"]) }),
    (
        &["eval", "ssh", "parallel", "watch", "su", "runuser", "script", "entr", "tmux", "screen", "socat",
          "at", "batch", "m4", "gdb", "ed", "ex", "vi", "vim", "nvim", "emacs", "make", "gmake", "sqlite", "sqlite3", "duckdb",
          "mysql", "mariadb", "mysqlsh", "mongo", "mongosh", "cqlsh", "clickhouse-client", "sqlcmd", "isql"],
        Runs::Anything { data: NONE },
    ),
    (
        &["tar", "gtar", "bsdtar"],
        values("IF", &["to-command", "checkpoint-action", "use-compress-program", "info-script",
                       "new-volume-script", "rsh-command", "rmt-command"]),
    ),
    (&["rsync"], values("e", &["rsh", "rsync-path"])),
    (&["git"], values("cx", &["exec", "upload-pack", "receive-pack"])),
    (&["nc", "ncat", "netcat"], values("ec", &["exec", "sh-exec", "lua-exec"])),
    (&["sort"], values("", &["compress-program"])),
    (&["split"], values("", &["filter"])),
    (&["find"], values("", &["exec", "execdir", "ok", "okdir"])),
    (&["env"], starts(0, some("S", &["split-string"]), some("uCa", &["unset", "chdir", "argv0"]))),
    (&["timeout"], starts(1, NONE, some("ks", &["kill-after", "signal"]))),
    (
        &["flock"],
        starts(1, some("c", &["command"]), some("wE", &["timeout", "wait", "conflict-exit-code"])),
    ),
    (&["nohup", "setsid", "busybox", "command", "unbuffer"], starts(0, NONE, NONE)),
    (&["chroot"], starts(1, NONE, NONE)),
    (&["nice"], starts(0, NONE, some("n", &["adjustment"]))),
    (&["ionice"], starts(0, NONE, some("cnpPu", &["class", "classdata", "pid", "pgid", "uid"]))),
    (&["stdbuf"], starts(0, NONE, some("ioe", &["input", "output", "error"]))),
    (&["time"], starts(0, NONE, some("fo", &["format", "output"]))),
    (
        &["xargs"],
        starts(0, NONE, some("adEILnPs", &["arg-file", "delimiter", "max-args", "max-procs", "max-chars"])),
    ),
    (
        &["sudo", "doas"],
        starts(0, NONE, some("CDghpRrTtUu", &["user", "group", "chdir", "chroot", "host", "prompt", "role",
                                              "type", "other-user", "close-from", "command-timeout"])),
    ),
    (
        &["setpriv", "unshare", "nsenter", "strace", "ltrace", "systemd-run", "prlimit", "chrt", "taskset",
          "gosu", "tini", "dumb-init"],
        starts(0, NONE, some(ANY_LETTER, &[])),
    ),
];

/// What is known of the program of this name or path. `leads`: it stands where a command does.
pub(super) fn named(path: &str, leads: bool) -> Option<(&str, &'static Runs)> {
    let name = Path::new(path).file_name()?.to_str()?;
    if !leads && WORDS.contains(&path) {
        return None;
    }
    let plain = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    PROGRAMS
        .iter()
        .find(|(names, _)| names.contains(&name) || names.contains(&plain))
        .map(|(_, runs)| (name, runs))
}
