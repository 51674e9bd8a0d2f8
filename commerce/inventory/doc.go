// Package inventory keeps how many of each variant there are, and where. Every change of
// stock is a movement at a location; a level is the sum of its movements, and the ledger
// is never changed. What is reserved is promised to a cart: it is still on hand, and not
// for sale. A reservation that has lapsed is free for the next one who asks, whether or
// not anybody has cleared it away.
//
// A variant whose stock is not counted (track_stock) is passed over by sales; one that
// may oversell is sold below zero, as far as its limit allows. For all others the database
// itself holds that no level falls below what is reserved of it.
//
// Stock is changed in two ways. What is known to the last detail is posted: see post. What
// leaves it open where goods come from is planned first, on levels that are locked: see
// survey and allocate.
//
// The package owns locations, stock_levels, reservations and stock_movements, and of
// variants what stock is in all and how it is watched; the rest of a variant is the
// catalogue's.
package inventory
