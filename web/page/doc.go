// Package page is what all pages of the platform have in common: how they are rendered,
// kept, answered and protected. It knows no shop and no business.
//
// There are two sorts of pages. A shared one is the same for everyone: it is rendered
// once, kept by a Cache, carries an ETag and may be kept by others for a short time. A
// personal one is rendered for one person and kept by nobody. Both carry no inline script
// and no inline style, so that their Content-Security-Policy allows none.
package page

//go:generate go tool templ generate -path . -lazy=false
