//! Statements for another program, as a session asks for them.

use std::sync::Arc;

use nines_slo::Month;

use super::exported::{Asked, ExportedStatements, exported};
use super::period_terms::Chosen;
use crate::evaluate::{Evaluation, Evaluator};
use crate::{Result, Session};

impl Session {
    /// The statements of the period of a month, whatever became of them: issued, superseded, drafted, or waiting for a fee.
    pub async fn exported_statements(&self, month: Month, chosen: &Chosen) -> Result<ExportedStatements> {
        let (state, _pins) = self.beginning().await?;
        let evaluation = Evaluation::of(&state, self.read())?;
        let evaluator = Evaluator::new(&evaluation, self.place(), self.read()).await?;
        let zone: Arc<str> = self.settings().time_zone.name().into();
        exported(&evaluation, &evaluator, &Asked { month, chosen, filters: &[], zone: &zone }).await
    }
}
