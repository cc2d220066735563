//! Statements for another program, as a session asks for them.

use std::sync::Arc;

use nines_slo::PeriodName;

use super::exported::{Asked, ExportedStatements, exported};
use super::period_terms::Chosen;
use crate::evaluate::{Evaluation, Evaluator};
use crate::{Result, Session};

impl Session {
    /// The statements of a period, whatever became of them: issued, superseded, drafted, or waiting for a fee.
    pub async fn exported_statements(&self, period: PeriodName, chosen: &Chosen) -> Result<ExportedStatements> {
        let (state, _pins) = self.beginning().await?;
        let evaluation = Evaluation::of(&state, self.read())?;
        let evaluator = Evaluator::new(&evaluation, self.place(), self.read()).await?;
        let zone: Arc<str> = self.settings().time_zone.name().into();
        exported(&evaluation, &evaluator, &Asked { period, chosen, filters: &[], zone: &zone }).await
    }
}
