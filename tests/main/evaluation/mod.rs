//! Evaluation beside a naive one: random definitions, rows, exclusions and incidents, asked about in every way, warm, stale
//! and half present, while all of them change.
//!
//! By default as much as half a minute allows. `NINES_EVALUATIONS=500` does more, in a release build; what fails prints a
//! seed, and `NINES_SEED=…` runs that one alone.

mod calendar;
mod check;
mod define;
mod directed;
mod draw;
mod figures;
mod naive;
mod rows;
mod world;

use rand::Rng;

use crate::count;
use calendar::DAY;
use figures::By;
use world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_questions_are_answered_as_the_naive_evaluation_does() {
    let seeds = match std::env::var("NINES_SEED") {
        Ok(seed) => vec![seed.parse().unwrap()],
        Err(_) => (0..count("NINES_EVALUATIONS", 3)).collect(),
    };
    let (mut questions, mut kept, number) = (0, 0, seeds.len());
    for seed in seeds {
        let mut world = World::random(seed).await;
        for _ in 0..count("NINES_ROUNDS", 5) {
            for _ in 0..world.rng.random_range(1..4) {
                world.change().await;
            }
            questions += round(&mut world).await;
        }
        kept += world.days_kept().await;
        // The same rows, delivered otherwise, in a store that nobody has asked anything yet.
        let mut cold = world.again().await;
        questions += round(&mut cold).await;
    }
    eprintln!("{number} stores, {questions} questions, {kept} days kept");
    assert!(kept > 0, "nothing was kept, so nothing warm was tried");
}

/// Asks some questions; how many.
async fn round(world: &mut World) -> u64 {
    let model = world.model.clone();
    let evaluation = model.evaluate();
    let most_days = if model.slot < 60_000_000 { 3 } else { 70 };
    let questions = count("NINES_QUESTIONS", 7);
    for _ in 0..questions {
        let span = world.span;
        match world.rng.random_range(0..10) {
            0..=2 => {
                let (from, to) = draw::range(&mut world.rng, &span, 2);
                // Slices are many.
                world.slices(&evaluation, (from, to.min(from + DAY / 2))).await;
            }
            3..=5 => {
                let range = draw::range(&mut world.rng, &span, most_days);
                world.timelines(&evaluation, range).await;
                if world.rng.random_bool(0.5) {
                    world.timelines(&evaluation, range).await;
                }
            }
            6..=8 => {
                let range = draw::range(&mut world.rng, &span, most_days.min(40));
                let by = draw::one(&mut world.rng, &By::ALL);
                world.report(&evaluation, range, by).await;
            }
            _ => {
                let range = draw::range(&mut world.rng, &span, most_days.min(10));
                let by = draw::one(&mut world.rng, &By::ALL);
                world.failures(&evaluation, range, by).await;
            }
        }
    }
    questions
}
