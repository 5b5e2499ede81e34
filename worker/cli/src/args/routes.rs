//! `routes check`, `show` and `explain`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use longshore::core::{Label, RouteName};

const AFTER: &str = "\
Examples:
  longshore routes check routes.toml
  longshore routes explain routes.toml --error http.503";

/// Options of `routes`.
#[derive(Debug, Args)]
#[command(after_help = AFTER, arg_required_else_help = true)]
pub(crate) struct RoutesArgs {
    /// What to do
    #[command(subcommand)]
    pub(crate) verb: RoutesVerb,
}

/// What to do with a route file.
#[derive(Debug, Subcommand)]
pub(crate) enum RoutesVerb {
    /// Say what is wrong with it, if anything
    #[command(after_help = "Example:\n  longshore routes check routes.toml")]
    Check(RouteFileArgs),
    /// Print its routes as a graph
    #[command(after_help = "Example:\n  longshore routes show routes.toml")]
    Show(RouteFileArgs),
    /// Print what becomes of a failure
    Explain(ExplainArgs),
}

/// A route file.
#[derive(Debug, Args)]
pub(crate) struct RouteFileArgs {
    /// Route files; top-level tables in one of them only
    #[arg(required = true)]
    pub(crate) file: Vec<PathBuf>,
}

/// Options of `routes explain`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  longshore routes explain routes.toml --error http.503\n  \
                  longshore routes explain routes.toml --error exec.exit.65 --route thumbs"
)]
pub(crate) struct ExplainArgs {
    /// Route files
    #[arg(required = true)]
    pub(crate) file: Vec<PathBuf>,
    /// The label of the failure, such as http.503, exec.exit.65 or timeout
    #[arg(long, value_name = "LABEL", value_parser = label)]
    pub(crate) error: Label,
    /// Only this route
    #[arg(long, value_name = "NAME", value_parser = route)]
    pub(crate) route: Option<RouteName>,
}

fn label(text: &str) -> Result<Label, String> {
    Label::new(text).map_err(|error| error.to_string())
}

fn route(text: &str) -> Result<RouteName, String> {
    RouteName::new(text).map_err(|error| error.to_string())
}
