// Package settings owns what a merchant has set for a store as a whole: the one row of
// settings, the ways to send orders, and the tax of each country. Orders copy what was
// agreed; nothing here reaches back into them.
package settings
