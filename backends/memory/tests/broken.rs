//! The test of the tests: stores that are broken on purpose fail the cases that are there for it.

mod opened;

use std::process::ExitCode;
use std::sync::Arc;

use longshore_conformance::Harness;

fn main() -> ExitCode {
    let good: Arc<dyn Harness> = Arc::new(opened::Memory);
    longshore_conformance::broken::main(&good)
}
