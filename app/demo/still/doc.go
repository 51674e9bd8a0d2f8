// Package still draws the pictures of the demo stores: small still lifes of things that do
// not exist, lit from the upper left by a window. A picture is code and comes out the same
// each time, but for rounding on other processors.
//
// It knows a few ways to make a thing: turned on a lathe (vases, cups, tins), bent from a
// tube (handles, stems), filled (cushions, bags), folded from flat sides (boxes), or cut out
// (leaves, labels). Each gives a normal for every pixel, and one light falls on all of
// them. Lengths are in units of which a picture is 800 wide and 1000 high, y pointing down.
package still
