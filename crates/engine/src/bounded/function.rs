//! A function of DataFusion that says how large its result may be before it makes it.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::compute::concat;
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{ExprSchema, Result, ScalarValue, resources_datafusion_err};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::preimage::PreimageResult;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ExpressionPlacement, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, StructFieldMapping,
};

/// The most bytes that a call's result can have, from its arguments.
pub(super) type Bound = fn(&ScalarFunctionArgs) -> Result<u128>;

/// The function `inner`, its results bounded.
#[derive(Debug, Clone)]
pub(super) struct Bounded {
    inner: Arc<ScalarUDF>,
    bound: Bound,
    limit: usize,
}

impl Bounded {
    pub fn new(inner: Arc<ScalarUDF>, bound: Bound, limit: usize) -> Self {
        Bounded { inner, bound, limit }
    }

    /// The result in parts, each within its bound: where bounds are far above what is made, all of it may be within the limit.
    fn by_halves(&self, args: &ScalarFunctionArgs, made: &mut usize) -> Result<ArrayRef> {
        let rows = args.number_rows;
        let bytes = (self.bound)(args)?;
        if bytes <= self.limit as u128 {
            let part = self.inner.invoke_with_args(args.clone())?.into_array(rows)?;
            *made = made.saturating_add(part.get_array_memory_size());
            check(self.name(), *made as u128, rows, self.limit)?;
            return Ok(part);
        }
        if rows <= 1 {
            check(self.name(), bytes, rows, self.limit)?;
        }
        let part = |from: usize, number_rows: usize| ScalarFunctionArgs {
            args: args
                .args
                .iter()
                .map(|arg| match arg {
                    ColumnarValue::Array(array) => ColumnarValue::Array(array.slice(from, number_rows)),
                    ColumnarValue::Scalar(_) => arg.clone(),
                })
                .collect(),
            number_rows,
            ..args.clone()
        };
        let (first, second) = (part(0, rows / 2), part(rows / 2, rows - rows / 2));
        let halves = [self.by_halves(&first, made)?, self.by_halves(&second, made)?];
        Ok(concat(&[halves[0].as_ref(), halves[1].as_ref()])?)
    }

    fn again(&self) -> Arc<ScalarUDF> {
        Arc::new(ScalarUDF::new_from_impl(self.clone()))
    }
}

/// Refuses a result that may have this many bytes.
pub(super) fn check(name: &str, bytes: u128, rows: usize, limit: usize) -> Result<()> {
    if bytes <= limit as u128 {
        return Ok(());
    }
    let mib = |bytes: u128| bytes.div_ceil(1 << 20);
    let of = if rows == 1 { "a row".to_string() } else { format!("{rows} rows") };
    Err(resources_datafusion_err!(
        "{name} would make {} MiB for {of}; with the session's limit of memory it may make {} MiB at once",
        mib(bytes),
        mib(limit as u128)
    ))
}

impl PartialEq for Bounded {
    fn eq(&self, other: &Self) -> bool {
        self.inner == other.inner && self.limit == other.limit
    }
}

impl Eq for Bounded {}

impl Hash for Bounded {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
    }
}

#[warn(clippy::missing_trait_methods)]
impl ScalarUDFImpl for Bounded {
    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        // Constants are worked out once, for whatever number of rows.
        let constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let bytes = (self.bound)(&ScalarFunctionArgs { number_rows: rows, ..args.clone() })?;
        if bytes > self.limit as u128 && rows > 1 {
            return Ok(ColumnarValue::Array(self.by_halves(&args, &mut 0)?));
        }
        check(self.inner.name(), bytes, rows, self.limit)?;
        self.inner.invoke_with_args(args)
    }

    fn simplify(&self, args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        // What it is simplified to may call the function by its maker's hand, without bounds.
        match self.inner.simplify(args, info)? {
            ExprSimplifyResult::Simplified(simpler) => {
                let bounded = simpler.transform_up(|expression| match expression {
                    Expr::ScalarFunction(mut call)
                        if call.func.name() == self.name() && !call.func.inner().is::<Bounded>() =>
                    {
                        call.func = self.again();
                        Ok(Transformed::yes(Expr::ScalarFunction(call)))
                    }
                    other => Ok(Transformed::no(other)),
                });
                Ok(ExprSimplifyResult::Simplified(bounded?.data))
            }
            original => Ok(original),
        }
    }

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        let inner = self.inner.inner().with_updated_config(config)?;
        Some(ScalarUDF::new_from_impl(Bounded { inner: Arc::new(inner), ..self.clone() }))
    }

    fn name(&self) -> &str {
        self.inner.name()
    }

    fn display_name(&self, args: &[Expr]) -> Result<String> {
        #[expect(deprecated, reason = "what DataFusion still asks is still passed on")]
        self.inner.inner().display_name(args)
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        self.inner.schema_name(args)
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(arg_types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        self.inner.return_field_from_args(args)
    }

    fn is_nullable(&self, args: &[Expr], schema: &dyn ExprSchema) -> bool {
        #[expect(deprecated, reason = "what DataFusion still asks is still passed on")]
        self.inner.inner().is_nullable(args, schema)
    }

    fn is_strict(&self) -> bool {
        self.inner.is_strict()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn preimage(&self, args: &[Expr], lit_expr: &Expr, info: &SimplifyContext) -> Result<PreimageResult> {
        self.inner.preimage(args, lit_expr, info)
    }

    fn conditional_arguments<'a>(&self, args: &'a [Expr]) -> Option<(Vec<&'a Expr>, Vec<&'a Expr>)> {
        self.inner.conditional_arguments(args)
    }

    fn short_circuits(&self) -> bool {
        self.inner.short_circuits()
    }

    fn evaluate_bounds(&self, inputs: &[&Interval]) -> Result<Interval> {
        self.inner.evaluate_bounds(inputs)
    }

    fn propagate_constraints(&self, interval: &Interval, inputs: &[&Interval]) -> Result<Option<Vec<Interval>>> {
        self.inner.propagate_constraints(interval, inputs)
    }

    fn struct_field_mapping(&self, literal_args: &[Option<ScalarValue>]) -> Option<StructFieldMapping> {
        self.inner.struct_field_mapping(literal_args)
    }

    fn output_ordering(&self, inputs: &[ExprProperties]) -> Result<SortProperties> {
        self.inner.output_ordering(inputs)
    }

    fn preserves_lex_ordering(&self, inputs: &[ExprProperties]) -> Result<bool> {
        self.inner.preserves_lex_ordering(inputs)
    }

    fn strictly_order_preserving(&self, inputs: &[ExprProperties]) -> Result<bool> {
        self.inner.strictly_order_preserving(inputs)
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(arg_types)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }

    fn placement(&self, args: &[ExpressionPlacement]) -> ExpressionPlacement {
        self.inner.placement(args)
    }
}
