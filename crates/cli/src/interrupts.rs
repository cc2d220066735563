//! Signals. Ctrl-C is listened for on a thread of its own: where every thread of the runtime computes, none of them would notice.

use std::io;

use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// From now on a write beyond `ulimit -f` fails with an error, as on a full disk; the signal would end the program with its temporary
/// files left behind.
pub(crate) fn outlive_file_limits() {
    const SIGXFSZ: i32 = 25;
    // Once it is handled it stays so. Where it cannot be, the program ends as it did.
    drop(signal(SignalKind::from_raw(SIGXFSZ)));
}

/// From now on Ctrl-C no longer ends the program, but comes out here.
pub(crate) fn listen() -> io::Result<UnboundedReceiver<()>> {
    listen_to(SignalKind::interrupt(), SignalKind::interrupt())
}

/// The same of SIGTERM, with which services are stopped.
pub(crate) fn listen_also_to_terminate() -> io::Result<UnboundedReceiver<()>> {
    listen_to(SignalKind::interrupt(), SignalKind::terminate())
}

fn listen_to(one: SignalKind, other: SignalKind) -> io::Result<UnboundedReceiver<()>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (mut one, mut other) = {
        let _inside = runtime.enter();
        (signal(one)?, signal(other)?)
    };
    let (come, came) = unbounded_channel();
    let listening = std::thread::Builder::new().name("interrupts".to_string()).stack_size(1 << 20);
    listening.spawn(move || {
        runtime.block_on(async {
            loop {
                let came = tokio::select! {
                    came = one.recv() => came,
                    came = other.recv() => came,
                };
                if came.is_none() || come.send(()).is_err() {
                    return;
                }
            }
        });
    })?;
    Ok(came)
}
