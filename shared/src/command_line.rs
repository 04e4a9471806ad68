//! Reading a command line. What is refused is told by its name and the reason, and never by its value: that may hold a password,
//! and logs keep it.
use std::{error::Error as _, ffi::OsString};

use clap::{
    Arg, Command, CommandFactory, FromArgMatches, Parser,
    error::{ContextKind, ContextValue, Error, ErrorKind},
};

/// So long a value is not part of a reason by chance.
const VALUE_CHARS_MIN: usize = 8;

/// Reads the command line of this process and the variables of its environment; or says what is wrong with them, and ends it.
#[must_use]
pub fn read<C: Parser>() -> C {
    parse(std::env::args_os()).unwrap_or_else(|error| error.exit())
}

/// Reads a command line and the variables of the environment. Every setting may stand before the command as well as after it:
/// `serve --port 5200` is `--port 5200 serve`.
pub fn parse<C: Parser>(line: impl Iterator<Item = OsString>) -> Result<C, Error> {
    let mut command = command::<C>();
    let read = command.try_get_matches_from_mut(line).and_then(|found| C::from_arg_matches(&found));
    read.map_err(|error| refused(&mut command, &error).unwrap_or(error))
}

/// The command of a program. Its help shows no values of the environment.
fn command<C: CommandFactory + FromArgMatches>() -> Command {
    C::command().mut_args(|arg| arg.global(true).hide_env_values(true))
}

/// The same refusal without any value. None, if it holds none.
fn refused(command: &mut Command, error: &Error) -> Option<Error> {
    let text = match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        | ErrorKind::DisplayVersion
        | ErrorKind::MissingRequiredArgument
        | ErrorKind::MissingSubcommand => return None,
        ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand => unknown(error),
        _ => {
            let name = text_of(error, ContextKind::InvalidArg).unwrap_or_else(|| "an argument".to_owned());
            format!("{name}: {}{}", reason(error), variable(command, &name))
        }
    };
    Some(Error::raw(error.kind(), format!("{text}\n\nFor more information, try '--help'.\n")))
}

/// What was typed where the name of an argument or a command is expected, if it can be one.
fn unknown(error: &Error) -> String {
    let kinds = [ContextKind::InvalidArg, ContextKind::InvalidSubcommand];
    let typed = kinds.into_iter().find_map(|kind| text_of(error, kind)).unwrap_or_default();
    let name = typed.split('=').next().unwrap_or_default();
    let is_name = !name.is_empty() && name.chars().all(|char| char.is_ascii_alphabetic() || char == '-');
    match is_name {
        true => format!("there is no argument or command `{name}`"),
        false => "there is an argument that is no name of one".to_owned(),
    }
}

fn text_of(error: &Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => Some(texts.join(", ")),
        _ => None,
    }
}

/// Why a value was refused, without the value.
fn reason(error: &Error) -> String {
    let value = text_of(error, ContextKind::InvalidValue).unwrap_or_default();
    if let Some(source) = error.source() {
        let reason = source.to_string();
        // As a number outside its range is told: `0 is not in 1..=400`.
        let reason = reason.strip_prefix(&value).map_or(reason.clone(), |rest| format!("it{rest}"));
        return if value.len() < VALUE_CHARS_MIN { reason } else { reason.replace(&value, "…") };
    }
    match text_of(error, ContextKind::ValidValue) {
        Some(values) if !values.is_empty() => format!("it must be one of {values}"),
        _ => match error.kind() {
            ErrorKind::InvalidUtf8 => "it is not UTF-8".to_owned(),
            ErrorKind::ArgumentConflict => "it cannot be given twice, or together with others that are".to_owned(),
            _ => "it is given no value, or too many".to_owned(),
        },
    }
}

/// Where a value may have come from, if not from the command line.
fn variable(command: &mut Command, flag: &str) -> String {
    command.build();
    let is_it = |arg: &&Arg| {
        arg.get_long().is_some_and(|long| flag == format!("--{long}") || flag.starts_with(&format!("--{long} ")))
    };
    let variable = command.get_arguments().find(is_it).and_then(|arg| arg.get_env()?.to_str());
    match variable.filter(|variable| std::env::var_os(variable).is_some()) {
        Some(variable) => format!("\n\nThe setting comes from the variable {variable}."),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;

    const SECRET: &str = "s3cr3t-of-nobody";

    #[derive(clap::Parser, Debug)]
    struct Cli {
        #[command(flatten)]
        settings: Settings,
    }

    fn said(arguments: &[&str]) -> Option<String> {
        let mut command = command::<Cli>();
        let error = command.try_get_matches_from_mut([&["x"], arguments].concat()).err()?;
        Some(refused(&mut command, &error).unwrap_or(error).render().to_string())
    }

    #[test]
    fn what_is_refused_is_named_and_its_value_is_not_told() {
        for value in [
            format!("mysql://user:{SECRET}@host:1/database"),
            format!("redis://user:{SECRET}@host:port/0"),
            format!("https://user:{SECRET}@host/path"),
            format!("https://host/{SECRET}?key={SECRET}#{SECRET}"),
            format!("http://u:{SECRET}/{SECRET}@host"),
            format!("{SECRET} {SECRET}"),
            SECRET.to_owned(),
        ] {
            let mut refusals = 0;
            for arg in command::<Cli>().get_arguments().filter(|arg| arg.get_action().takes_values()) {
                let flag = format!("--{}", arg.get_long().unwrap());
                let Some(said) = said(&[&format!("{flag}={value}")]) else { continue };
                assert!(said.contains(&flag) && !said.contains(SECRET), "{said}");
                refusals += 1;
            }
            assert!(refusals >= 20, "{refusals} settings refuse {value}");
        }
        for typed in [&*format!("--redis-ulr=redis://u:{SECRET}@h"), &format!("redis://u:{SECRET}@h")] {
            assert!(!said(&[typed]).unwrap().contains(SECRET));
        }
    }

    #[test]
    fn a_refusal_says_what_is_right() {
        for (arguments, right) in [
            (&["--usage-days=0"][..], "--usage-days <DAYS>: it is not in 1..=400"),
            (&["--log-format=loud"], "--log-format <FORMAT>: it must be one of text, json"),
            (&["--lease-ms", "x"], "--lease-ms <MS>: it must be a whole number of milliseconds"),
            (&["--redis-prefix"], "--redis-prefix <TEXT>: it is given no value"),
            (&["--db=a", "--db=b"], "--db <PATH|URL>: it cannot be given twice"),
            (&["--nonsense"], "there is no argument or command `--nonsense`"),
        ] {
            let said = said(arguments).unwrap();
            assert!(said.starts_with("error: ") && said.contains(right), "{said}");
        }
    }

    #[test]
    fn no_help_shows_a_value_of_the_environment() {
        assert!(command::<Cli>().get_arguments().all(Arg::is_hide_env_values_set));
    }
}
