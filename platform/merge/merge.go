// Package merge applies merge patches to what is read: of a change, only what is given counts.
package merge

import (
	"encoding/json"
	"errors"
	"maps"
)

// Set gives a field the value of a change; nil leaves it as it is.
func Set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

// Patched is a value as it is after a merge patch (RFC 7396) of its JSON: of objects, what is
// given counts, and null takes away; all else is replaced.
func Patched[T any](value T, patch json.RawMessage) (after T, err error) {
	raw, err := json.Marshal(value)
	if err != nil {
		return after, err
	}
	var is, change any
	if err := errors.Join(json.Unmarshal(raw, &is), json.Unmarshal(patch, &change)); err != nil {
		return after, err
	}
	if raw, err = json.Marshal(over(is, change)); err != nil {
		return after, err
	}
	return after, json.Unmarshal(raw, &after)
}

func over(is, change any) any {
	given, isObject := change.(map[string]any)
	if !isObject {
		return change
	}
	object, _ := is.(map[string]any)
	after := map[string]any{}
	maps.Copy(after, object)
	for name, value := range given {
		if value == nil {
			delete(after, name)
		} else {
			after[name] = over(after[name], value)
		}
	}
	return after
}
