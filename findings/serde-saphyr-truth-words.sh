#!/usr/bin/env bash
# serde-saphyr 2.1.1 (crates.io): YAML 1.1 truth words and octal numbers are read by default where any value is allowed.
#
# Expected: YAML 1.2, in which `y`, `no` and `on` are texts and `02134` is the number 2134 or a text.
# Seen: read into a free value, `y`, `no` and `On` are truth values, and `02134` is the floating-point number 2134.0. Read into a
#       list of texts the same words stay texts.
# Why it matters: the type that the reader asks for decides what the file says. In a configuration that keeps "any JSON",
#       the country code `no` becomes false and a postal code becomes a decimal number.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat > "$folder/Cargo.toml" <<'TOML'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"

[dependencies]
serde-saphyr = "=2.1.1"
serde_json = "=1.0.154"
TOML
cat > "$folder/src/main.rs" <<'RUST'
fn main() {
    let free: serde_json::Value = serde_saphyr::from_str("[y, no, On, 02134]").unwrap();
    let texts: Vec<String> = serde_saphyr::from_str("[y, no, On]").unwrap();
    println!("free values: {free}\ntexts:       {texts:?}");
    assert_eq!(free.to_string(), "[true,false,true,2134.0]");
    assert_eq!(texts, ["y", "no", "On"]);
}
RUST
cargo run --quiet --manifest-path "$folder/Cargo.toml"
