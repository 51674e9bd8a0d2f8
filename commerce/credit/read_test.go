package credit_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/commerce/credit"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// said are a member of each thing of a page, in a line.
func said(t *testing.T, page postgres.Page, err error, member string) string {
	t.Helper()
	var list []map[string]any
	if err == nil {
		err = json.Unmarshal(page.Data, &list)
	}
	if err != nil {
		t.Fatal(err)
	}
	words := make([]string, len(list))
	for i, one := range list {
		words[i], _ = one[member].(string)
	}
	return strings.Join(words, " ")
}

// A card is found by its state and by how its code ends, and changes as it is told to.
func TestCardsAreReadAndChanged(t *testing.T) {
	s := open(t)
	card, other, who := issue(t, s, 500), issue(t, s, 100), customer(t, s)
	past, later, off := time.Now().Add(-time.Hour), time.Now().Add(time.Hour).Truncate(time.Second), false
	change := func(patch credit.Patch, meant int) error {
		_, err := in(s, func(ctx context.Context, tx *postgres.Tx) (any, error) {
			return nil, credit.UpdateCard(ctx, tx, card.ID, meant, patch)
		})
		return err
	}
	note, until, nobody := "Lost", &later, (*string)(nil)
	whose := &who
	for name, c := range map[string]struct {
		patch credit.Patch
		meant int
		code  string
	}{
		"an old version": {credit.Patch{Note: &note}, 7, "stale"},
		"the past":       {credit.Patch{ExpiresAt: ptr(&past)}, 0, "invalid_gift_card"},
		"nobody known":   {credit.Patch{CustomerID: ptr(ptr(ids.New("cus")))}, 0, "invalid_gift_card"},
	} {
		if err := change(c.patch, c.meant); !problem.Is(err, c.code) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, patch := range []credit.Patch{
		{Note: &note, ExpiresAt: &until, CustomerID: &whose}, {Note: &note, ExpiresAt: &until}, {Active: &off, CustomerID: &nobody},
	} {
		if err := change(patch, 0); err != nil {
			t.Fatal(err)
		}
	}
	read, err := credit.Card(s.Ctx, s.DB, card.ID)
	if err != nil || read.Version != 3 || !strings.Contains(string(read.Data), `"state" : "disabled"`) || !strings.Contains(string(read.Data), `"customer_id" : null`) {
		t.Errorf("it is %s, %v", read.Data, err)
	}
	list := func(f credit.Filter) string {
		f.Limit = 10
		page, err := credit.Cards(s.Ctx, s.DB, f)
		return said(t, page, err, "id")
	}
	for want, f := range map[string]credit.Filter{
		string(other.ID): {State: "active"}, string(card.ID): {State: "disabled", LastCharacters: strings.ToLower(card.Code[15:])}, "": {CustomerID: who},
		string(other.ID) + " " + string(card.ID): {},
	} {
		if got := list(f); got != want {
			t.Errorf("%+v: %s, want %s", f, got, want)
		}
	}
	if _, err := credit.Card(s.Ctx, s.DB, "gc_no"); !problem.Is(err, "not_found") {
		t.Errorf("no such card: %v", err)
	}
	if _, err := credit.CardEntries(s.Ctx, s.DB, "gc_no", "", 1); !problem.Is(err, "not_found") {
		t.Errorf("no such ledger: %v", err)
	}
}

func ptr[T any](v T) *T { return &v }

// Refunds go to any account, a page of whose ledger is read at a time.
func TestRefundsAreEntries(t *testing.T) {
	s := open(t)
	card, who := issue(t, s, 500), customer(t, s)
	account, err := in(s, func(ctx context.Context, tx *postgres.Tx) (credit.ID, error) {
		return credit.OpenStoreCredit(ctx, tx, who, "EUR")
	})
	if err != nil {
		t.Fatal(err)
	}
	refund := func(id string) error {
		_, err := in(s, func(ctx context.Context, tx *postgres.Tx) (any, error) {
			return nil, credit.Refund(ctx, tx, "ord_1", id, map[credit.ID]int64{account: 300, card.ID: 20})
		})
		return err
	}
	if err := refund("ref_1"); err != nil {
		t.Fatal(err)
	}
	if err := refund("ref_1"); err == nil {
		t.Error("a refund was entered twice")
	}
	// Of an attempt that spent nothing there is nothing to give back.
	if _, err := in(s, func(ctx context.Context, tx *postgres.Tx) (any, error) { return nil, credit.Release(ctx, tx, "ord_1") }); err != nil {
		t.Fatal(err)
	}
	page, err := credit.CardEntries(s.Ctx, s.DB, card.ID, "", 1)
	if got := said(t, page, err, "type"); got != "refund" || page.Next == "" {
		t.Errorf("the first page: %s", got)
	}
	page, err = credit.CardEntries(s.Ctx, s.DB, card.ID, page.Next, 1)
	if got := said(t, page, err, "type"); got != "issue" || page.Next != "" {
		t.Errorf("the second: %s", got)
	}
	for name, read := range map[string]func(context.Context, *postgres.DB, string, string, string, int) (postgres.Page, error){"the staff": credit.Entries, "the customer": credit.MyEntries} {
		page, err := read(s.Ctx, s.DB, who, "EUR", "", 10)
		if got := said(t, page, err, "refund_id"); strings.TrimSpace(got) != map[string]string{"the staff": "ref_1"}[name] {
			t.Errorf("%s reads %q", name, got)
		}
	}
	balances, err := credit.Balances(s.Ctx, s.DB, who, "", 10)
	if err != nil || !strings.Contains(string(balances.Data), `300`) {
		t.Errorf("balances: %s, %v", balances.Data, err)
	}
	if _, err := credit.Balances(s.Ctx, s.DB, ids.New("cus"), "", 10); !problem.Is(err, "not_found") {
		t.Errorf("nobody's: %v", err)
	}
	if n := shoptest.Value[int](t, s, `select count(*) from credit_accounts where balance < 0`); n != 0 {
		t.Errorf("%d balances are negative", n)
	}
	balanced(t, s)
}
