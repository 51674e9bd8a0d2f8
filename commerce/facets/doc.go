// Package facets counts what there is of the products that are sold: of each category, vendor,
// option, range of prices, custom field, and what can be bought.
//
// What matches is read as columns of numbers, keys of the index of package search, and counted
// here. Of each product it is worked out which facets keep it out; those that several do are
// passed over, and those that one does are counted for that one alone, since a facet's counts
// heed what is chosen of all others, and not what is chosen of itself. The fullest are called
// by their names in the end.
package facets
