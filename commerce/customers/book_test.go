package customers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/customers"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

func in(city string) address.Address {
	return address.Address{Name: "Ada Example", Line1: "1 Sample Street", City: city, PostalCode: "10115", Country: "DE"}
}

// create makes a customer as the merchant does.
func (f *fixture) create(email string, with customers.Change) (id string, err error) {
	return id, f.do(func(ctx context.Context, tx *postgres.Tx) error {
		id, err = f.service.Create(ctx, tx, email, with)
		return err
	})
}

func (f *fixture) update(id string, change customers.Change) error {
	return f.do(func(ctx context.Context, tx *postgres.Tx) error { return f.service.Update(ctx, tx, id, change, 0) })
}

// entries are a customer's book, and book is it in short: each city, with s and b where it is
// the default for shipping and billing.
func (f *fixture) entries(id string) (entries []customers.Entry) {
	f.t.Helper()
	if err := json.Unmarshal([]byte(shoptest.Value[string](f.t, f.Shop, `select addresses::text from customers where id = $1`, id)), &entries); err != nil {
		f.t.Fatal(err)
	}
	return entries
}

func (f *fixture) book(id string) string {
	f.t.Helper()
	var short []string
	for _, e := range f.entries(id) {
		flags := ""
		if e.DefaultShipping {
			flags += "s"
		}
		if e.DefaultBilling {
			flags += "b"
		}
		short = append(short, e.Address.City+" "+flags)
	}
	return strings.Join(short, ", ")
}

func TestTheAddressBook(t *testing.T) {
	f := open(t)
	id, err := f.create(" ADA@example.com", customers.Change{
		Name: pointer("Ada Example"), Tags: []string{" press ", "press", "vip"},
		Addresses: []customers.Entry{{Address: in(" Berlin "), DefaultShipping: true}, {Address: in("Potsdam"), DefaultBilling: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := f.book(id); got != "Berlin s, Potsdam b" {
		t.Errorf("made with %s", got)
	}
	if got := shoptest.Value[string](t, f.Shop, `select concat_ws(' ', email, name, tags, default_address->>'city', default_billing_address->>'city') from customers`); got != "ada@example.com Ada Example {press,vip} Berlin Potsdam" {
		t.Errorf("made: %s", got)
	}
	if _, err := f.create("ada@example.com", customers.Change{}); !problem.Is(err, "customer_exists") {
		t.Errorf("made twice: %v", err)
	}
	kept := f.entries(id)
	for _, step := range []struct {
		change customers.Change
		want   string
	}{
		{customers.Change{Addresses: []customers.Entry{kept[1], {Address: in("Bonn"), DefaultShipping: true}}}, "Potsdam b, Bonn s"},
		{customers.Change{DefaultAddress: pointer(pointer(in("Köln")))}, "Potsdam b, Köln s"},
		{customers.Change{DefaultAddress: pointer(pointer(in("Potsdam")))}, "Potsdam sb, Köln "},
		{customers.Change{DefaultAddress: pointer((*address.Address)(nil))}, "Köln "},
		{customers.Change{DefaultAddress: pointer((*address.Address)(nil))}, "Köln "},
		{customers.Change{DefaultAddress: pointer(pointer(in("Ulm")))}, "Köln , Ulm sb"},
		{customers.Change{Addresses: []customers.Entry{}}, ""},
	} {
		if err := f.update(id, step.change); err != nil {
			t.Fatalf("%s: %v", step.want, err)
		}
		if got := f.book(id); got != step.want {
			t.Errorf("%s, want %s", got, step.want)
		}
	}
	full := make([]customers.Entry, 50)
	for i := range full {
		full[i].Address = in(fmt.Sprint("Town ", i))
	}
	if err := f.update(id, customers.Change{Addresses: full}); err != nil {
		t.Fatal(err)
	}
	first := f.entries(id)[0]
	for name, change := range map[string]customers.Change{
		"too many":          {Addresses: append(full, full[0])},
		"one more":          {DefaultAddress: pointer(pointer(in("Bonn")))},
		"an unknown ID":     {Addresses: []customers.Entry{{ID: "adr_none", Address: in("Bonn")}}},
		"one ID twice":      {Addresses: []customers.Entry{first, first}},
		"two to ship to":    {Addresses: []customers.Entry{{Address: in("Bonn"), DefaultShipping: true}, {Address: in("Ulm"), DefaultShipping: true}}},
		"two to bill":       {Addresses: []customers.Entry{{Address: in("Bonn"), DefaultBilling: true}, {Address: in("Ulm"), DefaultBilling: true}}},
		"an address of ...": {Addresses: []customers.Entry{{Address: address.Address{Country: "ZZ"}}}},
		"an empty label":    {Tags: []string{" "}},
		"many labels":       {Tags: strings.Split(strings.Repeat("x ", 1)+strings.Join(numbers(251), " "), " ")},
	} {
		if err := f.update(id, change); !problem.Is(err, "details_invalid") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := f.create("nobody", customers.Change{}); !problem.Is(err, "details_invalid") {
		t.Errorf("without an address: %v", err)
	}
	if _, err := f.create("bob@example.com", customers.Change{GroupIDs: []string{"cgr_none"}}); !problem.Is(err, "unknown_reference") {
		t.Errorf("in a group that there is not: %v", err)
	}
}

func numbers(n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprint(i))
	}
	return list
}

// A disabled account opens nothing, and is told like one that there is not.
func TestADisabledAccount(t *testing.T) {
	f := open(t)
	session := f.account("ada@example.com")
	token := f.forget("ada@example.com")
	if err := f.update(session.CustomerID, customers.Change{Disabled: pointer(true)}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.service.Authenticate(f.Ctx, session.Token); !problem.Is(err, "invalid_customer_token") {
		t.Errorf("a session goes on: %v", err)
	}
	if _, err := f.signIn("ada@example.com", password); !problem.Is(err, "invalid_credentials") {
		t.Errorf("signs in: %v", err)
	}
	if _, err := f.reset(token, renewed); !problem.Is(err, "token_invalid") {
		t.Errorf("sets a new password: %v", err)
	}
	if token := f.forget("ada@example.com"); token != "" {
		t.Error("is sent another link")
	}
	if err := f.update(session.CustomerID, customers.Change{Disabled: pointer(false)}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.signIn("ada@example.com", password); err != nil {
		t.Errorf("once it is enabled again: %v", err)
	}
}
