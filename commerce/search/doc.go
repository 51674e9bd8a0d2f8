// Package search finds products by words. It owns products.search: what a product is
// found by, written anew by Index whenever the catalogue changes something of it, as
// store schemas have no triggers.
//
// Words are kept twice, as they are written and by their stems in the language they are in,
// the store's or one that the product is translated into, without accents. A query's last word is taken as the beginning of one. Where nothing is
// found, slips of the keyboard are tried: letters that changed places or came twice, and
// after that titles that look alike.
package search
