//! Alert policies: Nines does not alert, so only what they refer to is read, to warn of what is nowhere defined.

use crate::fields::{self, Fields};
use crate::mistake::Notes;
use crate::object::ObjectKind;
use crate::object::Reference;
use crate::yaml::{Node, Value};

/// The `alertPolicies` of an SLO.
pub(crate) fn policies(slo: &Fields<'_>, references: &mut Vec<Reference>, notes: &mut Notes<'_>) {
    let known = ["alertPolicyRef", "apiVersion", "kind", "metadata", "spec"];
    for item in slo.list("alertPolicies", notes).unwrap_or_default() {
        let Some(fields) = Fields::read(item, "the alert policy", &known, notes) else { continue };
        reference(&fields, "alertPolicyRef", ObjectKind::AlertPolicy, references, notes);
        if let Some(spec) = fields.get("spec") {
            policy(spec, references, notes);
        }
    }
}

/// The `spec` of an alert policy.
pub(crate) fn policy(spec: &Node, references: &mut Vec<Reference>, notes: &mut Notes<'_>) {
    let Some(fields) = Fields::open(spec, "the alert policy's spec", notes) else { return };
    let lists = [
        ("conditions", "conditionRef", ObjectKind::AlertCondition),
        ("notificationTargets", "targetRef", ObjectKind::AlertNotificationTarget),
    ];
    for (list, name, kind) in lists {
        for item in fields.list(list, notes).unwrap_or_default() {
            if let (Value::Map(_), Some(fields)) = (&item.value, Fields::open(item, list, notes)) {
                reference(&fields, name, kind, references, notes);
            }
        }
    }
}

fn reference(
    fields: &Fields<'_>,
    name: &str,
    kind: ObjectKind,
    references: &mut Vec<Reference>,
    notes: &mut Notes<'_>,
) -> Option<()> {
    let node = fields.get(name)?;
    let text = fields::text(node, name, notes)?;
    references.push(Reference { kind, name: text.to_string(), place: node.place });
    Some(())
}
