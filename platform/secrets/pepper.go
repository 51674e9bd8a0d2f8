package secrets

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"hash"
	"sync"
)

// Pepper is a secret that values are hashed with, so that a copy of the database alone
// does not suffice to try values out. It must stay the same for as long as the hashes
// are kept, and therefore is not derived from the ring, whose keys change: it is drawn
// once at random, lies sealed in the control database, and is resealed like any other
// secret when the ring rotates.
//
// The zero Pepper hashes nothing; get one from Ring.Pepper.
type Pepper struct {
	key    *[keyLength]byte
	hashes *sync.Pool // of hash.Hash, each with the key worked in
}

func newPepper(key []byte) Pepper {
	p := Pepper{key: (*[keyLength]byte)(key)}
	p.hashes = &sync.Pool{New: func() any { return hmac.New(sha256.New, p.key[:]) }}
	return p
}

// PepperStore keeps sealed peppers by name. It is the control database.
type PepperStore interface {
	// LoadOrInsert stores sealed under name unless that name is there already, and
	// returns what is stored then: of several callers at once, all get the first's.
	LoadOrInsert(ctx context.Context, name string, sealed []byte) ([]byte, error)
}

// PepperBinding is the binding that the pepper of a name is sealed with.
func PepperBinding(name string) string { return Bind("platform", "peppers.sealed", name) }

// Pepper is the pepper of a name, drawn at its first use.
func (r *Ring) Pepper(ctx context.Context, store PepperStore, name string) (Pepper, error) {
	fresh, err := r.Seal(random(keyLength), PepperBinding(name))
	if err != nil {
		return Pepper{}, err
	}
	sealed, err := store.LoadOrInsert(ctx, name, fresh)
	if err != nil {
		return Pepper{}, fmt.Errorf("load pepper %s: %w", name, err)
	}
	plain, err := r.Open(sealed, PepperBinding(name))
	if err != nil {
		return Pepper{}, fmt.Errorf("pepper %s: %w", name, err)
	}
	if len(plain) != keyLength {
		return Pepper{}, fmt.Errorf("pepper %s has %d bytes: %w", name, len(plain), ErrNotSealed)
	}
	return newPepper(plain), nil
}

// Derive is a pepper for one purpose, by HKDF-SHA-256, so that one stored pepper serves
// many purposes and a hash of one is never valid for another.
func (p Pepper) Derive(purpose string) Pepper {
	key, err := hkdf.Key(sha256.New, p.key[:], nil, "stoa pepper "+purpose, keyLength)
	if err != nil {
		panic("derive pepper: " + err.Error()) // only for lengths above 255 hashes
	}
	return newPepper(key)
}

// HMAC is the keyed SHA-256 of a value: 32 bytes.
func (p Pepper) HMAC(value string) []byte {
	h := p.hashes.Get().(hash.Hash)
	defer p.hashes.Put(h)
	h.Reset()
	h.Write([]byte(value))
	return h.Sum(make([]byte, 0, sha256.Size))
}

// Check says, in constant time, whether sum is the HMAC of value.
func (p Pepper) Check(value string, sum []byte) bool { return hmac.Equal(p.HMAC(value), sum) }

// String hides the pepper.
func (p Pepper) String() string { return redacted }

// GoString hides the pepper.
func (p Pepper) GoString() string { return redacted }
