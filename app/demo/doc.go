// Package demo furnishes a development machine with something to look at: a merchant with
// two stores, their catalogues, and pictures of its own making.
//
// The stores are flagged as demo stores, in whose shops the test payment provider takes
// orders. What is in a store comes with one transaction, so a start that was cut short
// goes on with the next; its pictures are drawn afterwards, by jobs.
package demo
