//! The limit of open files.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::output::Console;

/// Each call under way holds a file; the usual soft limit of 1024 is for programs that still use `select`.
pub fn raise_limit(console: Console) {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        console.say(format_args!(
            "  the limit of open files stays as it is: {error}"
        ));
    }
}
