// Package storefront is the hosted shop: the pages that shoppers see, rendered on the
// server, and complete without JavaScript. It decides nothing about selling: what a page
// shows comes from the same services that the API calls, by the same door.
//
// Pages that are the same for all shoppers (home, lists, products, search) are kept by a
// cache.Cache under the store's revision and know nothing of carts. Pages for one shopper
// (cart, checkout, order, account) are never kept.
package storefront

//go:generate go tool templ generate -path . -lazy=false
