//! The `nines` program. Everything is in `nines-cli`, but for the allocator, which is the program's own.

mod allocator;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: allocator::Counting = allocator::Counting(tikv_jemallocator::Jemalloc);

fn main() -> ExitCode {
    nines_cli::watch_memory(allocator::in_use, &allocator::MOST);
    nines_cli::main()
}
