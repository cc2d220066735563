//! Whether each row of a query's answer is made of one row of `input`, so that the query may be run over new rows alone.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, LogicalPlan};

/// What in a query needs all rows of its input; `None` if nothing does.
pub(super) fn whole_input(plan: &LogicalPlan) -> Result<Option<&'static str>> {
    let mut found = None;
    plan.apply(|node| {
        found = needs_all(node);
        Ok(if found.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

fn needs_all(node: &LogicalPlan) -> Option<&'static str> {
    let asks = |expr: &Expr| matches!(expr, Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_));
    if node.expressions().iter().any(|expr| expr.exists(|expr| Ok(asks(expr))).unwrap_or(true)) {
        return Some("a subquery");
    }
    match node {
        LogicalPlan::Projection(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Unnest(_)
        | LogicalPlan::Union(_) => None,
        LogicalPlan::TableScan(scan) if scan.table_name.table() == "input" && scan.fetch.is_none() => None,
        // A view's rows are scanned below it, and files have names of their own.
        LogicalPlan::TableScan(scan) if scan.table_name.table() == UNNAMED => None,
        LogicalPlan::TableScan(_) => Some("another table"),
        LogicalPlan::Sort(sort) if sort.fetch.is_none() => None,
        LogicalPlan::Sort(_) | LogicalPlan::Limit(_) => Some("LIMIT"),
        LogicalPlan::Aggregate(_) => Some("GROUP BY or an aggregate"),
        LogicalPlan::Distinct(_) => Some("DISTINCT"),
        LogicalPlan::Window(_) => Some("a window"),
        LogicalPlan::Join(_) => Some("a join"),
        LogicalPlan::Values(_) | LogicalPlan::EmptyRelation(_) => Some("rows that are not of its input"),
        // What DataFusion may add to its own plans.
        _ => Some("more than one row of its input"),
    }
}

/// The name of a table that was read without one.
const UNNAMED: &str = datafusion::logical_expr::UNNAMED_TABLE;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Session, Settings};

    #[tokio::test]
    async fn only_what_is_row_by_row_runs_over_new_rows() {
        let session = Session::open(Settings::new("memory://rowwise")).await.unwrap();
        session.sql("CREATE TABLE input AS SELECT 1 AS a, 2 AS b").await.unwrap();
        session.sql("CREATE TABLE other AS SELECT 1 AS a").await.unwrap();
        for (sql, expected) in [
            ("SELECT a, upper('x') FROM input WHERE b > 1 ORDER BY a", None),
            ("SELECT x.a FROM (SELECT a FROM input) AS x UNION ALL SELECT b FROM input", None),
            ("SELECT unnest([a, b]) FROM input", None),
            ("WITH x AS (SELECT * FROM input) SELECT CASE WHEN a = 1 THEN b END FROM x", None),
            ("SELECT a, count(*) FROM input GROUP BY a", Some("GROUP BY or an aggregate")),
            ("SELECT sum(a) FROM input", Some("GROUP BY or an aggregate")),
            ("SELECT DISTINCT a FROM input", Some("DISTINCT")),
            ("SELECT a, row_number() OVER () FROM input", Some("a window")),
            ("SELECT input.a FROM input JOIN other ON input.a = other.a", Some("a join")),
            ("SELECT a FROM input LIMIT 1", Some("LIMIT")),
            ("SELECT a FROM input UNION SELECT b FROM input", Some("DISTINCT")),
            ("SELECT a FROM other", Some("another table")),
            ("SELECT (SELECT max(a) FROM other) FROM input", Some("a subquery")),
            ("SELECT a FROM input WHERE a IN (SELECT a FROM other)", Some("a subquery")),
            ("SELECT a FROM input UNION ALL SELECT 1", Some("rows that are not of its input")),
        ] {
            let plan = session.context().state().create_logical_plan(sql).await.unwrap();
            assert_eq!(whole_input(&plan).unwrap(), expected, "{sql}");
        }
    }
}
