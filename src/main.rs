//! The `nines` program. Everything is in `nines-cli`.

use std::process::ExitCode;

/// Queries allocate and free many small buffers on all cores, at which this allocator is faster than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    nines_cli::main()
}
