// Package catalog owns what a store offers: products with their options, variants, prices
// and pictures, the tree of categories, and collections. Which products a collection holds
// belongs to package collections.
//
// Writes are methods of Service within a transaction of the store; each leaves an audit
// entry and an event. Reads are functions that let Postgres write the API's JSON, one
// statement each: the admin's form and the shop's, which knows active products and one
// currency only.
//
// How much there is of a variant belongs to package inventory, and what products are
// found by to package search.
package catalog
