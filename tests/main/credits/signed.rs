//! Signed statements, verified here and by others: with openssl and with Python, from the files beside the page alone.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::exported::{at, credits, store};
use super::ingest;
use crate::query;

/// Keys that were made for this test.
const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----
";
const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
";
/// Another one: the public key of the second test of RFC 8032.
const OTHER: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAPUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=
-----END PUBLIC KEY-----
";

fn file(folder: &Path, name: &str, text: &str) -> PathBuf {
    let file = folder.join(name);
    std::fs::write(&file, text).unwrap();
    file
}

/// Whether a program is there; where continuous integration runs, it must be.
fn has(program: &str, argument: &str) -> bool {
    Command::new(program).arg(argument).output().is_ok_and(|done| done.status.success())
}

#[test]
fn signatures_are_verified() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let (private, public) = (file(folder.path(), "key.pem", PRIVATE), file(folder.path(), "public.pem", PUBLIC));
    let other = file(folder.path(), "other.pem", OTHER);
    let [private, public, other] = [&private, &public, &other].map(|path| path.to_str().unwrap());
    // `acme` is issued unsigned, the others are not.
    credits(&store, 0, &["--issue", "--customer", "acme"]);
    let issued = credits(&store, 0, &["--issue", "--sign", private]);
    assert!(issued.contains("signed     with key "), "{issued}");
    assert!(credits(&store, 0, &["--verify"]).ends_with("3 statements hold\n"));
    let verified = credits(&store, 1, &["--verify", "--key", public]);
    assert!(verified.contains("gateway, acme, gateway, 2026-09, revision 1: NOT SIGNED\n"), "{verified}");
    assert!(verified.contains("1 of 3 statements are not signed by key "), "{verified}");
    let verified = credits(&store, 0, &["--verify", "--key", public, "--agreement", "vendor"]);
    assert!(verified.contains("1 statement is signed by key "), "{verified}");
    let verified = credits(&store, 1, &["--verify", "--key", other, "--agreement", "vendor"]);
    assert!(verified.contains("vendor, buyer, gateway, 2026-09, revision 1: SIGNED BY ANOTHER KEY, "), "{verified}");

    // A revision is signed by itself, and every revision is verified.
    ingest(&store, 15, "acme", &[(at(5), 100, 1)]);
    credits(&store, 0, &["--issue", "--sign", private, "--customer", "acme"]);
    let verified = credits(&store, 1, &["--verify", "--key", public, "--customer", "acme"]);
    assert!(
        verified.contains("acme, gateway, 2026-09, revision 1: NOT SIGNED\n") && !verified.contains("revision 2: NOT"),
        "{verified}"
    );
    let columns =
        query(&store, "SELECT customer, revision, starts_with(signature, 'ed25519:') FROM statements ORDER BY 1, 2");
    assert_eq!(columns, ["acme,1,", "acme,2,true", "buyer,1,true", "客户,1,true"]);
    // The text of a statement is what it is without a signature, for versions that know of none.
    assert_eq!(query(&store, "SELECT count(*) FROM statements WHERE text LIKE '%\"signature\"%'"), ["0"]);
}

#[test]
fn keys_that_cannot_be_used_are_refused_before_anything_is_issued() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let public = file(folder.path(), "public.pem", PUBLIC);
    let public = public.to_str().unwrap();
    let refused = credits(&store, 2, &["--issue", "--sign", public]);
    assert!(refused.contains("public.pem: this is a public key, and signing needs the private one"), "{refused}");
    assert!(credits(&store, 1, &["--issue", "--sign", "/nowhere.pem"]).contains("/nowhere.pem"));
    credits(&store, 2, &["--issue", "--draft", "--sign", public]);
    credits(&store, 2, &["--sign", public]);
    credits(&store, 2, &["--key", public]);
    assert_eq!(query(&store, "SELECT count(*) FROM statements"), ["0"]);
}

/// What was approved is signed as well.
#[test]
fn whoever_approves_signs() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let (private, public) = (file(folder.path(), "key.pem", PRIVATE), file(folder.path(), "public.pem", PUBLIC));
    credits(&store, 0, &["--issue", "--draft"]);
    credits(&store, 0, &["--approve", "--sign", private.to_str().unwrap()]);
    let verified = credits(&store, 0, &["--verify", "--key", public.to_str().unwrap()]);
    assert!(verified.contains("3 statements are signed by key "), "{verified}");
}

#[test]
fn openssl_verifies_a_signature_from_the_files_beside_the_page() {
    if !has("openssl", "version") {
        eprintln!("skipped: there is no openssl");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let pages = folder.path().join("pages");
    let shell = |script: &str| {
        let done = Command::new("bash").args(["-euc", script]).current_dir(folder.path()).output().unwrap();
        (
            done.status.success(),
            format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr)),
        )
    };
    // Keys as a person makes them.
    let made = "openssl genpkey -algorithm ed25519 -out key.pem && openssl pkey -in key.pem -pubout -out public.pem";
    assert!(shell(made).0);
    let key = folder.path().join("key.pem");
    credits(&store, 0, &["--issue", "--sign", key.to_str().unwrap(), "--pages", pages.to_str().unwrap()]);
    let public = folder.path().join("public.pem");
    credits(&store, 0, &["--verify", "--key", public.to_str().unwrap()]);
    let verify = r#"
        sed -n 1p "pages/2026-09-$CUSTOMER.jsonl" > line
        sed -E 's/,"sha256":"[0-9a-f]{64}"(,"signature":"[^"]*")?}$/}/' line | tr -d '\n' > signed
        sed -E 's/.*,"signature":"ed25519:[0-9a-f]+:([^"]*)"}$/\1/' line | openssl base64 -d -A > signature
        openssl pkeyutl -verify -pubin -inkey public.pem -rawin -in signed -sigfile signature
        grep -q "$(sha256sum signed | cut -d ' ' -f 1)" "pages/2026-09-$CUSTOMER.md"
        id=$(openssl pkey -pubin -in public.pem -outform DER | sha256sum | cut -c 1-16)
        grep -q "Signed by the Ed25519 key $id" "pages/2026-09-$CUSTOMER.md"
    "#;
    for customer in ["acme", "客户", "buyer"] {
        let (holds, said) = shell(&format!("CUSTOMER={customer}; {verify}"));
        assert!(holds && said.contains("Signature Verified Successfully"), "{said}");
    }
    // A figure that was changed is found.
    let line = pages.join("2026-09-客户.jsonl");
    let text = std::fs::read_to_string(&line).unwrap();
    std::fs::write(&line, text.replace("\"amount\":\"100.01\"", "\"amount\":\"900.01\"")).unwrap();
    let (holds, said) = shell(&format!("CUSTOMER=客户; {verify}"));
    assert!(!holds && said.contains("Signature Verification Failure"), "{said}");
}

/// The recipe of the hash: the line as JSON without its last fields, written without spaces.
#[test]
fn python_computes_the_hash_from_the_files_beside_the_page() {
    if !has("python3", "--version") {
        eprintln!("skipped: there is no python3");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let (private, pages) = (file(folder.path(), "key.pem", PRIVATE), folder.path().join("pages"));
    credits(&store, 0, &["--issue", "--customer", "acme", "--pages", pages.to_str().unwrap()]);
    credits(&store, 0, &["--issue", "--sign", private.to_str().unwrap()]);
    credits(&store, 0, &["--pages", pages.to_str().unwrap()]);
    let script = r#"
import hashlib, json, sys
for line in open(sys.argv[1], encoding="utf-8"):
    statement = json.loads(line)
    stated = statement.pop("sha256")
    statement.pop("signature", None)
    text = json.dumps(statement, ensure_ascii=False, separators=(",", ":"))
    print(stated == hashlib.sha256(text.encode()).hexdigest(), stated)
"#;
    for customer in ["acme", "buyer", "客户"] {
        let line = pages.join(format!("2026-09-{customer}.jsonl"));
        let done = Command::new("python3").args(["-c", script]).arg(line).output().unwrap();
        let said = String::from_utf8(done.stdout).unwrap();
        let stated = query(&store, &format!("SELECT sha256 FROM statements WHERE customer = '{customer}'")).remove(0);
        assert_eq!(said, format!("True {stated}\n"), "{}", String::from_utf8_lossy(&done.stderr));
    }
}
