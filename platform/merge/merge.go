// Package merge applies merge patches to what is read: of a change, only what is given counts.
package merge

// Set gives a field the value of a change; nil leaves it as it is.
func Set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}
