use secrets_core::store::memory::MemoryStore;
