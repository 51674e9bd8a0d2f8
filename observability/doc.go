// Package observability is how the platform is seen: structured logs, Prometheus
// metrics, OpenTelemetry traces and the operations server that shows them.
//
// It is the lowest layer and imports nothing of the project. Whoever has something to
// tell asks once, at start, for an observer of that thing (an operation, a job's kind,
// a cache) and then calls it without looking anything up: an observation costs about a
// hundred nanoseconds and no allocation. Nothing here is global: one program makes one
// Metrics, one Tracing and one Ops and hands them on; a test makes its own.
//
// No series is ever labelled by something that customers can make more of. Stores show
// up in logs, in traces, and in a bounded list of the busiest ones.
package observability
