//! Native histograms as `promtool tsdb dump` prints them: `{count:3, sum:1.5, [-0.001,0.001]:1, (0.5,1]:2}`.

use super::NativeHistogram;
use super::bounds::{Shown, histogram};
use super::numbers::number;

/// The histogram that a text begins with, and what follows it; otherwise what is wrong.
pub(super) fn read(text: &str) -> Result<(NativeHistogram, &str), String> {
    let end = text.find('}').ok_or("the brace is not closed")?;
    let (mut count, mut sum, mut shown) = (None, None, Vec::new());
    let mut rest = text[1..end].trim();
    while !rest.is_empty() {
        let (key, after) = if rest.starts_with(['[', '(']) {
            let close = rest.find([']', ')']).ok_or("the bounds are not closed")?;
            rest.split_at(close + 1)
        } else {
            rest.split_at(rest.find(':').unwrap_or(rest.len()))
        };
        let after = after.strip_prefix(':').ok_or_else(|| format!("expected a colon behind {key}"))?;
        let (value, next) = after.split_once(',').unwrap_or((after, ""));
        let value = number(value.trim()).ok_or_else(|| format!("{key} is {:?}, which is no number", value.trim()))?;
        match key {
            "count" => count = Some(value),
            "sum" => sum = Some(value),
            _ => shown.push(bucket(key, value)?),
        }
        rest = next.trim_start();
    }
    let (count, sum) = (count.ok_or("it has no count")?, sum.ok_or("it has no sum")?);
    Ok((histogram(count, sum, &shown)?, &text[end + 1..]))
}

fn bucket(bounds: &str, count: f64) -> Result<Shown, String> {
    let within = bounds.get(1..bounds.len().saturating_sub(1)).and_then(|within| within.split_once(','));
    let bounds = within.and_then(|(lower, upper)| Some((number(lower.trim())?, number(upper.trim())?)));
    let (lower, upper) = bounds.ok_or("expected two bounds, as (0.5,1]")?;
    Ok(Shown { lower, upper, count })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_promtool_prints_is_read() {
        let (read, rest) = read("{count:6, sum:18.4, [-0.001,0.001]:2, (0.5,1]:1, (1,2]:3} 1700000000000").unwrap();
        assert_eq!((read.schema, read.count, read.sum, read.zero), (0, 6.0, 18.4, 2.0));
        assert_eq!(read.buckets.into_iter().collect::<Vec<_>>(), [(-1, 1.0), (0, 3.0)]);
        assert_eq!(rest, " 1700000000000");
    }

    #[test]
    fn what_is_no_histogram_is_refused() {
        for (text, said) in [
            ("{count:1", "the brace is not closed"),
            ("{count:1}", "it has no sum"),
            ("{count:1, sum}", "expected a colon behind sum"),
            ("{count:1, sum:x}", "sum is \"x\", which is no number"),
            ("{count:1, sum:1, (1 2]:1}", "expected two bounds, as (0.5,1]"),
            ("{count:1, sum:1, (1,2}", "the bounds are not closed"),
        ] {
            assert_eq!(read(text).unwrap_err(), said, "{text}");
        }
    }
}
