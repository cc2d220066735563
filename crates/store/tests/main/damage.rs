//! Whatever becomes of an object of a store, an answer is right or an error that names the object.
//!
//! Every byte of every entry, head, checkpoint and data file with a bit flipped; every object emptied, cut, doubled, zeroed in part,
//! exchanged with its neighbour or removed. By default a sample; `NINES_DAMAGE=1000000` does all.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use datafusion::object_store::memory::InMemory;
use datafusion::object_store::path::Path;
use datafusion::object_store::{ObjectStore, ObjectStoreExt};
use futures::TryStreamExt;
use nines_store::{Mark, Once, Provider, Store, StoreError, StoreErrorKind, Table, TableKind};

use crate::fixture::{DAY, MINUTE, OCTOBER, append, context, lines, querying, requests, row, stream_of};
use crate::seed::{Replay, sample};

/// What becomes of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Damage {
    /// A bit of this byte.
    Flipped(usize),
    Emptied,
    /// To so many bytes.
    Cut(usize),
    Doubled,
    /// From this byte on, some of them.
    Zeroed(usize),
    /// With the next object of its folder.
    Exchanged,
    Removed,
}

/// One object and what becomes of it.
type Case = (Path, Damage);

async fn open(objects: &Arc<InMemory>) -> Table {
    Store::over("memory://damage", Arc::clone(objects) as _, None).await.unwrap().table(TableKind::Requests)
}

/// Rows of three days, some corrected, and so many versions that there is a checkpoint and entries after it.
async fn filled() -> Arc<InMemory> {
    let objects = Arc::new(InMemory::new());
    let table = open(&objects).await;
    let rows = |day: i64, counts: i64| -> Vec<_> {
        (0..20).map(|at| row(OCTOBER + day * DAY + at * MINUTE, "login", counts + at)).collect()
    };
    append(&table, vec![requests(&rows(0, 1))]).await.unwrap();
    append(&table, vec![requests(&rows(1, 100))]).await.unwrap();
    append(&table, vec![requests(&rows(0, 5)[3..5])]).await.unwrap();
    for at in 0..47 {
        let mut once = Once::default();
        once.marks = vec![Mark::lasting("position", (at > 0).then_some(at), at + 1)];
        table.append(stream_of(vec![requests(&[])]), once, context().task_ctx()).await.unwrap();
    }
    append(&table, vec![requests(&rows(2, 1000))]).await.unwrap();
    append(&table, vec![requests(&[row(OCTOBER + DAY, "pay", 7)])]).await.unwrap();
    append(&table, vec![requests(&rows(2, 2000)[..4])]).await.unwrap();
    objects
}

async fn all(objects: &InMemory) -> BTreeMap<Path, Bytes> {
    let found: Vec<_> = objects.list(None).try_collect().await.unwrap();
    let mut all = BTreeMap::new();
    for object in found {
        let bytes = objects.get(&object.location).await.unwrap().bytes().await.unwrap();
        all.insert(object.location, bytes);
    }
    all
}

fn cases(objects: &BTreeMap<Path, Bytes>) -> Vec<Case> {
    let mut cases = Vec::new();
    for (path, bytes) in objects.iter().filter(|(path, _)| path.parts().count() > 1) {
        let of = |damage: Damage| (path.clone(), damage);
        cases.extend([Damage::Emptied, Damage::Doubled, Damage::Exchanged, Damage::Removed].map(of));
        cases.extend(
            (1..bytes.len()).step_by(bytes.len() / 9 + 1).flat_map(|at| [Damage::Cut(at), Damage::Zeroed(at)]).map(of),
        );
        cases.extend((0..bytes.len()).map(Damage::Flipped).map(of));
    }
    cases
}

/// The objects with the damage, and the paths that an error may name; `None` if nothing changes.
async fn damaged(all: &BTreeMap<Path, Bytes>, (path, damage): &Case) -> Option<(Arc<InMemory>, Vec<Path>)> {
    let mut all = all.clone();
    let mut named = vec![path.clone()];
    let bytes = all[path].clone();
    let mut other = bytes.to_vec();
    match damage {
        Damage::Flipped(at) => other[*at] ^= 1 << (at % 8),
        Damage::Emptied => other.clear(),
        Damage::Cut(at) => other.truncate(*at),
        Damage::Doubled => other.extend_from_slice(&bytes),
        Damage::Zeroed(at) => other[*at..].iter_mut().take(16).for_each(|byte| *byte = 0),
        Damage::Exchanged => {
            let same_folder = |next: &&Path| {
                next.parts().count() == path.parts().count() && next.parts().nth(1) == path.parts().nth(1)
            };
            let next = all.keys().skip_while(|next| *next <= path).find(same_folder)?.clone();
            other = all.insert(next.clone(), bytes.clone()).unwrap().to_vec();
            named.push(next);
        }
        Damage::Removed => {}
    }
    if *damage != Damage::Removed && other == bytes {
        return None;
    }
    match damage {
        Damage::Removed => drop(all.remove(path)),
        _ => drop(all.insert(path.clone(), other.into())),
    }
    let objects = Arc::new(InMemory::new());
    for (path, bytes) in all {
        objects.put(&path, bytes.into()).await.unwrap();
    }
    Some((objects, named))
}

const ROWS: &str = "select time, service, requests from t order by 1, 2";

async fn read(provider: Provider) -> Result<Vec<String>, StoreError> {
    let query = async { querying(provider).sql(ROWS).await?.collect().await };
    query.await.map(|batches| lines(&batches)).map_err(StoreError::from)
}

fn check_named(error: &StoreError, named: &[Path]) {
    assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{error}");
    let told = error.to_string();
    assert!(named.iter().any(|path| told.contains(path.as_ref())), "{told}");
    assert!(told.contains("backup") && !told.contains("backtrace"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_never_gives_a_wrong_answer_and_its_error_names_the_object() {
    let started = Instant::now();
    let objects = filled().await;
    let sound = all(&objects).await;
    let table = open(&objects).await;
    let expected = (read(Provider::newest(table.clone())).await.unwrap(), read(Provider::at(table, 30)).await.unwrap());
    let correction = [row(OCTOBER + MINUTE, "login", 77), row(OCTOBER + 2 * DAY, "login", 78)];
    let table = open(&objects).await;
    append(&table, vec![requests(&correction)]).await.unwrap();
    let corrected = read(Provider::newest(table)).await.unwrap();
    let whole = open(&objects).await.check(&context().task_ctx(), &Arc::default()).await.unwrap();
    assert!(whole.problems.is_empty() && whole.left_over.is_empty(), "{whole:?}");
    assert!(whole.foreign_entries.is_empty() && whole.files > 5 && whole.rows > 50, "{whole:?}");

    let cases = cases(&sound);
    let (mut right, mut refused) = (BTreeMap::<_, u64>::new(), BTreeMap::<_, u64>::new());
    let flips = |case: usize| !matches!(cases[case].1, Damage::Flipped(_));
    for number in sample("NINES_DAMAGE", 60, cases.len(), flips) {
        let mut replay = Replay::new(number as u64);
        replay.note(format!("{} {:?}", cases[number].0, cases[number].1));
        let Some((objects, named)) = damaged(&sound, &cases[number]).await else { continue };
        let of = cases[number].0.parts().nth(1).map(|part| part.as_ref().split('=').next().unwrap().to_string());
        let class = (of, cases[number].0.extension().map(str::to_string));
        let mut count =
            |sound: bool| *if sound { &mut right } else { &mut refused }.entry(class.clone()).or_default() += 1;
        for (version, expected) in [(None, &expected.0), (Some(30), &expected.1)] {
            let table = open(&objects).await;
            let provider =
                version.map_or_else(|| Provider::newest(table.clone()), |at| Provider::at(table.clone(), at));
            match read(provider).await {
                Ok(rows) => {
                    assert_eq!(&rows, expected);
                    count(true);
                }
                Err(error) => {
                    check_named(&error, &named);
                    count(false);
                }
            }
        }
        // Whoever looks at everything finds it, also where no question does. What is missing without which all can be known is
        // no damage, and `_last_checkpoint` decides nothing.
        let newest = sound.keys().filter(|path| path.as_ref().ends_with(".head")).max();
        let spare = |path: &Path| {
            path.as_ref().ends_with("_last_checkpoint")
                || cases[number].1 == Damage::Removed
                    && (Some(path) == newest
                        || path.as_ref().ends_with(".checkpoint.parquet")
                        || path.as_ref() == "_nines/requests.json")
        };
        let checked = open(&objects).await.check(&context().task_ctx(), &Arc::default()).await.unwrap();
        let found = checked.problems.iter().any(|problem| {
            let told = format!("{}: {}", problem.object, problem.problem);
            named.iter().any(|path| told.contains(path.as_ref()))
        });
        assert!(found || spare(&cases[number].0), "{:?}", checked.problems);
        // A correction is refused, and does not put what is damaged under a new checksum.
        let table = open(&objects).await;
        match append(&table, vec![requests(&correction)]).await {
            Ok(_) => match read(Provider::newest(open(&objects).await)).await {
                Ok(rows) => assert_eq!(rows, corrected),
                Err(error) => check_named(&error, &named),
            },
            Err(error) => check_named(&error, &named),
        }
    }
    println!("of {} cases in {:.1?}: right {right:?}, refused {refused:?}", cases.len(), started.elapsed());
}
