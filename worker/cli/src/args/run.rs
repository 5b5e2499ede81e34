//! `run`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use longshore::core::RouteName;

use crate::parse::Wait;

const AFTER: &str = "\
Examples:
  longshore run routes.toml
  longshore run routes.toml --until-idle
  longshore run routes.toml more.toml --route thumbs,labels --admin 9464

Ctrl-C, SIGTERM or SIGHUP drains: running jobs end, the rest goes back uncharged. A second one ends it now.
--until-idle ends when the files are read and the queues are empty; dead letters do not count.";

/// Options of `run`.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(crate) struct RunArgs {
    /// Route files; top-level tables in one of them only
    #[arg(required = true)]
    pub(crate) file: Vec<PathBuf>,
    /// Only these routes: one name, or several with commas; may be repeated
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = route)]
    pub(crate) route: Vec<RouteName>,
    /// Serve /metrics, /livez and /readyz here; a port alone is on loopback
    #[arg(long, value_name = "ADDR", value_parser = address)]
    pub(crate) admin: Option<SocketAddr>,
    /// Log what was done this often; 0s never
    #[arg(long, value_name = "DURATION", default_value = "1m")]
    pub(crate) summary: Wait,
    /// Stop when there is nothing left, and print what was done
    #[arg(long)]
    pub(crate) until_idle: bool,
}

fn route(text: &str) -> Result<RouteName, String> {
    RouteName::new(text).map_err(|error| error.to_string())
}

/// `ADDRESS:PORT`, or a port of loopback.
fn address(text: &str) -> Result<SocketAddr, String> {
    let port = text.strip_prefix(':').unwrap_or(text);
    if let Ok(port) = port.parse::<u16>() {
        return Ok(SocketAddr::from(([127, 0, 0, 1], port)));
    }
    let local = text
        .strip_prefix("localhost:")
        .map(|port| format!("127.0.0.1:{port}"));
    local.as_deref().unwrap_or(text).parse().map_err(|_| {
        format!(
            "\"{}\" is not an address; write it as 127.0.0.1:9464, [::1]:9464 or 9464",
            crate::output::escape::cut(text, 40)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_on_loopback() {
        for text in ["9464", ":9464", "localhost:9464", "127.0.0.1:9464"] {
            assert_eq!(address(text).unwrap().to_string(), "127.0.0.1:9464");
        }
        assert!(address("0.0.0.0:9464").is_ok());
        for bad in ["", "x", "1.2.3.4", "70000", "1.2.3.4:70000"] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
