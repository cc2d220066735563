//! A store with several sessions over it, and the model of what is in it.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use datafusion::arrow::array::{ArrayRef, RecordBatch, StringViewArray, TimestampMicrosecondArray};
use datafusion::physical_plan::memory::MemoryStream;
use nines_engine::store::{Once, TableKind};
use nines_engine::{Session, Settings};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::calendar::{SECOND, instant};
use super::check::{Cell, difference, rows};
use super::define::{From, Service, Version};
use super::draw::{self, Span, one};
use super::figures::{self, By};
use super::naive::{Evaluation, Model};
use super::rows::{Exclusion, Incident, Rows, exclusion_batch, incident_batch};

pub struct World {
    pub rng: StdRng,
    pub span: Span,
    pub model: Model,
    /// Independent sessions, with one partition and with three.
    engines: Vec<Session>,
    replay: Replay,
    names: u64,
}

/// Says how to run the same again, and what was done so far, if the test fails while this lives.
struct Replay {
    seed: u64,
    done: Vec<String>,
}

impl Drop for Replay {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for (step, what) in self.done.iter().enumerate() {
                eprintln!("  {step}: {what}");
            }
            eprintln!("failed with NINES_SEED={}, which runs it again", self.seed);
        }
    }
}

impl World {
    /// A store without anything in it.
    pub async fn empty(seed: u64, slot: i64) -> World {
        static STORES: AtomicU64 = AtomicU64::new(0);
        let name = format!("memory://evaluation-{}", STORES.fetch_add(1, Ordering::Relaxed));
        let mut engines = Vec::new();
        for partitions in [1, 3] {
            let settings = Settings { partitions: NonZeroUsize::new(partitions), ..Settings::new(&name) };
            engines.push(Session::open_or_create(settings, Some(slot / SECOND)).await.unwrap());
        }
        let mut rng = StdRng::seed_from_u64(seed);
        let span = Span::draw(&mut rng, slot);
        let model = Model { slot, ..Model::default() };
        World { rng, span, model, engines, replay: Replay { seed, done: Vec::new() }, names: 0 }
    }

    /// A store with something of everything in it.
    pub async fn random(seed: u64) -> World {
        let slot = if seed.is_multiple_of(2) { 60 } else { 15 } * SECOND;
        let mut world = World::empty(seed, slot).await;
        for (name, service) in draw::services(&mut world.rng, &world.span) {
            world.define_service(name, service).await;
        }
        for number in 0..world.rng.random_range(4..8) {
            let from = match world.rng.random_bool(0.75) {
                true => From::Ever,
                false => draw::effective(&mut world.rng, &world.span),
            };
            let first = draw::version(&mut world.rng, slot, from);
            let name = one(&mut world.rng, &[format!("slo-{number}"), format!("登录-{number}")]);
            world.define(&name, vec![first]).await;
        }
        for _ in 0..4 {
            world.new_version().await;
        }
        for _ in 0..world.rng.random_range(8..16) {
            let batch = draw::batch(&mut world.rng, &world.span);
            world.store(batch).await;
        }
        let exclusion = draw::exclusion(&mut world.rng, &world.span);
        world.exclude("X-0", exclusion).await;
        let incident = draw::incident(&mut world.rng, &world.span);
        world.incident("I-0", incident).await;
        world
    }

    /// Another store with the same in it, each table's rows in one batch.
    pub async fn again(&mut self) -> World {
        let mut other = World::empty(self.replay.seed, self.model.slot).await;
        other.note("in a new store".to_string());
        (other.span, other.rng) = (self.span, StdRng::seed_from_u64(self.rng.random()));
        for (name, versions) in &self.model.definitions.services {
            for service in versions.values() {
                other.define_service(name, service.clone()).await;
            }
        }
        for (name, versions) in &self.model.definitions.slos {
            other.define(name, versions.values().cloned().collect()).await;
        }
        other.store(self.model.rows.clone()).await;
        for (id, exclusion) in &self.model.exclusions {
            other.exclude(id, exclusion.clone()).await;
        }
        for (id, incident) in &self.model.incidents {
            other.incident(id, incident.clone()).await;
        }
        other
    }

    fn note(&mut self, what: String) {
        self.replay.done.push(what);
    }

    /// One of the sessions.
    fn session(&mut self) -> Session {
        one(&mut self.rng, &self.engines)
    }

    pub async fn change(&mut self) {
        match self.rng.random_range(0..20) {
            0..=6 => {
                let batch = draw::batch(&mut self.rng, &self.span);
                self.store(batch).await;
            }
            7..=10 => {
                let batch = draw::correction(&mut self.rng, &self.model.rows);
                self.store(batch).await;
            }
            11..=13 => self.new_version().await,
            14..=15 => {
                let exclusion = draw::exclusion(&mut self.rng, &self.span);
                let id = format!("X-{}", self.model.exclusions.len());
                self.exclude(&id, exclusion).await;
            }
            16..=17 => {
                let incident = draw::incident(&mut self.rng, &self.span);
                let id = format!("I-{}", self.model.incidents.len());
                self.incident(&id, incident).await;
            }
            18 => {
                let ids: Vec<String> = self.model.exclusions.keys().cloned().collect();
                let id = one(&mut self.rng, &ids);
                let known = self.model.exclusions[&id].clone();
                self.exclude(&id, Exclusion { withdrawn: !known.withdrawn, ..known }).await;
            }
            _ => {
                let ids: Vec<String> = self.model.incidents.keys().cloned().collect();
                let id = one(&mut self.rng, &ids);
                let known = self.model.incidents[&id].clone();
                self.incident(&id, Incident { withdrawn: !known.withdrawn, ..known }).await;
            }
        }
    }

    /// An SLO says something else from some day on.
    async fn new_version(&mut self) {
        let slos = &self.model.definitions.slos;
        let names: Vec<String> = slos.keys().cloned().collect();
        let name = one(&mut self.rng, &names);
        let before: Vec<Version> = self.model.definitions.slos[&name].values().cloned().collect();
        let before = one(&mut self.rng, &before);
        let mut from = draw::effective(&mut self.rng, &self.span);
        if self.rng.random_bool(0.15) {
            // Soon after another one.
            if let From::At(at) = before.from {
                from = From::At(at + self.rng.random_range(1..40 * 60 * SECOND));
            }
        }
        let mut version = draw::changed(&mut self.rng, self.model.slot, &before, from);
        if self.rng.random_bool(0.1) {
            version.until = Some(version.start() + self.rng.random_range(SECOND..3 * super::DAY));
        }
        self.define(&name, vec![version]).await;
    }

    pub async fn define(&mut self, name: &str, versions: Vec<Version>) {
        let text: Vec<String> = versions.iter().map(|version| version.yaml(name)).collect();
        let of_slo = self.model.definitions.slos.entry(name.to_string()).or_default();
        of_slo.extend(versions.into_iter().map(|version| (version.start(), version)));
        self.apply(text.join("---\n")).await;
    }

    pub async fn define_service(&mut self, name: &'static str, service: Service) {
        let text = service.yaml(name);
        self.model.definitions.services.entry(name).or_default().insert(service.start(), service);
        self.apply(text).await;
    }

    async fn apply(&mut self, text: String) {
        self.note(format!("apply\n{text}"));
        let applied = self.session().apply(&[("test.yaml".to_string(), text)]).await;
        applied.unwrap_or_else(|error| panic!("{error}"));
    }

    /// A definition as an older version recorded it, whatever would be said of it today.
    pub async fn record(&mut self, kind: &str, name: &str, text: &str) {
        let instants =
            || Arc::new(TimestampMicrosecondArray::from(vec![nines_engine::slo::SINCE_EVER]).with_timezone("UTC"));
        let texts = |text: &str| Arc::new(StringViewArray::from(vec![text])) as ArrayRef;
        let rows = RecordBatch::try_from_iter([
            ("kind", texts(kind)),
            ("name", texts(name)),
            ("effective_from", instants() as ArrayRef),
            ("text", texts(text)),
            ("sha256", texts("")),
            ("applied_at", instants() as ArrayRef),
        ]);
        self.append(TableKind::Definitions, rows.unwrap()).await;
    }

    pub async fn store(&mut self, batch: Rows) {
        for (kind, rows) in batch.batches() {
            self.append(kind, rows).await;
        }
        self.model.rows.replace(&batch);
    }

    pub async fn exclude(&mut self, id: &str, exclusion: Exclusion) {
        self.note(format!("{id}: {} to {}", instant(exclusion.started), instant(exclusion.ended)));
        self.append(TableKind::Exclusions, exclusion_batch(id, &exclusion)).await;
        self.model.exclusions.insert(id.to_string(), exclusion);
    }

    pub async fn incident(&mut self, id: &str, incident: Incident) {
        let fixed = incident.fixed.map_or("open".to_string(), instant);
        self.note(format!("{id}: {} to {fixed}, lost: {}", instant(incident.started), incident.lost));
        self.append(TableKind::Incidents, incident_batch(id, &incident)).await;
        self.model.incidents.insert(id.to_string(), incident);
    }

    async fn append(&mut self, kind: TableKind, rows: RecordBatch) {
        self.names += 1;
        self.note(format!("{} rows of {}", rows.num_rows(), kind.name()));
        let session = self.session();
        let schema = rows.schema();
        let stream = MemoryStream::try_new(vec![rows], schema, None).unwrap();
        let table = session.store().unwrap().table(kind);
        let stored = table.append(Box::pin(stream), Once::default(), session.task()).await;
        stored.unwrap_or_else(|error| panic!("{error}"));
    }

    /// The rows of a question.
    pub async fn rows(&mut self, sql: &str) -> Vec<Vec<Cell>> {
        self.note(sql.to_string());
        let answer = self.session().sql(sql).await;
        rows(&answer.unwrap_or_else(|error| panic!("{sql}: {error}")))
    }

    async fn compare(&mut self, sql: &str, model: Vec<Vec<Cell>>) {
        let found = self.rows(sql).await;
        if let Some(difference) = difference(found, model) {
            panic!("{sql}\n  {difference}");
        }
    }

    /// Sometimes only some of the rows are wanted: a condition, and whether a row meets it, by the places of service and
    /// objective in a row.
    fn condition(&mut self, evaluation: &Evaluation<'_>, places: (usize, Option<usize>)) -> (String, Condition) {
        let objectives: Vec<String> = evaluation.names().cloned().collect();
        let services: Vec<&str> = evaluation.services().into_iter().collect();
        match (self.rng.random_range(0..6), places) {
            (0, (place, _)) => {
                let service = one(&mut self.rng, &services);
                (format!(" WHERE service = '{service}'"), Condition { place, is: Cell::text(service) })
            }
            (1, (_, Some(place))) => {
                let objective = one(&mut self.rng, &objectives);
                (format!(" WHERE objective = '{objective}'"), Condition { place, is: Cell::text(&objective) })
            }
            _ => (String::new(), Condition { place: usize::MAX, is: Cell::Null }),
        }
    }

    pub async fn slices(&mut self, evaluation: &Evaluation<'_>, range: (i64, i64)) {
        let (filter, condition) = self.condition(evaluation, (2, Some(3)));
        let sql = format!("SELECT * FROM slices({}){filter}", told(range));
        let model = condition.of(figures::slices(evaluation, range, now()));
        self.compare(&sql, model).await;
    }

    pub async fn timelines(&mut self, evaluation: &Evaluation<'_>, range: (i64, i64)) {
        let (filter, condition) = self.condition(evaluation, (1, Some(2)));
        let sql = format!("SELECT * FROM timelines({}){filter}", told(range));
        let model = condition.of(figures::timelines(evaluation, range, now()));
        self.compare(&sql, model).await;
    }

    /// Of all objectives.
    pub async fn all_timelines(&mut self, evaluation: &Evaluation<'_>, range: (i64, i64)) {
        let sql = format!("SELECT * FROM timelines({})", told(range));
        self.compare(&sql, figures::timelines(evaluation, range, now())).await;
    }

    pub async fn report(&mut self, evaluation: &Evaluation<'_>, range: (i64, i64), by: By) {
        // A filter on objectives would leave part of a composite.
        let sql = format!("SELECT * FROM report({}, '{}')", told(range), by.name());
        let model = figures::report(&self.model, evaluation, range, by, now());
        let mut found = self.rows(&sql).await;
        for row in &mut found {
            assert_eq!(row.pop(), Some(Cell::Null), "{sql}: every objective here is measured");
            // What a flag says in words.
            let approximation = row.remove(APPROXIMATION);
            assert_eq!(row[APPROXIMATION - 1], Cell::Flag(approximation != Cell::Null), "{sql}");
        }
        if let Some(difference) = difference(found, model) {
            panic!("{sql}\n  {difference}");
        }
    }

    pub async fn failures(&mut self, evaluation: &Evaluation<'_>, range: (i64, i64), by: By) {
        let sql = format!("SELECT * FROM failures({}, '{}')", told(range), by.name());
        let model = figures::failures(&self.model, evaluation, range, by, now());
        self.compare(&sql, model).await;
    }

    /// How many days of objectives are kept.
    pub async fn days_kept(&mut self) -> u64 {
        self.rows("SELECT key FROM slo_days").await.len() as u64
    }

    /// The keys of the days that are kept, by objective, definition and date.
    pub async fn keys(&mut self) -> BTreeMap<[String; 3], i64> {
        let rows = self.rows("SELECT objective, definition, CAST(date AS VARCHAR), key FROM slo_days").await;
        let key = |row: Vec<Cell>| match row.as_slice() {
            [Cell::Text(objective), Cell::Text(definition), Cell::Text(date), Cell::Int(key)] => {
                ([objective.clone(), definition.clone(), date.clone()], *key)
            }
            other => panic!("{other:?}"),
        };
        rows.into_iter().map(key).collect()
    }
}

/// Where `approximation` stands in a row of `report`.
const APPROXIMATION: usize = 30;

/// Which rows are wanted.
struct Condition {
    place: usize,
    is: Cell,
}

impl Condition {
    fn of(&self, mut rows: Vec<Vec<Cell>>) -> Vec<Vec<Cell>> {
        rows.retain(|row| row.get(self.place).is_none_or(|cell| *cell == self.is));
        rows
    }
}

/// A range as arguments.
pub fn told((from, to): (i64, i64)) -> String {
    format!("'{}', '{}'", instant(from), instant(to))
}

pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as i64
}
