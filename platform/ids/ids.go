// Package ids makes the identifiers that the whole platform shows and stores: a short
// prefix naming the kind of thing, an underscore, and a UUIDv7 in 26 lower-case
// Crockford base32 characters, as in "prod_01jd3v7m2kf8r9e0abcdefghjk". They sort by
// the time they were made, and are kept as text in the same form everywhere, so that
// an ID of the wrong kind is simply not found.
package ids

import (
	"encoding/base32"
	"strings"

	"github.com/google/uuid"
)

// alphabet is Crockford's base32 in lower case: no i, l, o or u.
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

// bodyLength is the number of characters after the prefix: 128 bits in base32.
const bodyLength = 26

var encoding = base32.NewEncoding(alphabet).WithPadding(base32.NoPadding)

// New makes an ID of the kind that prefix names, for instance "prod".
// It panics when the operating system gives no randomness.
func New(prefix string) string {
	return FromBytes(prefix, uuid.Must(uuid.NewV7()))
}

// FromBytes gives 16 bytes that are unique already, such as a proxy's number of a
// request, the form of an ID. It sorts as the bytes do.
func FromBytes(prefix string, b [16]byte) string {
	return prefix + "_" + encoding.EncodeToString(b[:])
}

// Valid says whether id has the form of an ID of the kind that prefix names.
// It says nothing about whether such a thing exists.
func Valid(prefix, id string) bool {
	body, found := strings.CutPrefix(id, prefix+"_")
	if !found || len(body) != bodyLength {
		return false
	}
	for i := range len(body) {
		if strings.IndexByte(alphabet, body[i]) < 0 {
			return false
		}
	}
	return true
}
