// Package translations owns what things are called in other languages than the one that they
// are written in. A thing's texts in a locale lie with the thing, in its column of
// translations, so that they are read by the statement that reads the thing; here is the SQL
// of it, and here they are written and looked over.
//
// A text is known by a key, a path within the thing: "title", "options/Size/Small",
// "custom_fields/care". With each text is kept what it was translated from, as a digest, so
// that it is told which have been overtaken.
package translations
