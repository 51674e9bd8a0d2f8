// Package fields owns what a merchant adds to things of the store: definitions of custom
// fields, each of a type, and the rules for the values that things carry under their keys.
//
// The values lie with the thing, as JSON in its column custom_fields; whoever changes the
// thing opens the Book of its definitions in the same transaction, and has it judge them.
package fields
