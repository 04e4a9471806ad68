//! What stands around a store where others depend on it, each as a real process: a Redis that others look after, a pooler before
//! PostgreSQL, proxies before the API, Prometheus.
mod pgbouncer;
mod prometheus;
mod proxies;
mod redis;
mod redis_tls;
