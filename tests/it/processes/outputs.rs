//! What commands write goes where it was sent: through a pipe or a device, into the file behind a link, over a file that keeps
//! its mode.
use std::{
    fs,
    io::Read,
    os::unix::fs::{FileTypeExt, PermissionsExt, symlink},
    path::Path,
    thread,
};

use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
use support::Processes;

use super::start::refuses;

/// Every command that writes something out, but for where.
const WRITERS: [&[&str]; 4] = [&["export", "-o"], &["openapi", "-o"], &["audit", "export", "-o"], &["backup"]];

fn seeded() -> Processes {
    let store = Processes::embedded();
    assert_eq!(store.run("prompt-store", &["seed"]).0, 0);
    store
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn is_what_was_asked_for(writer: &[&str], bytes: &[u8]) -> bool {
    match writer[0] {
        "backup" => bytes.starts_with(b"SQLite format 3\0"),
        "openapi" => bytes == api::document().as_bytes(),
        _ => bytes.ends_with(b"}\n") && bytes.split(|byte| *byte == b'\n').count() > 7,
    }
}

#[test]
fn a_pipe_is_written_through_by_every_command() {
    let store = seeded();
    for (number, writer) in WRITERS.into_iter().enumerate() {
        let pipe = store.folder().join(format!("pipe{number}"));
        mknodat(CWD, &pipe, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        let reading = {
            let pipe = pipe.clone();
            thread::spawn(move || {
                let mut bytes = Vec::new();
                fs::File::open(pipe).unwrap().read_to_end(&mut bytes).unwrap();
                bytes
            })
        };
        let (code, _, said) = store.run("prompt-store", &[writer, &[text(&pipe)]].concat());
        assert_eq!(code, 0, "{writer:?}: {said}");
        let bytes = reading.join().unwrap();
        assert!(is_what_was_asked_for(writer, &bytes), "{writer:?}: {} bytes", bytes.len());
        assert!(fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo(), "{writer:?}");
    }
}

#[test]
fn a_device_stays_a_device() {
    let store = seeded();
    let device = store.folder().join("device");
    // One of our own, of the kind that swallows everything: making and opening it takes root, and a file system that lets it.
    if mknodat(CWD, &device, FileType::CharacterDevice, Mode::from_raw_mode(0o666), makedev(1, 3)).is_err()
        || fs::File::open(&device).is_err()
    {
        return;
    }
    for writer in WRITERS {
        let (code, _, said) = store.run("prompt-store", &[writer, &[text(&device)]].concat());
        assert_eq!(code, 0, "{writer:?}: {said}");
        assert!(fs::symlink_metadata(&device).unwrap().file_type().is_char_device(), "{writer:?}");
    }
}

#[test]
fn a_link_is_followed_a_mode_is_kept_and_a_directory_is_refused() {
    let store = seeded();
    let at = |name: &str| store.folder().join(name);
    fs::create_dir(at("folder")).unwrap();
    for (number, writer) in WRITERS.into_iter().enumerate() {
        let (link, file) = (at(&format!("link{number}")), at("folder").join(format!("file{number}")));
        symlink(&file, &link).unwrap();
        let (code, _, said) = store.run("prompt-store", &[writer, &[text(&link)]].concat());
        assert_eq!(code, 0, "{writer:?}: {said}");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink(), "{writer:?}");
        assert!(is_what_was_asked_for(writer, &fs::read(&file).unwrap()), "{writer:?}");

        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let (code, _, said) = store.run("prompt-store", &[writer, &[text(&link)]].concat());
        // A backup is written over nothing.
        assert_eq!(code, if writer[0] == "backup" { 73 } else { 0 }, "{writer:?}: {said}");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640, "{writer:?}");
        refuses(
            &mut store.command("prompt-store", &[writer, &[text(&at("folder"))]].concat()),
            66,
            &["it is a directory; name a file in it"],
        );
    }
    assert_eq!(fs::read_dir(at("folder")).unwrap().count(), WRITERS.len(), "no draft is left");
}

#[test]
fn standard_output_can_be_named() {
    let store = seeded();
    for writer in [&["export"][..], &["openapi"], &["audit", "export"]] {
        let (_, expected, _) = store.run("prompt-store", writer);
        for name in ["-", "/dev/stdout"] {
            let (code, printed, said) = store.run("prompt-store", &[writer, &["-o", name]].concat());
            assert_eq!((code, printed.len()), (0, expected.len()), "{writer:?} {name}: {said}");
            assert_eq!(printed, expected);
        }
    }
}
