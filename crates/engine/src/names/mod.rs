//! Names that definitions and records speak of, beside those that stored rows carry: a slip of the pen is told at once, with what was
//! probably meant, instead of giving an objective without data.
//!
//! The newest rows are looked through ([`read`]), at most so many of them. A name that is not among those is looked for by itself in
//! all rows, which statistics of files make cheap; a glob is not, and what is said of it says since when.

pub(crate) mod agreement;
mod miss;
pub(crate) mod objective;
mod read;
pub(crate) mod shared;

use datafusion::error::Result;
pub(crate) use read::Carried;

/// What of an objective matches no stored row, in one line; `None` if all does.
pub(crate) async fn unmatched(spec: &nines_slo::Spec, carried: &mut Carried<'_>) -> Result<Option<String>> {
    let misses = objective::misses(spec, carried).await?;
    let told: Vec<String> = misses.into_iter().map(|miss| miss.text).collect();
    Ok((!told.is_empty()).then(|| told.join("; ")))
}
