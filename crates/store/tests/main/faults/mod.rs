//! Whatever fails, at whichever operation: what an append said is so, and run again it ends as if nothing had failed.

pub mod objects;
mod upkeep;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use datafusion::object_store::memory::InMemory;
use datafusion::prelude::SessionContext;
use nines_store::{Batch, Commit, Mark, Once, Outcome, Provider, Result, Store, StoreErrorKind, Table, TableKind};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::draw;
use crate::fixture::{DAY, MINUTE, OCTOBER, context, stream_of};
use crate::model::{check_files, difference, fresh, rows_of};
use crate::naive::{Cell, Changes, Row, Rows, combined, replace, to_batch};
use crate::seed::{Replay, sample};
use objects::{Fault, Faulty, Plan};

/// An append of the script, from the objects as they were before it.
struct Step {
    name: &'static str,
    kind: TableKind,
    stream: Vec<Row>,
    once: Once,
    /// The objects, the table's version and its rows before.
    objects: InMemory,
    version: Option<u64>,
    before: Rows,
    after: Rows,
    /// What the append says when nothing fails.
    told: Commit,
    /// The operations of opening the store, appending and reading; and without opening it, with what is remembered.
    operations: [Vec<String>; 2],
}

/// One thing that goes wrong.
#[derive(Debug, Clone, Copy)]
struct Case {
    step: usize,
    plan: Plan,
    /// Whether the store has been opened and the table read before.
    warm: bool,
}

fn request(service: &str, source: &str, cause: &str, time: i64, requests: i64) -> Row {
    let texts = ["shop", service, "/login", ""].map(Cell::from);
    let key = texts
        .into_iter()
        .chain([Cell::Null, Cell::Number(503), cause.into(), source.into(), Cell::Instant(time)])
        .collect();
    (key, vec![Cell::Number(requests), Cell::Quarters(requests), Cell::Null, Cell::Null])
}

fn batch(id: &str) -> Once {
    Once::batch(Batch::new("script", id, id.len() as u64 * 2))
}

async fn open(objects: Arc<Faulty>, kind: TableKind) -> Result<Table> {
    // A name of its own: a session knows the objects of a store by it.
    Ok(Store::over("memory://faulty", objects, None).await?.table(kind))
}

async fn append(session: &SessionContext, table: &Table, stream: &[Row], once: &Once) -> Result<Commit> {
    let rows = stream_of(vec![to_batch(table.kind(), stream)]);
    table.append(rows, once.clone(), session.task_ctx()).await
}

/// A script of appends, the first to nothing, later ones to a store of 48 versions, and what they do when all goes well.
async fn script(session: &SessionContext) -> Vec<Step> {
    let minute = |minute: i64| OCTOBER + minute * MINUTE;
    let rows = |service: &'static str, from: i64, to: i64, requests: i64| -> Vec<Row> {
        (from..to).map(|at| request(service, "a", "timeout", minute(at), requests)).collect()
    };
    let mut rng = StdRng::seed_from_u64(1);
    let incidents =
        |rng: &mut StdRng| combined(TableKind::Incidents, &draw::stream(rng, TableKind::Incidents)).unwrap();
    let first: Vec<Row> = incidents(&mut rng).into_iter().collect();
    let corrected = incidents(&mut rng);
    let corrected = draw::correction(&mut rng, TableKind::Incidents, &corrected);
    let relabelled: Vec<Row> = (1..4).map(|at| request("login", "a", "upstream", minute(at), 1)).collect();
    let mut two_days = rows("login", 3, 5, 7);
    two_days.extend((0..3).map(|at| request("login", "a", "", minute(at) + DAY, 7)));
    let mut marked = batch("marked!!!");
    marked.marks = vec![Mark::lasting("position", None, 8), Mark::passing("file", None, 9)];

    let steps: Vec<(&'static str, TableKind, Vec<Row>, Once)> = vec![
        ("a new store", TableKind::Requests, rows("login", 0, 3, 1), batch("1")),
        ("48 versions", TableKind::Requests, Vec::new(), Once::default()),
        ("a new table", TableKind::Incidents, first, batch("1")),
        ("rows beside others", TableKind::Requests, rows("upload", 0, 3, 1), batch("22")),
        ("the 50th version, merged", TableKind::Requests, rows("login", 1, 4, 2), batch("333")),
        ("another cause", TableKind::Requests, relabelled, batch("4444")),
        ("two days", TableKind::Requests, two_days, batch("55555")),
        ("marks", TableKind::Requests, rows("pay", 0, 2, 3), marked),
        ("corrected records", TableKind::Incidents, corrected, batch("666666")),
        ("the same rows, without a name", TableKind::Requests, rows("pay", 0, 2, 3), Once::default()),
        ("the same rows, as another batch", TableKind::Requests, rows("pay", 0, 2, 3), batch("7777777")),
        ("a batch that was corrected since", TableKind::Requests, rows("login", 0, 3, 1), batch("1")),
    ];
    let objects = Arc::new(InMemory::new());
    let mut tables: BTreeMap<TableKind, (Option<u64>, Rows)> = BTreeMap::new();
    let mut script = Vec::new();
    for (name, kind, stream, once) in steps {
        let (version, before) = tables.entry(kind).or_default();
        if stream.is_empty() {
            let table = fresh(&objects, kind).await;
            while *version < Some(48) {
                let one = [request("batch", "a", "", minute(0), 1 + version.unwrap() as i64)];
                *version = append(session, &table, &one, &Once::default()).await.unwrap().version();
                before.extend(one);
            }
            continue;
        }
        let copy = objects.fork();
        let mut operations = [Vec::new(), Vec::new()];
        let mut told = None;
        for warm in [false, true] {
            // The second time, on a copy.
            let objects = if warm { Arc::new(copy.fork()) } else { Arc::clone(&objects) };
            let faulty = Arc::new(Faulty::over(objects));
            let mut table = open(Arc::clone(&faulty), kind).await.unwrap();
            if warm {
                table.snapshot().await.unwrap();
            } else {
                faulty.arm(None);
                if name == "a new store" {
                    // The marker is there by now; count as many operations as making it takes.
                    let empty = Arc::new(Faulty::over(Arc::new(InMemory::new())));
                    drop(open(Arc::clone(&empty), kind).await.unwrap());
                    operations[0].extend(empty.done());
                } else {
                    table = open(Arc::clone(&faulty), kind).await.unwrap();
                }
            }
            operations[usize::from(warm)].extend(faulty.done().into_iter().filter(|_| !warm));
            faulty.arm(None);
            told = Some(append(session, &table, &stream, &once).await.unwrap());
            rows_of(session, Provider::newest(table)).await.unwrap();
            operations[usize::from(warm)].extend(faulty.done());
        }
        let told = told.unwrap();
        let batch = combined(kind, &stream).unwrap();
        let after = match told.outcome {
            Outcome::Delivered(_) => before.clone(),
            _ => replace(kind, before, &batch).0,
        };
        let step = Step {
            name,
            kind,
            stream,
            once,
            objects: copy,
            version: *version,
            before: before.clone(),
            after: after.clone(),
            told,
            operations,
        };
        script.push(step);
        let table = fresh(&objects, kind).await;
        let rows = rows_of(session, Provider::newest(table.clone())).await.unwrap();
        assert!(rows == after, "{name}: {}", difference(&rows, &after));
        *version = table.snapshot().await.unwrap().version();
        *before = after;
    }
    assert_eq!(tables[&TableKind::Requests].0, Some(54));
    script
}

/// Every operation of every step, with each of these faults.
fn cases(script: &[Step], faults: &[(Fault, bool)]) -> Vec<Case> {
    let mut cases = Vec::new();
    for (step, Step { operations, .. }) in script.iter().enumerate() {
        for warm in [false, true] {
            for at in 1..=operations[usize::from(warm)].len() as u64 {
                let of = |&(fault, lasting): &(Fault, bool)| Case { step, warm, plan: Plan { at, fault, lasting } };
                cases.extend(faults.iter().map(of));
            }
        }
    }
    cases
}

fn operation(script: &[Step], case: Case) -> &str {
    &script[case.step].operations[usize::from(case.warm)][case.plan.at as usize - 1]
}

/// Most operations are reads, and more goes wrong with the others.
fn writes(script: &[Step], case: Case) -> bool {
    !operation(script, case).starts_with("get") && !operation(script, case).starts_with("list")
}

struct Attempt {
    objects: Arc<InMemory>,
    faulty: Arc<Faulty>,
    table: Option<Table>,
}

impl Attempt {
    async fn of(step: &Step, warm: bool) -> Self {
        let objects = Arc::new(step.objects.fork());
        let faulty = Arc::new(Faulty::over(Arc::clone(&objects)));
        let mut table = None;
        if warm {
            let opened = open(Arc::clone(&faulty), step.kind).await.unwrap();
            opened.snapshot().await.unwrap();
            table = Some(opened);
        }
        Self { objects, faulty, table }
    }

    /// Opens the store, if that was not done yet, and appends.
    async fn append(&mut self, session: &SessionContext, step: &Step) -> Result<Commit> {
        if self.table.is_none() {
            self.table = Some(open(Arc::clone(&self.faulty), step.kind).await?);
        }
        append(session, self.table.as_ref().unwrap(), &step.stream, &step.once).await
    }

    async fn rows(&self, session: &SessionContext, step: &Step) -> Rows {
        rows_of(session, Provider::newest(fresh(&self.objects, step.kind).await)).await.unwrap()
    }
}

fn same(read: &Rows, model: &Rows, what: &str) {
    assert!(read == model, "{what}: {}", difference(read, model));
}

/// One step with one fault.
async fn fault(session: &SessionContext, step: &Step, case: Case, counts: &mut BTreeMap<String, u64>) {
    let mut attempt = Attempt::of(step, case.warm).await;
    attempt.faulty.arm(Some(case.plan));
    let told = attempt.append(session, step).await;
    let during = match &attempt.table {
        Some(table) => rows_of(session, Provider::newest(table.clone())).await.ok(),
        None => None,
    };
    attempt.faulty.arm(None);

    let seen = attempt.rows(session, step).await;
    let outcome = match &told {
        Ok(told) => {
            assert_eq!((told.outcome, told.changes, told.rows), (step.told.outcome, step.told.changes, step.told.rows));
            same(&seen, &step.after, "an append that succeeded");
            "stored".to_string()
        }
        Err(error) if error.kind() == StoreErrorKind::Unknown => {
            assert!(seen == step.before || seen == step.after, "{}", difference(&seen, &step.after));
            format!("unknown, {}", if seen == step.after { "stored" } else { "not stored" })
        }
        Err(error) => {
            let said = format!("an append that failed, {:?}: {error}", error.kind());
            same(&seen, &step.before, &said);
            // Of a Parquet footer that cannot be read, DataFusion tells only the text.
            let told = error.kind() == StoreErrorKind::Io || error.to_string().contains("Failed to fetch metadata");
            assert!(told, "{said}");
            format!("{:?}", error.kind())
        }
    };
    *counts.entry(outcome).or_default() += 1;
    if let Some(during) = during {
        same(&during, &seen, "read while objects fail");
    }

    // The same again, by whoever saw the failure or by somebody else, and then another.
    if case.plan.at.is_multiple_of(2) {
        attempt.table = None;
    }
    let again = attempt.append(session, step).await.unwrap();
    if told.is_ok() && step.once.batch.is_some() {
        assert!(matches!(again.outcome, Outcome::Delivered(Some(_))), "{again:?}");
    }
    same(&attempt.rows(session, step).await, &step.after, "the same append again");
    let versions = step.version.map_or(0, |version| version + 1);
    let stored = match step.told.outcome {
        Outcome::Stored(version) => version,
        Outcome::Unchanged if step.once.batch.is_some() => versions,
        _ => versions - 1,
    };
    let table = fresh(&attempt.objects, step.kind).await;
    let snapshot = table.snapshot().await.unwrap();
    assert_eq!(snapshot.version(), Some(stored), "{again:?} after {told:?}");
    for mark in &step.once.marks {
        assert_eq!(snapshot.mark(&mark.name).await.unwrap(), Some(mark.to));
    }
    let mut next = step.stream.clone();
    next.iter_mut().for_each(|(key, _)| *key = key.iter().map(renamed).collect());
    next.truncate(2);
    next.extend(step.stream.iter().take(1).cloned());
    let told = append(session, attempt.table.as_ref().unwrap(), &next, &Once::default()).await.unwrap();
    let (rows, changes) = replace(step.kind, &step.after, &combined(step.kind, &next).unwrap());
    assert_eq!((told.outcome, Changes::from(told.changes)), (Outcome::Stored(stored + 1), changes));
    same(&attempt.rows(session, step).await, &rows, "the next append");
    check_files(&attempt.objects, &table.snapshot().await.unwrap()).await;
}

/// What was `login` or `INC-1` is something new.
fn renamed(cell: &Cell) -> Cell {
    match cell {
        Cell::Text(text) if !text.is_empty() => Cell::Text(format!("{text} too")),
        other => other.clone(),
    }
}

/// One step during which somebody else reads, and then appends.
async fn meeting(session: &SessionContext, step: &Step, case: Case, same_batch: bool) {
    let mut attempt = Attempt::of(step, case.warm).await;
    attempt.faulty.arm(Some(case.plan));
    let mut rival = (step.stream.clone(), step.once.clone());
    if !same_batch {
        // Some units are theirs too, some are others.
        rival.0.truncate(2);
        let mut others = rival.0.clone();
        others.iter_mut().for_each(|(key, _)| *key = key.iter().map(renamed).collect());
        rival.0.iter_mut().for_each(|(_, measures)| measures.clone_from(&step.stream[step.stream.len() - 1].1));
        rival.0.extend(others);
        rival.1 = batch("somebody else's");
    }
    let (stream, once) = rival.clone();
    let (faulty, objects, kind) = (Arc::clone(&attempt.faulty), Arc::clone(&attempt.objects), step.kind);
    let (before, after) = (step.before.clone(), step.after.clone());
    let other = tokio::spawn(async move {
        let session = context();
        faulty.waits().await;
        let table = fresh(&objects, kind).await;
        let seen = rows_of(&session, Provider::newest(table.clone())).await.unwrap();
        assert!(seen == before || seen == after, "half of an append: {}", difference(&seen, &after));
        let told = append(&session, &table, &stream, &once).await;
        faulty.go_on();
        told
    });
    let told = attempt.append(session, step).await.unwrap();
    let read = rows_of(session, Provider::newest(attempt.table.clone().unwrap())).await.unwrap();
    attempt.faulty.wait_no_longer();
    let theirs = other.await.unwrap().unwrap();

    let ours = combined(step.kind, &step.stream).unwrap();
    if same_batch {
        match (told.outcome, theirs.outcome) {
            (Outcome::Stored(stored), Outcome::Delivered(delivered))
            | (Outcome::Delivered(delivered), Outcome::Stored(stored)) => assert_eq!(delivered, Some(stored)),
            (Outcome::Unchanged, Outcome::Delivered(_)) | (Outcome::Delivered(_), Outcome::Unchanged) => {}
            (a, b) => assert!(a == b && step.after == step.before, "{a:?} and {b:?}"),
        }
        same(&read, &step.after, "read after the append");
        same(&attempt.rows(session, step).await, &step.after, "in the end");
        return;
    }
    let theirs_rows = combined(step.kind, &rival.0).unwrap();
    let in_order = |first: &Rows, second: &Rows| -> (Rows, [Changes; 2]) {
        let (rows, one) = replace(step.kind, &step.before, first);
        let (rows, two) = replace(step.kind, &rows, second);
        (rows, [one, two])
    };
    let seen = attempt.rows(session, step).await;
    match (told.outcome, theirs.outcome) {
        (Outcome::Delivered(_), _) => same(&seen, &replace(step.kind, &step.before, &theirs_rows).0, "in the end"),
        (Outcome::Stored(a), Outcome::Stored(b)) if b < a => {
            let (rows, changes) = in_order(&theirs_rows, &ours);
            assert_eq!([theirs.changes, told.changes].map(Changes::from), changes);
            same(&seen, &rows, "theirs first");
        }
        (Outcome::Stored(_) | Outcome::Unchanged, Outcome::Stored(_)) => {
            let (rows, changes) = in_order(&ours, &theirs_rows);
            let (reverse, reversed) = in_order(&theirs_rows, &ours);
            let told = [told.changes, theirs.changes].map(Changes::from);
            let reversed = [reversed[1], reversed[0]];
            // What changed nothing has no version by which to tell the order.
            let either = told == changes && seen == rows || told == reversed && seen == reverse;
            assert!(either, "{told:?}: {}", difference(&seen, &rows));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_fails_the_same_append_again_ends_well() {
    let started = Instant::now();
    let session = context();
    let script = script(&session).await;
    let faults = [(Fault::Fails, false), (Fault::Fails, true), (Fault::FailsLate, false), (Fault::FailsLate, true)];
    let cases = cases(&script, &faults);
    let mut counts = BTreeMap::new();
    let mut done = 0;
    for number in sample("NINES_FAULTS", 40, cases.len(), |case| writes(&script, cases[case])) {
        let (case, step) = (cases[number], &script[cases[number].step]);
        let mut replay = Replay::new(number as u64);
        let operation = operation(&script, case);
        replay.note(format!("{}, {case:?}: {operation}", step.name));
        fault(&session, step, case, &mut counts).await;
        done += 1;
    }
    println!("{done} of {} faults in {:.1?}: {counts:?}", cases.len(), started.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_comes_in_between_both_appends_hold() {
    let started = Instant::now();
    let session = context();
    let script = script(&session).await;
    let cases = cases(&script, &[(Fault::Waits, false), (Fault::Waits, true)]);
    let mut done = 0;
    for number in sample("NINES_MEETINGS", 20, cases.len(), |case| writes(&script, cases[case])) {
        let (case, step) = (cases[number], &script[cases[number].step]);
        let mut replay = Replay::new(number as u64);
        let operation = operation(&script, case);
        replay.note(format!("{}, {case:?}: {operation}", step.name));
        let same_batch = case.plan.lasting && step.once.batch.is_some();
        meeting(&session, step, case, same_batch).await;
        done += 1;
    }
    println!("{done} of {} meetings in {:.1?}", cases.len(), started.elapsed());
}
