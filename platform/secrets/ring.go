// Package secrets keeps what must be read again but never lie open: webhook secrets,
// TOTP seeds, providers' keys, the pepper of API keys. They are sealed under a ring of
// keys before they reach the database. It owns the sealing and the form of what is
// sealed; where it is stored, and walking over all of it to rotate, is its callers'.
//
// A sealed value is
//
//	1 byte version | 1 byte length of the key's ID | the key's ID | nonce, ciphertext, tag
//
// sealed by XChaCha20-Poly1305 (tink-go), whose nonces are long enough to be drawn at
// random for as many values as there will ever be. The header and the binding are
// authenticated: a value copied to another store, column or row does not open there.
package secrets

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// What can be wrong with a ring or a sealed value. No error tells any part of a secret.
var (
	ErrKeys       = errors.New("bad key ring")
	ErrBinding    = errors.New("a secret needs a binding")
	ErrNotSealed  = errors.New("not a sealed value")
	ErrUnknownKey = errors.New("sealed with a key that is not on the ring")
	ErrNotOpened  = errors.New("sealed value was changed, or belongs elsewhere")
)

const (
	version    = 1
	keyLength  = 32
	maxIDBytes = 32
	overhead   = 24 + 16 // nonce and tag
)

// Ring is an ordered set of keys. The first seals; all of them open. It is safe for
// concurrent use and shows nothing of its keys when printed.
type Ring struct {
	newest string
	aeads  map[string]tink.AEAD
}

// ParseRing reads a ring as STOA_SECRET_KEYS holds it: comma-separated `id:base64` of
// 32 random bytes each, the newest first. To rotate, put a new key in front, restart,
// reseal everything, and then take the old one away.
func ParseRing(text string) (*Ring, error) {
	r := &Ring{aeads: map[string]tink.AEAD{}}
	seen := map[string]string{}
	for i, entry := range strings.Split(text, ",") {
		id, encoded, found := strings.Cut(strings.TrimSpace(entry), ":")
		if !found || !validID(id) {
			return nil, fmt.Errorf("%w: key %d: want id:base64, the ID of at most %d letters, digits, '-' and '_'", ErrKeys, i+1, maxIDBytes)
		}
		key, err := decode(encoded)
		if err != nil || len(key) != keyLength {
			return nil, fmt.Errorf("%w: key %q: want %d bytes in base64", ErrKeys, id, keyLength)
		}
		if other, twice := seen[string(key)]; twice {
			return nil, fmt.Errorf("%w: %q and %q are the same key", ErrKeys, other, id)
		}
		if weak(key) {
			return nil, fmt.Errorf("%w: key %q is not random", ErrKeys, id)
		}
		if r.aeads[id] != nil {
			return nil, fmt.Errorf("%w: two keys have the ID %q", ErrKeys, id)
		}
		if r.aeads[id], err = subtle.NewXChaCha20Poly1305(key); err != nil {
			return nil, fmt.Errorf("%w: key %q: %w", ErrKeys, id, err)
		}
		seen[string(key)] = id
		if i == 0 {
			r.newest = id
		}
	}
	return r, nil
}

// NewKey makes an entry of a ring with a random key, as ParseRing reads it.
func NewKey(id string) (Redacted, error) {
	if !validID(id) {
		return Redacted{}, fmt.Errorf("%w: bad ID %q", ErrKeys, id)
	}
	return Redact(id + ":" + base64.StdEncoding.EncodeToString(random(keyLength))), nil
}

// Bind names the place of a secret: the store it belongs to ("platform" for none), the
// table and column, and the row. Different places never give the same binding.
func Bind(store, column, row string) string {
	return url.PathEscape(store) + "/" + url.PathEscape(column) + "/" + url.PathEscape(row)
}

// Seal seals plain under the newest key, to be opened with the same binding only. Make
// bindings with Bind.
func (r *Ring) Seal(plain []byte, binding string) ([]byte, error) {
	if binding == "" {
		return nil, ErrBinding
	}
	header := append([]byte{version, byte(len(r.newest))}, r.newest...)
	box, err := r.aeads[r.newest].Encrypt(plain, associated(header, binding))
	if err != nil {
		return nil, fmt.Errorf("seal for %s: %w", binding, err)
	}
	return append(header, box...), nil
}

// Open gives back what was sealed with this binding, under any key of the ring.
func (r *Ring) Open(sealed []byte, binding string) ([]byte, error) {
	id, header, box, err := split(sealed)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", binding, err)
	}
	key := r.aeads[id]
	if key == nil {
		return nil, fmt.Errorf("open %s: %w: %q", binding, ErrUnknownKey, id)
	}
	plain, err := key.Decrypt(box, associated(header, binding))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", binding, ErrNotOpened) // the library's error says no more
	}
	return plain, nil
}

// NeedsRotation says whether a sealed value lies under another key than the newest.
func (r *Ring) NeedsRotation(sealed []byte) bool {
	id, _, _, err := split(sealed)
	return err != nil || id != r.newest
}

// Reseal seals a value anew under the newest key. What lies under it already comes back
// as it is, once it was opened to see that it can be.
func (r *Ring) Reseal(sealed []byte, binding string) ([]byte, error) {
	plain, err := r.Open(sealed, binding)
	if err != nil || !r.NeedsRotation(sealed) {
		return sealed, err
	}
	return r.Seal(plain, binding)
}

// KeyID is the ID of the key that a value was sealed with.
func KeyID(sealed []byte) (string, error) {
	id, _, _, err := split(sealed)
	return id, err
}

// Newest is the ID of the key that seals.
func (r *Ring) Newest() string { return r.newest }

// String names the ring without its keys.
func (r *Ring) String() string { return "key ring, newest " + r.newest }

// GoString is String: %#v must not walk into the keys.
func (r *Ring) GoString() string { return r.String() }

// split takes a sealed value apart.
func split(sealed []byte) (id string, header, box []byte, err error) {
	if len(sealed) < 2 || sealed[0] != version {
		return "", nil, nil, ErrNotSealed
	}
	end := 2 + int(sealed[1])
	if len(sealed) < end+overhead || !validID(string(sealed[2:end])) {
		return "", nil, nil, ErrNotSealed
	}
	return string(sealed[2:end]), sealed[:end:end], sealed[end:], nil
}

// associated is what is authenticated besides the secret. The header says its own
// length, so that no header and binding can be taken for another pair.
func associated(header []byte, binding string) []byte {
	return append(append(make([]byte, 0, len(header)+len(binding)), header...), binding...)
}

// validID says whether id may name a key.
func validID(id string) bool {
	if id == "" || len(id) > maxIDBytes {
		return false
	}
	for _, c := range []byte(id) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return true
}

// decode reads base64 in any of its usual spellings.
func decode(text string) ([]byte, error) {
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	return base64.RawStdEncoding.DecodeString(text)
}

// weak says whether a key is plainly not random: 32 random bytes have fewer than 16
// different values less than once in 10^15 draws.
func weak(key []byte) bool {
	different := map[byte]bool{}
	for _, b := range key {
		different[b] = true
	}
	return len(different) < 16
}

// random is n random bytes; crypto/rand never fails, it stops the program instead.
func random(n int) []byte {
	out := make([]byte, n)
	_, _ = rand.Read(out)
	return out
}
