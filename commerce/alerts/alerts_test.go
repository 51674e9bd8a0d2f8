package alerts_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stoacommerce/stoa/commerce/alerts"
	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// letters keeps what is sent, and knows the shop's addresses.
type letters []mail.Letter

func (l *letters) Send(_ context.Context, letter mail.Letter) error {
	*l = append(*l, letter)
	return nil
}

func (*letters) ConfirmAlert(_ context.Context, id string) (string, error) {
	return "https://linen.example.com/confirm/" + id, nil
}

func (*letters) EndAlert(_ context.Context, id string) (string, error) {
	return "https://linen.example.com/end/" + id, nil
}

func (*letters) Product(_ context.Context, handle, variant string) (string, error) {
	return "https://linen.example.com/" + handle + "/" + variant, nil
}

type fixture struct {
	*shoptest.Shop
	t    *testing.T
	sent letters
}

func (f *fixture) do(fn func(context.Context, *postgres.Tx) error) error {
	return f.DB.InStore(f.Ctx, fn)
}

func (f *fixture) ask(variant, email string) error {
	return f.do(func(ctx context.Context, tx *postgres.Tx) error {
		return alerts.Ask(ctx, tx, alerts.Wish{VariantID: variant, Email: email, Locale: "de"})
	})
}

func (f *fixture) confirm(id string) (found bool) {
	f.t.Helper()
	err := f.do(func(ctx context.Context, tx *postgres.Tx) (err error) {
		found, err = alerts.Confirm(ctx, tx, id)
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return found
}

// work does the store's jobs of both kinds, and gives how many mails were sent by them.
func (f *fixture) work() int {
	f.t.Helper()
	ref, _ := postgres.StoreFrom(f.Ctx)
	before := len(f.sent)
	for {
		var kind string
		var raw []byte
		err := f.DB.InCell(f.t.Context(), ref.Cell, func(ctx context.Context, tx *postgres.Tx) error {
			return tx.QueryRow(ctx, `delete from cell.outbox where id = (select min(id) from cell.outbox where store = $1 and kind in ($2, $3)) returning kind, args`,
				postgres.RoleName(ref.Cell, ref.Schema), inventory.JobBack, alerts.JobMail).Scan(&kind, &raw)
		})
		if err != nil {
			return len(f.sent) - before
		}
		if kind == alerts.JobMail {
			var args alerts.MailArgs
			if err = json.Unmarshal(raw, &args); err == nil {
				err = (&alerts.Mailer{DB: f.DB, Post: &f.sent, Links: &f.sent}).Send(f.Ctx, args)
			}
		} else {
			var args inventory.BackArgs
			if err = json.Unmarshal(raw, &args); err == nil {
				err = f.do(func(ctx context.Context, tx *postgres.Tx) error { return alerts.Tell(ctx, tx, args) })
			}
		}
		if err != nil {
			f.t.Fatal(err)
		}
	}
}

func (f *fixture) stock(variant string, quantity int64) {
	f.t.Helper()
	err := f.do(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := inventory.Adjust(ctx, tx, inventory.Adjustment{
			Reason: inventory.Correction, Lines: inventory.Change([]inventory.Line{{VariantID: inventory.VariantID(variant), Quantity: quantity}}),
		})
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

// Who asks and confirms gets one mail when it is back, and no other; who does not confirm, or
// changes their mind, gets none.
func TestBackInStock(t *testing.T) {
	f := &fixture{Shop: shoptest.New(t, testdb.Open(t)), t: t}
	bowl := f.Add(t, shoptest.Variant{EUR: 1000, Title: "Bowl"})
	mug := f.Add(t, shoptest.Variant{EUR: 1000, Title: "Mug", Stock: 3})
	for variant, code := range map[string]string{mug: "in_stock", "var_none": "variant_unavailable"} {
		if err := f.ask(variant, "ada@example.com"); !problem.Is(err, code) {
			t.Errorf("%s: %v", code, err)
		}
	}
	if err := f.ask(bowl, "nobody"); !problem.Is(err, "details_invalid") {
		t.Errorf("an address that is none: %v", err)
	}
	for i := range 3 {
		for range 2 { // the second time nothing is sent
			if err := f.ask(bowl, fmt.Sprintf(" Ada%d@example.com", i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := f.work(); n != 3 || f.sent[0].Kind != mail.KindStockAlertConfirm || f.sent[0].Locale != "de" {
		t.Fatalf("%d were asked: %+v", n, f.sent)
	}
	wish := func(i int) string {
		return shoptest.Value[string](t, f.Shop, `select id from stock_alerts where email = $1`, fmt.Sprintf("ada%d@example.com", i))
	}
	ended := wish(1)
	for id, want := range map[string]int{wish(0): 2, ended: 1, "alr_none": 0} {
		for range max(want, 1) { // once more is as good as once
			if f.confirm(id) != (want > 0) {
				t.Errorf("wish %s is not confirmed as it should be", id)
			}
		}
	}
	for range 2 {
		if err := f.do(func(ctx context.Context, tx *postgres.Tx) error { return alerts.End(ctx, tx, ended) }); err != nil {
			t.Fatal(err)
		}
	}
	if n := f.work(); n != 0 {
		t.Errorf("%d mails, and it is not back", n)
	}
	f.stock(bowl, 5)
	if n := f.work(); n != 1 {
		t.Fatalf("%d were told", n)
	}
	told := f.sent[len(f.sent)-1]
	if told.To != "ada0@example.com" || told.Kind != mail.KindBackInStock || told.Unsubscribe == "" || told.Locale != "de" {
		t.Errorf("told: %+v", told)
	}
	f.stock(bowl, -5)
	f.stock(bowl, 5)
	if n := f.work(); n != 0 {
		t.Errorf("%d were told once more", n)
	}
	// Who confirms once it is back is told at once.
	if !f.confirm(wish(2)) || f.work() != 1 {
		t.Error("it was back, and nobody said so")
	}
	if n := shoptest.Value[int](t, f.Shop, `select count(*) from stock_alerts`); n != 0 {
		t.Errorf("%d wishes are kept", n)
	}
}
