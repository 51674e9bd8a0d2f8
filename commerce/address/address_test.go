package address_test

import (
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/platform/problem"
)

func check(a address.Address) []string {
	p := problem.New(problem.Unprocessable, "invalid_address", "")
	a.Check(p, "/shipping_address")
	var faults []string
	for _, f := range p.Faults {
		faults = append(faults, f.Pointer+" "+f.Code)
	}
	return faults
}

func TestCheck(t *testing.T) {
	whole := address.Address{Name: "Ada Example", Line1: "1 Sample Street", City: "Sampleton"}
	in := func(country, postal, region string) address.Address {
		a := whole
		a.Country, a.PostalCode, a.Region = country, postal, region
		return a
	}
	for _, good := range []address.Address{
		in("DE", "10115", ""), in("GB", "sw1a 1aa", ""), in("NL", "1012 ab", ""), in("US", "10001-1234", "NY"), in("US", "10001", "NY"),
		in("CA", "K1A 0B1", "ON"), in("PL", "00-001", ""), in("JP", "100-0001", "Tokyo"), in("IE", "", ""), in("HK", "", ""), in("BR", "01310-100", "SP"),
	} {
		if faults := check(good); len(faults) > 0 {
			t.Errorf("%+v: %v", good, faults)
		}
	}
	for _, bad := range []struct {
		address address.Address
		want    string
	}{
		{in("ZZ", "1", ""), "/shipping_address/country country"},
		{in("de", "10115", ""), "/shipping_address/country country"},
		{in("EU", "10115", ""), "/shipping_address/country country"},
		{in("DE", "", ""), "/shipping_address/postal_code required"},
		{in("DE", "1011", ""), "/shipping_address/postal_code postal_code"},
		{in("DE", "1011５", ""), "/shipping_address/postal_code postal_code"},
		{in("US", "10001", ""), "/shipping_address/region required"},
		{address.Address{Name: "Ada\nBcc: x", Line1: "1", City: "C", Country: "IE"}, "/shipping_address/name characters"},
		{address.Address{Name: "Ada", Line1: "1", City: "C", Region: "\xff", Country: "IE"}, "/shipping_address/region characters"},
		{address.Address{Name: "Ada", Line1: strings.Repeat("é", 256), City: "C", Country: "IE"}, "/shipping_address/line1 maxLength"},
	} {
		faults := check(bad.address)
		if len(faults) != 1 || faults[0] != bad.want {
			t.Errorf("%+v: %v, want %s", bad.address, faults, bad.want)
		}
	}
	if faults := check(address.Address{Name: "  ", Country: "DE", PostalCode: "10115"}); len(faults) != 3 {
		t.Errorf("an empty address: %v", faults)
	}
	if got := (address.Address{Name: " Ada ", City: "Berlin\t"}).Trim(); got.Name != "Ada" || got.City != "Berlin" {
		t.Errorf("trimmed: %+v", got)
	}
}

func TestEmail(t *testing.T) {
	if got := address.Email(" Ada@Example.COM\n"); got != "ada@example.com" {
		t.Errorf("got %q", got)
	}
	for text, want := range map[string]bool{
		"ada@example.com": true, "ada+shop@example.com": true, "": false, "ada": false, "ada@": false,
		"Ada <ada@example.com>": false, "ada@example.com, bob@example.com": false, "ada@example.com\nBcc: x@example.com": false,
	} {
		if address.ValidEmail(text) != want {
			t.Errorf("%q: valid is not %v", text, want)
		}
	}
}
