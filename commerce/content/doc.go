// Package content owns what a shop says besides its goods: pages, those among them that the law
// asks for, the posts of its blog, and the pictures that are no product's.
package content
