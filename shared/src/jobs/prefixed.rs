//! A connection to Redis on which every key of the queues lies under the prefix of this store.
//!
//! The library that keeps the queues writes one list outside the queues it is given, in the script that registers a worker.
//! A user of Redis who may only touch the prefix could not run it, and stores that share a Redis would share the list. So
//! each script is changed where it names that key, on its way to Redis.
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use redis::{
    Arg, Cmd, ErrorKind, Pipeline, RedisError, RedisFuture, Script, ServerErrorKind, Value,
    aio::{ConnectionLike, ConnectionManager},
};

/// What names outside the queues begin with, in scripts of the library.
const OUTSIDE: &str = "\"core:apalis:";

/// A connection whose scripts stay under a prefix. The clones share it.
#[derive(Clone, Debug)]
pub struct Prefixed {
    connection: ConnectionManager,
    inside: Arc<str>,
    /// What a script that was loaded is called in Redis, by what the library calls it.
    scripts: Arc<Mutex<HashMap<String, String>>>,
}

impl Prefixed {
    pub(super) fn new(connection: ConnectionManager, prefix: &str) -> Self {
        Self { connection, inside: format!("\"{}:apalis:", quoted(prefix)).into(), scripts: Arc::default() }
    }

    /// The connection itself, for what names its keys in full.
    pub(super) fn plain(&self) -> ConnectionManager {
        self.connection.clone()
    }

    fn name_of(&self, script: &str) -> Option<String> {
        self.scripts.lock().unwrap_or_else(PoisonError::into_inner).get(script).cloned()
    }

    async fn load(&mut self, code: &str) -> Result<Value, RedisError> {
        let changed = code.replace(OUTSIDE, &self.inside);
        let name: String = redis::cmd("SCRIPT").arg("LOAD").arg(changed).query_async(&mut self.connection).await?;
        let known_as = Script::new(code).get_hash().to_owned();
        self.scripts.lock().unwrap_or_else(PoisonError::into_inner).insert(known_as.clone(), name);
        Ok(Value::BulkString(known_as.into_bytes()))
    }

    async fn run(&mut self, command: &Cmd) -> Result<Value, RedisError> {
        let word = |arg| if let Arg::Simple(word) = arg { Some(word) } else { None };
        let Some(words) = command.args_iter().map(word).collect::<Option<Vec<&[u8]>>>() else {
            return self.connection.req_packed_command(command).await;
        };
        let texts = |index: usize| words.get(index).and_then(|word| std::str::from_utf8(word).ok());
        match (texts(0), texts(1), texts(2)) {
            (Some("SCRIPT"), Some("LOAD"), Some(code)) => self.load(code).await,
            (Some("EVALSHA"), Some(script), _) => {
                // Whoever calls it loads it then, so that it is changed first, also where another program has loaded it.
                let unknown =
                    || RedisError::from((ErrorKind::Server(ServerErrorKind::NoScript), "it is not loaded yet"));
                let name = self.name_of(script).ok_or_else(unknown)?;
                let mut call = redis::cmd("EVALSHA");
                call.arg(name);
                for word in &words[2..] {
                    call.arg(*word);
                }
                self.connection.req_packed_command(&call).await
            }
            _ => self.connection.req_packed_command(command).await,
        }
    }
}

impl ConnectionLike for Prefixed {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(self.run(command))
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        self.connection.req_packed_commands(pipeline, offset, count)
    }

    fn get_db(&self) -> i64 {
        self.connection.get_db()
    }
}

/// A text as it stands between quotes in a script.
fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_:./{}".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("\\{byte:03}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_prefix_is_written_into_a_script_whatever_is_in_it() {
        assert_eq!(quoted("prompt-store"), "prompt-store");
        assert_eq!(quoted("a\"b\\c\né"), "a\\034b\\092c\\010\\195\\169");
    }
}
