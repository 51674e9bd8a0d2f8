// Package token makes secrets that open one thing to whoever holds them: a cart, a
// customer's session, a link in a mail. A token is shown once; what is kept is its
// digest, which is of no use to a thief of the database.
package token

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
)

// size is the number of random bytes in a token: too many to guess, so that a digest
// without salt or stretching is enough.
const size = 24

// New draws a token, with a prefix by which people and scanners know what it is.
func New(prefix string) string {
	random := make([]byte, size)
	rand.Read(random) // never fails
	return prefix + "_" + base64.RawURLEncoding.EncodeToString(random)
}

// alphabet is Crockford's: nothing in it is taken for something else.
var alphabet = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// codeSize is the number of random bytes in a code: 2^80 are not guessed, whatever the limits.
const codeSize = 10

// Code draws a code that people type, of 16 capitals and digits.
func Code() string {
	var random [codeSize]byte
	rand.Read(random[:]) // never fails
	return alphabet.EncodeToString(random[:])
}

// Hash is the digest that is kept of a token.
func Hash(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}
