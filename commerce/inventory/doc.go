// Package inventory keeps how many of each variant there are. Every change of stock is a
// movement; a variant's stock is the sum of its movements, and the ledger is never
// changed. What is reserved is promised to an order under way: it is still in stock, and
// not for sale.
//
// A variant whose stock is not counted (track_stock) is passed over by sales; one that
// may oversell is sold below zero. For all others the database itself holds that stock
// does not fall below what is reserved.
//
// The package owns variants.stock, variants.reserved and stock_movements; the rest of a
// variant is the catalogue's.
package inventory
