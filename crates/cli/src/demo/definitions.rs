//! What the demo's company promises, as it stands in `data/definitions/`.

/// The files: name and text.
pub const DEFINITIONS: &[(&str, &str)] = &[
    ("cart.yaml", include_str!("../../../../data/definitions/cart.yaml")),
    ("checkout.yaml", include_str!("../../../../data/definitions/checkout.yaml")),
    ("gateway.yaml", include_str!("../../../../data/definitions/gateway.yaml")),
    ("login.yaml", include_str!("../../../../data/definitions/login.yaml")),
    ("messages.yaml", include_str!("../../../../data/definitions/messages.yaml")),
    ("notifications.yaml", include_str!("../../../../data/definitions/notifications.yaml")),
    ("payment.yaml", include_str!("../../../../data/definitions/payment.yaml")),
    ("playback.yaml", include_str!("../../../../data/definitions/playback.yaml")),
    ("profile.yaml", include_str!("../../../../data/definitions/profile.yaml")),
    ("search.yaml", include_str!("../../../../data/definitions/search.yaml")),
    ("services.yaml", include_str!("../../../../data/definitions/services.yaml")),
    ("transcode.yaml", include_str!("../../../../data/definitions/transcode.yaml")),
    ("upload.yaml", include_str!("../../../../data/definitions/upload.yaml")),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// It counts slices of 15 seconds; the demo's are of a minute.
    const NOT_THE_DEMOS: &str = "gateway-agreement.yaml";

    #[test]
    fn no_file_is_forgotten() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/definitions");
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| name != NOT_THE_DEMOS).collect();
        names.sort();
        assert_eq!(names, DEFINITIONS.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    }
}
