//! Who runs this command, for histories and pauses.

/// `user@host`, or what is known of it.
pub(crate) fn author() -> String {
    let user = std::env::var("USER")
        .or_else(|_| std::env::var("LOGNAME"))
        .ok()
        .filter(|user| !user.is_empty())
        .unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()));
    format!("{user}@{}", host())
}

/// `cli@host:pid`: the worker that a by-hand settle is recorded under.
pub(crate) fn worker() -> String {
    format!("cli@{}:{}", host(), std::process::id())
}

fn host() -> String {
    let uname = rustix::system::uname();
    let name = uname.nodename().to_string_lossy().into_owned();
    if name.is_empty() {
        "localhost".into()
    } else {
        name
    }
}
