//! The labels of a series.

use std::fmt;

/// The labels of a series by name, the metric's name as `__name__`. Sorted; a label without a value is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Labels(Vec<(String, String)>);

impl Labels {
    /// These labels. Of a name that is there twice the first one counts.
    pub fn new(mut labels: Vec<(String, String)>) -> Self {
        labels.retain(|(_, value)| !value.is_empty());
        labels.sort_by(|a, b| a.0.cmp(&b.0));
        labels.dedup_by(|later, first| later.0 == first.0);
        Labels(labels)
    }

    /// The value of a label, empty if there is none.
    pub fn get(&self, name: &str) -> &str {
        let found = self.0.binary_search_by(|(known, _)| known.as_str().cmp(name));
        found.ok().and_then(|at| self.0.get(at)).map_or("", |(_, value)| value)
    }

    /// The metric's name.
    pub fn metric(&self) -> &str {
        self.get("__name__")
    }

    /// What was scraped, or reports: its job and instance, or the service and its instance as OpenTelemetry calls them; without
    /// these, the first of the labels that mostly tell instances apart.
    pub fn target(&self) -> (&str, &str) {
        let first =
            |names: &[&str]| names.iter().map(|name| self.get(name)).find(|value| !value.is_empty()).unwrap_or("");
        let instances = [
            ["instance", "service.instance.id", "k8s.pod.name", "container.id", "host.name"],
            ["pod", "container", "host", "hostname", "pid"],
        ]
        .concat();
        (first(&["job", "service.name"]), first(&instances))
    }

    /// All labels but one.
    #[must_use]
    pub fn without(&self, name: &str) -> Self {
        Labels(self.0.iter().filter(|(known, _)| known != name).cloned().collect())
    }

    /// The same for a metric of another name.
    #[must_use]
    pub fn named(&self, metric: &str) -> Self {
        self.with("__name__", metric)
    }

    /// The same with another value of one label.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut labels = self.without(name).0;
        labels.push((name.to_string(), value.to_string()));
        Labels::new(labels)
    }
}

/// As Prometheus writes it.
impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.metric())?;
        let mut before = "{";
        for (name, value) in self.0.iter().filter(|(name, _)| name != "__name__") {
            write!(f, "{before}{name}={value:?}")?;
            before = ", ";
        }
        if before == "{" { Ok(()) } else { f.write_str("}") }
    }
}
