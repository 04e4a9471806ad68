//! What rooms keep in this process besides the database: a place for each type, empty at first.
use std::{
    any::{Any, TypeId},
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex},
};

/// The places. The clones share them.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>>);

impl Memory {
    /// What is kept of a type, which only its room can name.
    pub fn of<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let mut places = self.0.lock().expect("nobody panics while looking");
        let place = places.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(T::default()));
        Arc::clone(place).downcast().expect("a place holds the type it is found by")
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memory")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn clones_find_the_same_by_its_type() {
        let memory = Memory::default();
        memory.of::<AtomicU32>().store(7, Ordering::Relaxed);
        assert_eq!(memory.clone().of::<AtomicU32>().load(Ordering::Relaxed), 7);
        assert!(memory.of::<Mutex<Vec<u8>>>().lock().unwrap().is_empty());
    }
}
