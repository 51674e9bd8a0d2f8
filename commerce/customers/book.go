package customers

import (
	"fmt"
	"slices"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/problem"
)

// maxAddresses is how many addresses a customer's book holds.
const maxAddresses = 50

// Entry is an address in a customer's book. At most one of them is the default for
// shipping, and at most one for billing.
type Entry struct {
	ID              string          `json:"id"` // empty of one that is to be added
	Address         address.Address `json:"address"`
	DefaultShipping bool            `json:"default_shipping"`
	DefaultBilling  bool            `json:"default_billing"`
}

// entries makes a customer's book of what is given.
func (k *kept) entries(given []Entry, p *problem.Problem) {
	if len(given) > maxAddresses {
		p.At("/addresses", "maxItems", "There are %d, and may be %d.", len(given), maxAddresses)
		return
	}
	book, seen := make([]Entry, len(given)), map[string]bool{}
	var shipping, billing int
	for i, e := range given {
		at := fmt.Sprintf("/addresses/%d", i)
		switch known := slices.ContainsFunc(k.Addresses, func(old Entry) bool { return old.ID == e.ID }); {
		case e.ID == "":
			e.ID = ids.New("adr")
		case !known || seen[e.ID]:
			p.At(at+"/id", "unknown_reference", "There is no such address, or it stands here twice. Leave out the ID of one that is new.")
		}
		seen[e.ID] = true
		e.Address = e.Address.Trim()
		e.Address.Check(p, at+"/address")
		if e.DefaultShipping {
			shipping++
		}
		if e.DefaultBilling {
			billing++
		}
		if shipping > 1 && e.DefaultShipping {
			p.At(at+"/default_shipping", "unique", "One address is the default.")
		}
		if billing > 1 && e.DefaultBilling {
			p.At(at+"/default_billing", "unique", "One address is the default.")
		}
		book[i] = e
	}
	k.Addresses = book
}

// prefer makes an address the default for shipping: the one in the book that is the same,
// else the default becomes it, else it is added. Of nil, the default is taken out of the book.
func (k *kept) prefer(given *address.Address, p *problem.Problem) {
	book := slices.Clone(k.Addresses)
	old := slices.IndexFunc(book, func(e Entry) bool { return e.DefaultShipping })
	if given == nil {
		if old >= 0 {
			k.Addresses = slices.Delete(book, old, old+1)
		}
		return
	}
	a := given.Trim()
	a.Check(p, "/default_address")
	switch same := slices.IndexFunc(book, func(e Entry) bool { return e.Address == a }); {
	case same >= 0:
		if old >= 0 {
			book[old].DefaultShipping = false
		}
		book[same].DefaultShipping = true
	case old >= 0:
		book[old].Address = a
	case len(book) >= maxAddresses:
		p.At("/default_address", "maxItems", "The book has %d addresses, and may have no more.", len(book))
	default:
		billed := slices.ContainsFunc(book, func(e Entry) bool { return e.DefaultBilling })
		book = append(book, Entry{ID: ids.New("adr"), Address: a, DefaultShipping: true, DefaultBilling: !billed})
	}
	k.Addresses = book
}
