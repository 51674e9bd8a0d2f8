// Package collections owns which products are in which collection, and in which order:
// put there by hand, or by the collection's rules.
//
// Both are kept as rows, so that a page of a collection costs what a page costs, however
// many products there are and whatever the rules ask. Whoever changes something that rules
// look at calls Refresh, or search.Later, in the same transaction: a commit that changes a
// product changes its collections, and nothing is left to be made up for afterwards.
package collections
