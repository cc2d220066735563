use nines_store::{Store, StoreErrorKind};

#[tokio::test]
async fn a_store_keeps_the_granularity_it_was_created_with() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/store");
    let path = path.to_str().unwrap();
    assert_eq!(Store::open(path).await.unwrap_err().kind(), StoreErrorKind::NotFound);
    let store = Store::open_or_create(path, Some(15)).await.unwrap();
    assert_eq!(store.slice_seconds(), 15);
    assert_eq!(Store::open_or_create(path, None).await.unwrap().slice_seconds(), 15);
    assert_eq!(Store::open(store.url().as_str()).await.unwrap().slice_seconds(), 15);
    let error = Store::open_or_create(path, Some(60)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Incompatible);
    assert!(error.to_string().contains("has slices of 15 s, not 60 s"), "{error}");
    let marker = std::fs::read_to_string(folder.path().join("new/store/nines.json")).unwrap();
    assert_eq!(marker, "{\"format\":1,\"slice_seconds\":15}\n");
}

#[tokio::test]
async fn a_folder_without_marker_is_no_store() {
    let folder = tempfile::tempdir().unwrap();
    let error = Store::open(folder.path().to_str().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::NotFound);
    std::fs::write(folder.path().join("nines.json"), "{\"format\":2,\"slice_seconds\":60}").unwrap();
    let error = Store::open(folder.path().to_str().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Incompatible, "{error}");
    std::fs::write(folder.path().join("nines.json"), "{\"format\":1,\"slice").unwrap();
    let error = Store::open(folder.path().to_str().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{error}");
}

#[tokio::test]
async fn impossible_granularities_and_places_are_refused() {
    for seconds in [0, -60, 7, 86_401] {
        let error = Store::open_or_create("memory://store-refused", Some(seconds)).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::InvalidArgument, "{error}");
    }
    let error = Store::open("s3://bucket/store").await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::InvalidArgument, "{error}");
}
