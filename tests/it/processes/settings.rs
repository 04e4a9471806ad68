//! Settings may hold passwords: no program ever prints the value of one, whether it refuses it or cannot use it.
use clap::{Args, Command};
use shared::config::Settings;
use support::{Processes, figure};

const SECRET: &str = "s3cr3t-of-nobody";

/// The settings that hold addresses: flag and variable.
fn addresses() -> Vec<(String, String)> {
    let command = Settings::augment_args(Command::new("any"));
    let is_address = |arg: &&clap::Arg| {
        arg.get_value_names().is_some_and(|names| names.iter().any(|name| name.as_str().contains("URL")))
    };
    let named = |arg: &clap::Arg| {
        (format!("--{}", arg.get_long().unwrap()), arg.get_env().unwrap().to_str().unwrap().to_owned())
    };
    command.get_arguments().filter(is_address).map(named).collect()
}

#[test]
fn no_program_prints_the_password_in_an_address() {
    let store = Processes::embedded();
    let all = addresses();
    assert!(all.len() >= 8, "{all:?}");
    let mut runs = 0;
    for (flag, variable) in &all {
        for address in [
            format!("postgres://user:{SECRET}@127.0.0.1:1/x"),
            format!("rediss://user:{SECRET}@127.0.0.1:port/0"),
            format!("redis://user:{SECRET}@127.0.0.1:1/0"),
            format!("https://user:{SECRET}@127.0.0.1:1/v1?key={SECRET}"),
            format!("postgres://user:1{SECRET}/1{SECRET}@127.0.0.1:1/x"),
        ] {
            let given = format!("{flag}={address}");
            for (program, arguments) in
                [("prompt-store", vec!["doctor", &given]), ("prompt-store-worker", vec![&given])]
            {
                let by_flag = store.run(program, &arguments);
                let mut command = store.command(program, &arguments[..arguments.len() - 1]);
                let by_variable = Processes::finish(command.env(variable, &address));
                for (code, printed, said) in [by_flag, by_variable] {
                    runs += 1;
                    assert_ne!(code, 0, "{program} takes {address} for {flag}");
                    assert!(!said.contains(SECRET) && !printed.contains(SECRET), "{program} {flag}: {said}{printed}");
                }
            }
        }
    }
    let mut help = store.command("prompt-store", &["import", "--help"]);
    help.envs(all.iter().map(|(_, variable)| (variable, format!("redis://u:{SECRET}@h"))));
    let (code, printed, _) = Processes::finish(&mut help);
    assert!(code == 0 && printed.contains("REDIS_URL") && !printed.contains(SECRET), "{printed}");
    figure("settings", format!("{runs} starts with a password in one of {} addresses, printed by none", all.len()));
}
