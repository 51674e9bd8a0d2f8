// Package bench measures the built program as a whole, on a real Postgres and Redis. Its
// benchmarks are measurements that run once and take minutes; `make bench` runs them and
// writes docs/performance.md. What single functions cost is measured by the benchmarks
// beside them (`make bench-layers`).
package bench
