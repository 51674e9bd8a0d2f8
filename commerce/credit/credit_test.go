package credit_test

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/stoacommerce/stoa/commerce/credit"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Each step of a history is a transaction: fewer histories than of arithmetic will do.
func init() {
	if err := flag.Set("rapid.checks", "20"); err != nil {
		panic(err)
	}
}

func eur(n int64) money.Money { return money.New(n, "EUR") }

func open(t *testing.T) *shoptest.Shop {
	t.Helper()
	return shoptest.New(t, testdb.Open(t))
}

func in[T any](s *shoptest.Shop, fn func(context.Context, *postgres.Tx) (T, error)) (got T, err error) {
	err = s.DB.InStore(s.Ctx, func(ctx context.Context, tx *postgres.Tx) error {
		got, err = fn(ctx, tx)
		return err
	})
	return got, err
}

func issue(t *testing.T, s *shoptest.Shop, amount int64) credit.Issued {
	t.Helper()
	cards, err := in(s, func(ctx context.Context, tx *postgres.Tx) ([]credit.Issued, error) {
		return credit.IssueCards(ctx, tx, credit.Issue{Amount: eur(amount)}, 1)
	})
	if err != nil {
		t.Fatal(err)
	}
	return cards[0]
}

func customer(t *testing.T, s *shoptest.Shop) string {
	t.Helper()
	id := ids.New("cus")
	s.Exec(t, `insert into customers (id, email, email_verified_at) values ($1, $1 || '@example.com', now())`, id)
	return id
}

// balanced checks that each balance is the sum of its ledger, and that each entry says what
// it left.
func balanced(t *testing.T, s *shoptest.Shop) {
	t.Helper()
	if n := shoptest.Value[int](t, s, `select count(*) from credit_accounts a where a.balance <> (select coalesce(sum(e.amount), 0) from credit_entries e where e.account_id = a.id)`); n != 0 {
		t.Errorf("%d balances are not the sum of their ledger", n)
	}
	if n := shoptest.Value[int](t, s, `select count(*) from (select e.balance, sum(e.amount) over (partition by e.account_id order by e.id) as sum from credit_entries e) e where balance <> sum`); n != 0 {
		t.Errorf("%d entries do not say what they left", n)
	}
}

func TestCodes(t *testing.T) {
	s := open(t)
	card := issue(t, s, 100)
	if len(card.Code) != 19 || strings.Count(card.Code, "-") != 3 {
		t.Fatalf("code %q", card.Code)
	}
	if kept := shoptest.Value[string](t, s, `select to_json(a)::text from credit_accounts a`); strings.Contains(kept, card.Code) || strings.Contains(kept, credit.Normal(card.Code)) ||
		!strings.Contains(kept, `"last_characters":"`+card.Code[15:]+`"`) {
		t.Errorf("kept: %s", kept)
	}
	for typed, code := range map[string]string{"abcd-efgh 1111-2222": "ABCDEFGH11112222", "oOiI-lL": "001111"} {
		if credit.Normal(typed) != code {
			t.Errorf("%s is read as %s", typed, credit.Normal(typed))
		}
	}
}

func TestManyCards(t *testing.T) {
	s := open(t)
	cards, err := in(s, func(ctx context.Context, tx *postgres.Tx) ([]credit.Issued, error) {
		return credit.IssueCards(ctx, tx, credit.Issue{Amount: eur(2500), Note: "Raffle"}, credit.MaxCards)
	})
	codes := map[string]bool{}
	for _, c := range cards {
		codes[c.Code] = true
	}
	if err != nil || len(codes) != credit.MaxCards {
		t.Fatalf("%d codes, %v", len(codes), err)
	}
	if n := shoptest.Value[int64](t, s, `select sum(balance)::bigint from credit_accounts where note = 'Raffle'`); n != 2500*credit.MaxCards {
		t.Errorf("they are worth %d", n)
	}
	balanced(t, s)
}

func TestCardRefusals(t *testing.T) {
	s := open(t)
	past, unknown := time.Now().Add(-time.Hour), ids.New("cus")
	for pointer, c := range map[string]struct {
		issue credit.Issue
		count int
	}{
		"/amount/amount":   {credit.Issue{Amount: eur(0)}, 1},
		"/amount/currency": {credit.Issue{Amount: money.New(5, "JPY")}, 1},
		"/count":           {credit.Issue{Amount: eur(1)}, credit.MaxCards + 1},
		"/expires_at":      {credit.Issue{Amount: eur(1), ExpiresAt: &past}, 1},
		"/customer_id":     {credit.Issue{Amount: eur(1), CustomerID: &unknown}, 1},
		"/note":            {credit.Issue{Amount: eur(1), Note: strings.Repeat("ä", 2001)}, 1},
	} {
		_, err := in(s, func(ctx context.Context, tx *postgres.Tx) ([]credit.Issued, error) {
			return credit.IssueCards(ctx, tx, c.issue, c.count)
		})
		if p := problem.As(err); p == nil || p.Code != "invalid_gift_card" || len(p.Faults) != 1 || p.Faults[0].Pointer != pointer {
			t.Errorf("%s: %v", pointer, err)
		}
	}
	card, who := issue(t, s, 1000), customer(t, s)
	adjust := func(id credit.ID, amount money.Money, reason string) error {
		_, err := in(s, func(ctx context.Context, tx *postgres.Tx) (string, error) {
			return credit.AdjustCard(ctx, tx, id, credit.Adjustment{Amount: amount, Reason: reason})
		})
		return err
	}
	give := func(id string, amount money.Money) error {
		_, err := in(s, func(ctx context.Context, tx *postgres.Tx) (string, error) {
			return credit.AdjustStoreCredit(ctx, tx, id, credit.Adjustment{Amount: amount, Reason: "x"})
		})
		return err
	}
	if err := give(who, eur(100)); err != nil {
		t.Fatal(err)
	}
	account := credit.ID(shoptest.Value[string](t, s, `select id from credit_accounts where kind = 'store_credit'`))
	for name, c := range map[string]struct {
		err  error
		code string
	}{
		"nothing":                     {adjust(card.ID, eur(0), "x"), "invalid_credit"},
		"no reason":                   {adjust(card.ID, eur(1), ""), "invalid_credit"},
		"a reason of two lines":       {adjust(card.ID, eur(1), "a\nb"), "invalid_credit"},
		"another currency":            {adjust(card.ID, money.New(1, "USD"), "x"), "invalid_credit"},
		"more than there is":          {adjust(card.ID, eur(-1001), "x"), "balance_exceeded"},
		"more than there may be":      {adjust(card.ID, eur(credit.MaxBalance), "x"), "balance_exceeded"},
		"beyond an int64":             {adjust(card.ID, eur(-1<<63), "x"), "invalid_credit"},
		"no such card":                {adjust("gc_no", eur(1), "x"), "not_found"},
		"store credit is no card":     {adjust(account, eur(1), "x"), "not_found"},
		"no such customer":            {give(ids.New("cus"), eur(1)), "not_found"},
		"no such currency":            {give(who, money.New(1, "XXX")), "invalid_credit"},
		"taken from an empty account": {give(who, money.New(-1, "USD")), "balance_exceeded"},
	} {
		if !problem.Is(c.err, c.code) {
			t.Errorf("%s: %v", name, c.err)
		}
	}
	balanced(t, s)
	if got := shoptest.Value[string](t, s, `select string_agg(balance::text, ' ' order by kind) from credit_accounts`); got != "1000 100" {
		t.Errorf("balances: %s", got)
	}
}

// Whatever the staff do to accounts, in whatever order, a balance is what a plain sum says
// it is, and never less than nothing.
func TestAnyLedgerBalances(t *testing.T) {
	s := open(t)
	rapid.Check(t, func(rt *rapid.T) {
		first := rapid.Int64Range(1, 1000).Draw(rt, "first")
		card, who := issue(t, s, first), customer(t, s)
		want := map[string]int64{"card": first, "EUR": 0, "USD": 0}
		adjust := func(account string, fn func(context.Context, *postgres.Tx, credit.Adjustment) (string, error), currency string) {
			n := rapid.Int64Range(-800, 800).Draw(rt, "amount")
			_, err := in(s, func(ctx context.Context, tx *postgres.Tx) (string, error) {
				return fn(ctx, tx, credit.Adjustment{Amount: money.New(n, currency), Reason: "x"})
			})
			switch fits := n != 0 && want[account]+n >= 0; {
			case fits && err != nil:
				rt.Fatalf("%d of %d: %v", n, want[account], err)
			case fits:
				want[account] += n
			case !problem.Is(err, "balance_exceeded") && !problem.Is(err, "invalid_credit"):
				rt.Fatalf("%d of %d: %v", n, want[account], err)
			}
		}
		ofStore := func(ctx context.Context, tx *postgres.Tx, adj credit.Adjustment) (string, error) {
			return credit.AdjustStoreCredit(ctx, tx, who, adj)
		}
		rt.Repeat(map[string]func(*rapid.T){
			"the card": func(*rapid.T) {
				adjust("card", func(ctx context.Context, tx *postgres.Tx, adj credit.Adjustment) (string, error) {
					return credit.AdjustCard(ctx, tx, card.ID, adj)
				}, "EUR")
			},
			"credit":         func(*rapid.T) { adjust("EUR", ofStore, "EUR") },
			"another credit": func(*rapid.T) { adjust("USD", ofStore, "USD") },
			"": func(rt *rapid.T) {
				got := shoptest.Value[string](t, s, `select (select balance from credit_accounts where id = $1) || ' ' ||
					coalesce((select balance from credit_accounts where customer_id = $2 and currency = 'EUR'), 0) || ' ' ||
					coalesce((select balance from credit_accounts where customer_id = $2 and currency = 'USD'), 0)`, card.ID, who)
				if now := fmt.Sprint(want["card"], want["EUR"], want["USD"]); got != now {
					rt.Fatalf("balances %s, not %s", got, now)
				}
			},
		})
		balanced(t, s)
	})
}
