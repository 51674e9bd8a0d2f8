// Package handlers does what each operation of the contract asks for, one file for each
// resource: read what was sent, call one method of a service, and write what came of it
// in the contract's words. Rules live in the services.
package handlers

import "github.com/oapi-codegen/nullable"

// orNil is a pointer to a text, or nil for an empty one: the contract's null.
func orNil[T ~string](s T) *T {
	if s == "" {
		return nil
	}
	return &s
}

// page cuts a list that was read with one row too many to its limit, and gives where the
// next page begins.
func page[T any](list []T, limit int, position func(T) string) ([]T, string) {
	if len(list) <= limit {
		return list, ""
	}
	return list[:limit], position(list[limit-1])
}

// converted converts each item of a list.
func converted[A, B any](list []A, convert func(A) B) []B {
	out := make([]B, len(list))
	for i, item := range list {
		out[i] = convert(item)
	}
	return out
}

// emptied is what a merge patch says of a text: nil leaves it, null empties it.
func emptied(n nullable.Nullable[string]) *string {
	if !n.IsSpecified() {
		return nil
	}
	var s string
	if !n.IsNull() {
		s = n.MustGet()
	}
	return &s
}
