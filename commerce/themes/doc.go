// Package themes owns how a shop looks and what stands where in it: its theme with colours and
// type, its logo, the sections of its home page, its menus, and the pictures of all that. What a
// merchant changes is a draft, which a signed link shows, until it is published.
package themes
