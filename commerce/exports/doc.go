// Package exports writes what a store has into files that its people take away: products as
// the CSV that Shopify takes, which package imports takes too, customers and orders as CSV
// or as one JSON object a line.
//
// An export is an operation. Each part of its file is written by one step: the rows after
// those of the part before, stored under a key of its own, and then noted in a transaction.
// A worker that is killed leaves whole parts behind. The file is kept for a day, as it holds
// what is deleted elsewhere.
package exports
