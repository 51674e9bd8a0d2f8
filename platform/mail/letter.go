package mail

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/stoacommerce/stoa/platform/ids"
)

// JobSend is the kind of the jobs that send a mail. Their arguments are a Letter. It is
// written in the transaction of what the mail tells of: in a store's for its shoppers, in
// the control database's for accounts.
const JobSend = "mail"

// Post sends a mail in the name and looks of the context's store.
type Post interface {
	Send(ctx context.Context, letter Letter) error
}

// Letter is a mail that a worker will write and send.
type Letter struct {
	ID      string `json:"id"` // mail_…, so that sending twice can be noticed
	Kind    Kind   `json:"kind"`
	StoreID string `json:"store_id,omitempty"` // in whose name; empty for the platform's
	To      string `json:"to"`
	ToName  string `json:"to_name,omitempty"`
	Locale  string `json:"locale,omitempty"`

	// ReplyTo is who is answered in place of the shop.
	ReplyTo string `json:"reply_to,omitempty"`

	// Unsubscribe is an address at which a POST ends such mails, and a page says so; for
	// mails that tell of offers rather than of what their recipient did. See Unsubscribes.
	Unsubscribe string `json:"unsubscribe,omitempty"`

	Test bool            `json:"test,omitempty"` // to see what such mails look like: it says that it is one
	Data json.RawMessage `json:"data"`
}

// Unsubscribes adds the headers by which mail programs offer to end such mails with one
// click (RFC 8058).
func (m *Message) Unsubscribes(address string) {
	if address == "" {
		return
	}
	if m.Headers == nil {
		m.Headers = map[string]string{}
	}
	m.Headers["List-Unsubscribe"] = "<" + address + ">"
	m.Headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
}

// NewLetter is a letter from the platform; its other fields may be set by the caller.
func NewLetter(to string, data Data) Letter {
	raw, err := json.Marshal(data)
	if err != nil {
		// Data are structs of texts, numbers and times, which always marshal.
		panic(fmt.Sprintf("mail: data of %s: %v", data.Kind(), err))
	}
	return Letter{ID: ids.New("mail"), Kind: data.Kind(), To: to, Data: raw}
}
