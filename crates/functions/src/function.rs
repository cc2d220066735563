//! What scalar and aggregate functions have in common, whose traits share no supertrait.

/// Defines the type of a function: its parameters, and a constructor that takes the session's time zone.
macro_rules! function_type {
    ($(#[$doc:meta])* $type:ident, $name:literal, $required:literal, [$($parameter:expr),* $(,)?]) => {
        $(#[$doc])*
        #[derive(Debug, PartialEq, Eq, Hash)]
        pub struct $type {
            signature: datafusion::logical_expr::Signature,
            parameters: crate::types::Parameters,
        }

        impl $type {
            pub fn new(time_zone: std::sync::Arc<str>) -> Self {
                use crate::types::{Kind::*, Parameters};
                Self {
                    signature: datafusion::logical_expr::Signature::user_defined(
                        datafusion::logical_expr::Volatility::Immutable,
                    ),
                    parameters: Parameters { function: $name, required: $required, all: &[$($parameter),*], time_zone },
                }
            }
        }
    };
}
pub(crate) use function_type;

/// The methods that both traits have, for a type made by [`function_type!`].
macro_rules! common_methods {
    ($name:literal, $returns:expr) => {
        fn name(&self) -> &str {
            $name
        }

        fn signature(&self) -> &datafusion::logical_expr::Signature {
            &self.signature
        }

        fn coerce_types(
            &self,
            given: &[datafusion::arrow::datatypes::DataType],
        ) -> datafusion::common::Result<Vec<datafusion::arrow::datatypes::DataType>> {
            self.parameters.coerce(given)
        }

        fn return_type(
            &self,
            _: &[datafusion::arrow::datatypes::DataType],
        ) -> datafusion::common::Result<datafusion::arrow::datatypes::DataType> {
            Ok($returns)
        }

        fn documentation(&self) -> Option<&datafusion::logical_expr::Documentation> {
            self.doc()
        }
    };
}
pub(crate) use common_methods;
