//! What is written where, and what stays as it was.
use std::{
    io::Read,
    os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink},
};

use rustix::fs::{CWD, Mode, mknodat};

use super::*;

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut output = Output::open(Some(path))?;
    output.write_all(text.as_bytes())?;
    output.finish()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_file_appears_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.ndjson");
    let mut output = Output::open(Some(&path)).unwrap();
    output.write_all(b"half").unwrap();
    assert!(!path.exists());
    drop(output);
    assert_eq!(names(folder.path()), Vec::<String>::new(), "nothing is left of what was not finished");

    write(&path, "whole").unwrap();
    assert_eq!((fs::read_to_string(&path).unwrap().as_str(), names(folder.path()).len()), ("whole", 1));
}

#[test]
fn a_file_that_is_written_over_keeps_its_mode_and_its_owner() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.ndjson");
    fs::write(&path, "before").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    // Only root may give a file away.
    let is_given = std::os::unix::fs::chown(&path, Some(4242), Some(4243)).is_ok();
    let before = fs::metadata(&path).unwrap();

    write(&path, "after").unwrap();

    let after = fs::metadata(&path).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "after");
    assert_eq!((after.mode(), after.uid(), after.gid()), (before.mode(), before.uid(), before.gid()));
    assert!(!is_given || after.uid() == 4242);
}

#[test]
fn a_pipe_and_a_device_are_written_through_and_stay_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    mknodat(CWD, &pipe, rustix::fs::FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    let reading = {
        let pipe = pipe.clone();
        std::thread::spawn(move || {
            let mut text = String::new();
            File::open(pipe).unwrap().read_to_string(&mut text).unwrap();
            text
        })
    };
    write(&pipe, "through").unwrap();
    assert_eq!(reading.join().unwrap(), "through");
    assert!(fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());

    // A device of our own, of the kind that swallows everything: making it takes root.
    let device = folder.path().join("device");
    let swallows = rustix::fs::makedev(1, 3);
    if mknodat(CWD, &device, rustix::fs::FileType::CharacterDevice, Mode::from_raw_mode(0o666), swallows).is_ok()
        && OpenOptions::new().write(true).open(&device).is_ok()
    {
        let link = folder.path().join("link");
        symlink("device", &link).unwrap();
        write(&device, "swallowed").unwrap();
        write(&link, "swallowed").unwrap();
        assert!(fs::symlink_metadata(&device).unwrap().file_type().is_char_device());
        assert!(fs::symlink_metadata(&link).unwrap().file_type().is_symlink());
        assert_eq!(names(folder.path()), ["device", "link", "pipe"]);
    }
}

#[test]
fn a_file_that_is_open_is_written_on_by_its_number() {
    use std::os::fd::AsRawFd;
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"before, ").unwrap();
    let name = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    assert!(matches!(Target::of(&name), Ok(Target::Through(_))));
    write(&name, "after").unwrap();
    assert_eq!(file.metadata().unwrap().len(), "before, after".len() as u64);
}

#[test]
fn a_symbolic_link_is_followed_to_its_file_even_to_one_that_is_not_there_yet() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("elsewhere")).unwrap();
    symlink("elsewhere/file", at("one")).unwrap();
    symlink("one", at("two")).unwrap();
    for text in ["made", "written over"] {
        write(&at("two"), text).unwrap();
        assert_eq!(fs::read_to_string(at("elsewhere/file")).unwrap(), text);
        assert!(["one", "two"].iter().all(|name| fs::symlink_metadata(at(name)).unwrap().is_symlink()));
    }
    assert_eq!(names(&at("elsewhere")), ["file"]);

    symlink("round", at("and")).unwrap();
    symlink("and", at("round")).unwrap();
    let refused = format!("{:#}", Target::of(&at("round")).unwrap_err());
    assert!(refused.ends_with("its symbolic links lead round and round"), "{refused}");
}

#[test]
fn a_directory_and_a_name_that_can_only_be_one_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("link");
    symlink(folder.path(), &link).unwrap();
    for path in [folder.path().to_owned(), link, folder.path().join("new/")] {
        let refused = format!("{:#}", Output::open(Some(&path)).unwrap_err());
        assert_eq!(refused, format!("cannot write `{}`: it is a directory; name a file in it", path.display()));
    }
    let nowhere = folder.path().join("no/such/folder/file");
    let refused = format!("{:#}", Output::open(Some(&nowhere)).unwrap_err());
    assert!(refused.contains("nothing can be written to the folder") && refused.contains("No such file"), "{refused}");
    assert_eq!(names(folder.path()), ["link"]);
}

#[test]
fn standard_output_has_names_of_its_own() {
    for name in ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
        assert!(matches!(Target::of(Path::new(name)), Ok(Target::Standard)), "{name}");
    }
}
