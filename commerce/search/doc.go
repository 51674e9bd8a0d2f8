// Package search finds products by words and counts them by what they are. It owns
// product_index, a narrow row for each product that is made of the product's, its variants',
// its prices' and its stock's, and product_words, the same with its words: Index writes them
// anew in the transaction that changes something of those, as store schemas have no triggers.
//
// Words are kept twice, as they are written and by their stems in the language they are in,
// the store's or one that the product is translated into, without accents. A query's last
// word is taken as the beginning of one. What nobody wrote is corrected by the words that the
// store knows (see Vocabulary).
//
// Products are filtered by facets: category, vendor, availability, price, options and custom
// fields. Of one facet any of the chosen values will do, of several all have to. How many
// products have a value is counted among those that all other facets let through, so that the
// counts say what choosing one more comes to (see Count).
package search
