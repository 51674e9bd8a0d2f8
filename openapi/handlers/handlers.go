// Package handlers does what each operation of the contract asks for, one file for each
// resource: read what was sent, call one method of a service, and write what came of it
// in the contract's words. Rules live in the services.
package handlers

import (
	"database/sql"

	"github.com/oapi-codegen/nullable"

	"github.com/stoacommerce/stoa/tenants"
)

// ShopURL says where a store's hosted shop answers, without a slash at the end. Media
// addresses begin with it.
type ShopURL func(store *tenants.Store) string

// How many things a page has when the request does not say.
const (
	adminPage = 50
	shopPage  = 24
)

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
func emptied(n nullable.Nullable[string]) *string { return emptiedAs[string](n) }

// emptiedAs is emptied for a domain's own kind of text.
func emptiedAs[T, From ~string](n nullable.Nullable[From]) *T {
	if !n.IsSpecified() {
		return nil
	}
	var s T
	if !n.IsNull() {
		s = T(n.MustGet())
	}
	return &s
}

// maybe is what a merge patch says of a value: nil leaves it, an invalid one removes it.
func maybe[T any](n nullable.Nullable[T]) *sql.Null[T] {
	if !n.IsSpecified() {
		return nil
	}
	value, err := n.Get()
	return &sql.Null[T]{V: value, Valid: err == nil}
}

// given is what a property says, or nothing when it was left out.
func given[T any](value *T) T {
	if value == nil {
		var nothing T
		return nothing
	}
	return *value
}

// as turns a property that may be left out into a domain's own kind of text.
func as[To, From ~string](value *From) *To {
	if value == nil {
		return nil
	}
	out := To(*value)
	return &out
}
