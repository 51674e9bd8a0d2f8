// Package bulk changes and deletes thousands of products or variants as one operation, and
// undoes it. What an operation works on is decided when it is asked for: things by their
// IDs, or those that a filter finds then. Each is changed by the catalogue's rules and has
// an outcome of its own, with what undoes it for as long as that is kept.
package bulk
