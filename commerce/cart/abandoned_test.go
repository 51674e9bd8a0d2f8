package cart_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/settings"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// letters keeps what is sent, and knows where carts are found again.
type letters []mail.Letter

func (l *letters) Send(_ context.Context, letter mail.Letter) error {
	*l = append(*l, letter)
	return nil
}

func (*letters) RecoverCart(_ context.Context, id string) (string, error) {
	return "https://linen.stoa.example/cart/recover/" + id, nil
}

func (*letters) Unsubscribe(_ context.Context, id string) (string, error) {
	return "https://linen.stoa.example/unsubscribe/" + id, nil
}

func TestAbandonedCarts(t *testing.T) {
	f := open(t)
	shirt := f.Add(t, shoptest.Variant{EUR: 1000, Stock: 9, Title: "Shirt"})
	f.Exec(t, `insert into customers (id, email, accepts_marketing) values ('cus_1', 'yes@example.com', true), ('cus_2', 'no@example.com', false)`)
	look := func(ref cart.Ref) {
		t.Helper()
		if err := f.carts.FindAbandoned(f.Ctx, cart.AbandonedArgs{CartID: ref.ID}); err != nil {
			t.Fatal(err)
		}
	}
	jobs := func(kind string) int {
		t.Helper()
		ref, _ := postgres.StoreFrom(f.Ctx)
		var n int
		err := f.DB.InCell(context.Background(), ref.Cell, func(ctx context.Context, tx *postgres.Tx) error {
			return tx.QueryRow(ctx, `select count(*) from cell.outbox where kind = $1`, kind).Scan(&n)
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	told := func() int {
		return shoptest.Value[int](t, f.Shop, `select count(*) from events where type = 'cart.abandoned'`)
	}
	age := func() { f.Exec(t, `update carts set updated_at = now() - interval '61 minutes'`) }
	item := []cart.Item{{VariantID: shirt, Quantity: 2}}

	_, nobody := f.create(cart.CreateInput{Items: item})
	if jobs(cart.JobAbandoned) != 0 {
		t.Error("the cart of nobody is watched")
	}
	_, ref := f.create(cart.CreateInput{Items: item, Email: "no@example.com"})
	_, empty := f.create(cart.CreateInput{Email: "no@example.com"})
	watched := jobs(cart.JobAbandoned)
	look(ref)
	look(empty)
	look(nobody)
	if told() != 0 || watched != 2 || jobs(cart.JobAbandoned) != 4 {
		t.Errorf("too early: %d told, %d and then %d jobs", told(), watched, jobs(cart.JobAbandoned))
	}
	age()
	look(empty)
	look(ref)
	look(ref)
	if told() != 1 || jobs(cart.JobMail) != 0 {
		t.Errorf("%d were told, %d are written to while that is off", told(), jobs(cart.JobMail))
	}
	set := func(to string) {
		f.in(func(ctx context.Context, tx *postgres.Tx) error {
			return settings.SetAbandoned(ctx, tx, settings.AbandonedCartsPatch{Mail: &to})
		})
	}
	set("consenting")
	_, no := f.create(cart.CreateInput{Items: item, Email: "no@example.com"})
	_, yes := f.create(cart.CreateInput{Items: item, Email: "yes@example.com"})
	age()
	look(no)
	look(yes)
	if told() != 3 || jobs(cart.JobMail) != 1 {
		t.Errorf("%d were told, %d are written to with consent", told(), jobs(cart.JobMail))
	}
	set("everyone")
	_, all := f.create(cart.CreateInput{Items: item, Email: "no@example.com"})
	age()
	look(all)
	if jobs(cart.JobMail) != 2 {
		t.Errorf("%d are written to", jobs(cart.JobMail))
	}

	// The mail, and the way back.
	var sent letters
	mailer := cart.Mailer{DB: f.DB, Post: &sent, Links: &sent}
	if err := mailer.Send(f.Ctx, cart.MailArgs{MailID: "mail_1", CartID: all.ID}); err != nil || len(sent) != 1 {
		t.Fatalf("sent %d, %v", len(sent), err)
	}
	var data mail.CartAbandoned
	if err := json.Unmarshal(sent[0].Data, &data); err != nil || sent[0].ID != "mail_1" || data.URL == "" || data.Lines[0].Total.Amount != 2000 || sent[0].Unsubscribe == "" || data.Unsubscribe != sent[0].Unsubscribe {
		t.Errorf("mail: %+v, %v", sent[0], err)
	}
	failed := money.New(2000, "EUR")
	if err := mailer.Send(f.Ctx, cart.MailArgs{MailID: "mail_2", CartID: all.ID, Failed: &failed}); err != nil || len(sent) != 2 ||
		sent[1].Kind != mail.KindPaymentFailed || sent[1].Unsubscribe != "" {
		t.Errorf("of a payment that failed: %+v, %v", sent, err)
	}
	back, found, err := f.carts.Recover(f.Ctx, all.ID)
	if err != nil || !found || back.Token == all.Token {
		t.Fatalf("recovered: %+v, %v, %v", back, found, err)
	}
	f.read(back)
	f.read(all)

	list := func(filter cart.Filter) []cart.Summary {
		t.Helper()
		filter.Limit = 50
		found, _, err := f.carts.List(f.Ctx, filter)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	for want, filter := range map[int]cart.Filter{6: {}, 4: {Abandoned: true}, 1: {Abandoned: true, Email: "Yes@example.com"}, 0: {State: "completed"}} {
		if got := list(filter); len(got) != want {
			t.Errorf("%+v: %d, want %d", filter, len(got), want)
		}
	}
	if first := list(cart.Filter{Email: "yes@example.com"})[0]; !first.AcceptsMarketing || first.Subtotal != 2000 || first.LineCount != 1 || first.AbandonedAt == nil {
		t.Errorf("summary: %+v", first)
	}

	// What was bought is not abandoned, and not recovered.
	f.Exec(t, `update carts set state = 'completed'`)
	look(no)
	if err := mailer.Send(f.Ctx, cart.MailArgs{CartID: all.ID}); err != nil || len(sent) != 2 {
		t.Errorf("a mail about what was bought: %d, %v", len(sent), err)
	}
	if _, found, err := f.carts.Recover(f.Ctx, all.ID); found || err != nil {
		t.Errorf("recovered what was bought: %v", err)
	}
	if _, err := f.carts.Read(f.Ctx, cart.Ref{ID: all.ID, Token: "ct_guessed"}); !problem.Is(err, "not_found") {
		t.Errorf("a guessed token: %v", err)
	}
}

func (f *fixture) in(fn func(context.Context, *postgres.Tx) error) {
	f.t.Helper()
	if err := f.DB.InStore(f.Ctx, fn); err != nil {
		f.t.Fatal(err)
	}
}
