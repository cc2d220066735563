//! How long a message may be.

use crate::IngestError;

/// Bytes of a message, packed or not, at most.
pub(super) const LONGEST: u64 = 64 << 20;

/// The error for a message that is not worth holding in memory.
pub(super) fn too_long(at: u64) -> IngestError {
    IngestError::bad_line(format!("the message is longer than {} MiB", LONGEST >> 20))
        .at_byte(at)
        .advice("Is this a file of OTLP? Let the collector send smaller batches: send_batch_max_size")
}
