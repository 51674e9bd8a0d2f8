// Package operations is what takes longer than a request, whatever it does: it is asked for
// in one request and worked on afterwards by jobs, slice by slice, each batch in one
// transaction with the fates of its rows and the place where the next batch begins. A
// worker that is killed leaves whole batches behind, and the next goes on after them.
//
// Operations of a store take turns, as they were asked for. What one of them does is its
// kind's business: imports and bulk changes are packages of their own.
//
// The package owns operations and operation_rows.
package operations
