//! Certificates for a server that speaks TLS: an authority of its own, and one that it vouches for.
use std::{fs, path::Path, process::Command};

/// Makes `root.crt` in a folder, and the server's certificate and key in its `data`.
pub(crate) fn make(folder: &Path, address: &str) {
    let extensions = format!("subjectAltName=IP:{address},DNS:localhost\nbasicConstraints=critical,CA:FALSE\n");
    fs::write(folder.join("extensions"), extensions).unwrap();
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(folder, &format!("req -x509 {key} -keyout root.key -out root.crt -days 2 -subj /CN=tests"));
    openssl(folder, &format!("req {key} -keyout data/server.key -out server.csr -subj /CN=postgres"));
    openssl(
        folder,
        "x509 -req -in server.csr -CA root.crt -CAkey root.key -CAcreateserial -days 2 -extfile extensions \
         -out data/server.crt",
    );
}

fn openssl(folder: &Path, arguments: &str) {
    let output = Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .output()
        .expect("openssl is installed: `make setup` does it");
    assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}
