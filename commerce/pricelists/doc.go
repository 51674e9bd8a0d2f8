// Package pricelists owns prices beside a variant's own: lists of them for groups of
// customers, for quantities and for a while, and what has cost how much since when. What
// somebody pays is said by one piece of SQL (Price), which the catalogue, carts and the
// history are all made of.
package pricelists
