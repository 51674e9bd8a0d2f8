package handlers

import (
	"github.com/oapi-codegen/nullable"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/openapi/gen"
)

// shownAddress is an address in the contract's words, nil for none.
func shownAddress(a *address.Address) *gen.Address {
	if a == nil {
		return nil
	}
	return &gen.Address{
		Name: a.Name, Company: orNil(a.Company), Line1: a.Line1, Line2: orNil(a.Line2), City: a.City, Region: orNil(a.Region),
		PostalCode: orNil(a.PostalCode), Country: a.Country, Phone: orNil(a.Phone), TaxID: orNil(a.TaxID),
	}
}

// patchedAddress is what a merge patch says of an address: nil leaves it, a pointer to
// nil removes it.
func patchedAddress(n nullable.Nullable[gen.Address]) **address.Address {
	if !n.IsSpecified() {
		return nil
	}
	var a *address.Address
	if !n.IsNull() {
		a = givenAddress(n.MustGet())
	}
	return &a
}

// givenAddress is an address of the contract in the domain's words.
func givenAddress(g gen.Address) *address.Address {
	return &address.Address{
		Name: g.Name, Company: given(g.Company), Line1: g.Line1, Line2: given(g.Line2), City: g.City, Region: given(g.Region),
		PostalCode: given(g.PostalCode), Country: g.Country, Phone: given(g.Phone), TaxID: given(g.TaxID),
	}
}
