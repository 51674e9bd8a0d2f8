package keys

import (
	"crypto/rand"
	"hash/crc32"
	"strings"

	"github.com/stoacommerce/stoa/platform/principal"
)

// A key is a prefix, randomness, and a checksum of both. So it can be told from other
// texts without asking anyone, and it is one word to a double click.
const (
	randomLength   = 30 // base62: 178 bits
	checksumLength = 6  // base62 holds the 32 bits of a CRC-32
	bodyLength     = randomLength + checksumLength
)

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// Generate draws a key that begins with prefix, which ends in an underscore.
func Generate(prefix string) string {
	key := make([]byte, 0, len(prefix)+bodyLength)
	key = append(key, prefix...)
	var random [64]byte
	for len(key) < len(prefix)+randomLength {
		rand.Read(random[:]) // never fails
		for _, b := range random {
			// Bytes from 248 on would make the first characters likelier.
			if b < 248 && len(key) < len(prefix)+randomLength {
				key = append(key, base62[b%62])
			}
		}
	}
	return string(appendChecksum(key))
}

// WellFormed says whether key begins with prefix and can have been made by Generate. It
// says nothing about whether there is such a key.
func WellFormed(prefix, key string) bool {
	body, found := strings.CutPrefix(key, prefix)
	if !found || len(body) != bodyLength {
		return false
	}
	for i := range len(body) {
		if strings.IndexByte(base62, body[i]) < 0 {
			return false
		}
	}
	buffer := make([]byte, 0, 96)
	buffer = append(buffer, key[:len(key)-checksumLength]...)
	return string(appendChecksum(buffer)) == key
}

func appendChecksum(text []byte) []byte {
	sum := crc32.ChecksumIEEE(text)
	var digits [checksumLength]byte
	for i := checksumLength - 1; i >= 0; i-- {
		digits[i] = base62[sum%62]
		sum /= 62
	}
	return append(text, digits[:]...)
}

// Kind is what sort of key it is.
type Kind string

// The kinds.
const (
	Secret      Kind = "secret"      // may do all that keys may
	Restricted  Kind = "restricted"  // may do what its scopes say
	Publishable Kind = "publishable" // opens the shop; everyone may see it
)

// prefixes are how the keys of each kind and mode begin.
var prefixes = map[Kind]map[principal.Mode]string{
	Secret:      {principal.Live: "stoa_sk_live_", principal.Test: "stoa_sk_test_"},
	Restricted:  {principal.Live: "stoa_rk_live_", principal.Test: "stoa_rk_test_"},
	Publishable: {principal.Live: "stoa_pk_live_", principal.Test: "stoa_pk_test_"},
}

// prefixLength is that of all prefixes.
const prefixLength = len("stoa_sk_live_")

// known are all prefixes.
var known = func() map[string]bool {
	all := map[string]bool{}
	for _, modes := range prefixes {
		for _, prefix := range modes {
			all[prefix] = true
		}
	}
	return all
}()

// genuine says whether a text can be a key of a store.
func genuine(key string) bool {
	return len(key) == prefixLength+bodyLength && known[key[:prefixLength]] && WellFormed(key[:prefixLength], key)
}
