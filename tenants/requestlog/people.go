package requestlog

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/secrets"
)

// People finds out whom a call tells of, so that it is found again when a person is erased:
// by the IDs of customers and of what belongs to one, and by e-mail addresses, of which only
// a keyed digest is kept.
type People struct{ Pepper secrets.Pepper }

// theirs are the kinds of things that belong to a person and are found by their own IDs.
var theirs = []string{"cus", "cart", "ord", "edit", "ret", "doc", "gc", "sca", "pay", "ref", "ful", "rev", "wish"}

// maxPeople bounds what is noted of one call.
const maxPeople = 64

// Email is the name that an e-mail address goes by in the log of a store.
func (p *People) Email(store postgres.StoreRef, email string) string {
	sum := p.Pepper.HMAC(store.ID + " " + strings.ToLower(strings.TrimSpace(email)))
	return "@" + base64.RawURLEncoding.EncodeToString(sum[:12])
}

// In are those whom a call tells of.
func (p *People) In(store postgres.StoreRef, c Content) []string {
	found := []string{}
	note := func(name string) {
		if len(found) < maxPeople && !slices.Contains(found, name) {
			found = append(found, name)
		}
	}
	if c.Customer != "" {
		note(c.Customer)
	}
	texts := [][]byte{[]byte(c.Path), unescaped(c.Request.JSON), unescaped(c.Response.JSON)}
	query, _ := url.ParseQuery(c.Query) // what can be read of it
	for _, values := range query {
		for _, value := range values {
			texts = append(texts, []byte(value))
		}
	}
	for _, text := range texts {
		eachID(text, note)
		eachEmail(text, func(email string) { note(p.Email(store, email)) })
	}
	return found
}

// unescaped is JSON whose texts are written out, as far as characters need not be escaped.
func unescaped(body []byte) []byte {
	if !bytes.Contains(body, []byte(`\u`)) {
		return body
	}
	var value any
	if json.Unmarshal(body, &value) != nil {
		return body
	}
	plain, err := json.Marshal(value)
	if err != nil {
		return body
	}
	return plain
}

// idLength is that of an ID without its kind.
const idLength = 26

func eachID(text []byte, found func(id string)) {
	for at := 0; ; {
		i := bytes.IndexByte(text[at:], '_')
		if i < 0 {
			return
		}
		under := at + i
		at = under + 1
		if len(text) < at+idLength {
			return
		}
		for _, kind := range theirs {
			if from := under - len(kind); from >= 0 && string(text[from:under]) == kind && isID(text[at:at+idLength]) {
				found(string(text[from : at+idLength]))
				at += idLength
				break
			}
		}
	}
}

func isID(text []byte) bool {
	for _, c := range text {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

// eachEmail finds what may be an e-mail address within a text. Where signs stand in it that
// may as well be the text's own, as in "x=ada@example.com", it is found with and without.
func eachEmail(text []byte, found func(email string)) {
	for at := 0; ; {
		i := bytes.IndexByte(text[at:], '@')
		if i < 0 {
			return
		}
		sign := at + i
		from, to := sign, sign+1
		for from > at && inLocalPart(text[from-1]) {
			from--
		}
		for to < len(text) && inDomain(text[to]) {
			to++
		}
		if at = to; from == sign || to == sign+1 {
			continue
		}
		email := strings.TrimRight(string(text[from:to]), ".")
		found(email)
		if i := strings.LastIndexAny(email[:sign-from], "=/&?'`{|}*#"); i >= 0 && i+1 < sign-from {
			found(email[i+1:])
		}
	}
}

func inLocalPart(c byte) bool {
	return c > ' ' && c != 0x7f && strings.IndexByte(`"\<>()[],;:@`, c) < 0
}

func inDomain(c byte) bool {
	return c == '.' || c == '-' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}
