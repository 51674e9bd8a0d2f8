// Package passkeytest gives tests an authenticator: what a browser and a person's device are to
// a site that takes passkeys.
package passkeytest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"testing"
)

// Authenticator keeps a person's passkeys, and unlocks them unless told otherwise.
type Authenticator struct {
	Origin string // of the page that asks
	Locked bool   // the person is there, and has not proven who they are

	t    testing.TB
	keys []*passkey
}

type passkey struct {
	id, user []byte
	private  *ecdsa.PrivateKey
	counter  uint32
}

// New is an authenticator without any passkey, on a page of an origin.
func New(t testing.TB, origin string) *Authenticator { return &Authenticator{Origin: origin, t: t} }

// The flags of what an authenticator says: somebody is there, has proven who they are, and a key
// comes with it.
const (
	present  = 0x01
	verified = 0x04
	attested = 0x40
)

// Create answers navigator.credentials.create.
func (a *Authenticator) Create(options json.RawMessage) json.RawMessage {
	a.t.Helper()
	var asked struct {
		Challenge string
		RP        struct{ ID string }
		User      struct{ ID string }
	}
	a.read(options, &asked)
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	key := &passkey{id: []byte(rand.Text()), private: private, user: a.bytes(asked.User.ID)}
	a.keys = append(a.keys, key)

	said := key.says(asked.RP.ID, a.flags()|attested)
	said = append(said, make([]byte, 16)...) // of no known make
	said = binary.BigEndian.AppendUint16(said, uint16(len(key.id)))
	said = append(append(said, key.id...), key.public(a.t)...)
	object := append([]byte{0xa3}, text("fmt")...)
	object = append(append(object, text("none")...), text("attStmt")...)
	object = append(append(object, 0xa0), text("authData")...)
	object = append(binary.BigEndian.AppendUint16(append(object, 0x59), uint16(len(said))), said...)
	return a.write(key, map[string]any{
		"clientDataJSON": encoded(a.client("webauthn.create", asked.Challenge)), "attestationObject": encoded(object), "transports": []string{"internal"},
	})
}

// Get answers navigator.credentials.get, with the passkey that was made last.
func (a *Authenticator) Get(options json.RawMessage) json.RawMessage {
	a.t.Helper()
	var asked struct {
		Challenge string
		RPID      string `json:"rpId"`
	}
	a.read(options, &asked)
	key := a.keys[len(a.keys)-1]
	key.counter++
	client, said := a.client("webauthn.get", asked.Challenge), key.says(asked.RPID, a.flags())
	of := sha256.Sum256(client)
	digest := sha256.Sum256(append(append([]byte{}, said...), of[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, key.private, digest[:])
	if err != nil {
		a.t.Fatal(err)
	}
	return a.write(key, map[string]any{
		"clientDataJSON": encoded(client), "authenticatorData": encoded(said), "signature": encoded(signature), "userHandle": encoded(key.user),
	})
}

// Copy has the authenticator be as it was before it was last used, as a stolen copy of it is.
func (a *Authenticator) Copy() { a.keys[len(a.keys)-1].counter -= 2 }

func (a *Authenticator) flags() byte {
	if a.Locked {
		return present
	}
	return present | verified
}

// client is what the browser adds.
func (a *Authenticator) client(kind, challenge string) []byte {
	raw, err := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": a.Origin, "crossOrigin": false})
	if err != nil {
		a.t.Fatal(err)
	}
	return raw
}

func (k *passkey) says(party string, flags byte) []byte {
	of := sha256.Sum256([]byte(party))
	return binary.BigEndian.AppendUint32(append(of[:], flags), k.counter)
}

// public is the key in COSE: of two coordinates, for ES256.
func (k *passkey) public(t testing.TB) []byte {
	point, err := k.private.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	x, y := point[1:33], point[33:]
	out := append([]byte{0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20}, x...)
	return append(append(out, 0x22, 0x58, 0x20), y...)
}

// text is a short text in CBOR.
func text(of string) []byte { return append([]byte{0x60 + byte(len(of))}, of...) }

func encoded(of []byte) string { return base64.RawURLEncoding.EncodeToString(of) }

func (a *Authenticator) bytes(text string) []byte {
	a.t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		a.t.Fatal(err)
	}
	return raw
}

func (a *Authenticator) read(raw json.RawMessage, into any) {
	a.t.Helper()
	if err := json.Unmarshal(raw, into); err != nil {
		a.t.Fatal(err)
	}
}

func (a *Authenticator) write(key *passkey, response map[string]any) json.RawMessage {
	a.t.Helper()
	raw, err := json.Marshal(map[string]any{
		"id": encoded(key.id), "rawId": encoded(key.id), "type": "public-key", "response": response, "clientExtensionResults": map[string]any{}, "authenticatorAttachment": "platform",
	})
	if err != nil {
		a.t.Fatal(err)
	}
	return raw
}
