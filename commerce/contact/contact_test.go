package contact_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/commerce/contact"
	"github.com/stoacommerce/stoa/commerce/shoptest"
	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// letters are those that wait to be sent from a store, the oldest first.
func letters(t *testing.T, s *shoptest.Shop) (list []mail.Letter) {
	t.Helper()
	ref, _ := postgres.StoreFrom(s.Ctx)
	err := s.DB.InCell(t.Context(), ref.Cell, func(ctx context.Context, tx *postgres.Tx) error {
		var raw []byte
		if err := tx.QueryRow(ctx, `with d as (delete from cell.outbox where store = $1 and kind = $2 returning id, args) select coalesce(json_agg(args order by id), '[]') from d`,
			postgres.RoleName(ref.Cell, ref.Schema), mail.JobSend).Scan(&raw); err != nil {
			return err
		}
		return json.Unmarshal(raw, &list)
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestWhatPeopleWrite(t *testing.T) {
	t.Parallel()
	s := shoptest.New(t, testdb.Open(t))
	s.Exec(t, `update settings set contact_email = 'shop@example.com'`)
	write := func(m contact.Message) error {
		return s.DB.InStore(s.Ctx, func(ctx context.Context, tx *postgres.Tx) error { return contact.Write(ctx, tx, m) })
	}
	withdraw := func(w contact.Withdrawal) error {
		return s.DB.InStore(s.Ctx, func(ctx context.Context, tx *postgres.Tx) error { return contact.Withdraw(ctx, tx, w) })
	}
	if err := write(contact.Message{Name: " Ada ", Email: "Ada@Example.com", Text: "Is it safe\nin an oven?"}); err != nil {
		t.Fatal(err)
	}
	sent := letters(t, s)
	if len(sent) != 1 || sent[0].To != "shop@example.com" || sent[0].ReplyTo != "ada@example.com" || sent[0].Kind != mail.KindContactMessage || !strings.Contains(string(sent[0].Data), `"name": "Ada"`) {
		t.Errorf("sent: %+v", sent)
	}
	for field, wrong := range map[string]contact.Message{
		"/name":         {Email: "ada@example.com", Text: "x"},
		"/email":        {Name: "Ada", Email: "ada", Text: "x"},
		"/message":      {Name: "Ada", Email: "ada@example.com", Text: " "},
		"/order_number": {Name: "Ada", Email: "ada@example.com", Text: "x", Order: "1\n2"},
	} {
		if p := problem.As(write(wrong)); p == nil || len(p.Faults) != 1 || p.Faults[0].Pointer != field {
			t.Errorf("%s: %v", field, p)
		}
	}
	if err := write(contact.Message{Name: strings.Repeat("x", 256), Email: "ada@example.com", Text: strings.Repeat("x", 5001)}); len(problem.As(err).Faults) != 2 {
		t.Errorf("too much: %v", err)
	}

	order := ids.New("ord")
	s.Exec(t, `insert into orders (id, number, cart_id, token_hash, state, payment_state, fulfilment_state, currency, email, prices_include_tax, subtotal_amount, shipping_amount, tax_amount, total_amount)
		values ($1, 1001, $1, '', 'open', 'paid', 'unfulfilled', 'EUR', 'ada@example.com', true, 100, 0, 0, 100)`, order)
	for number, found := range map[string]bool{"#1001": true, "1002": false, "none": false} {
		if err := withdraw(contact.Withdrawal{Name: "Ada", Email: "ada@example.com", Order: number, Text: "The bowl.", Locale: "de"}); err != nil {
			t.Fatal(err)
		}
		sent := letters(t, s)
		if len(sent) != 2 || sent[0].To != "ada@example.com" || sent[0].Locale != "de" || sent[0].Kind != mail.KindWithdrawalReceived ||
			sent[1].To != "shop@example.com" || sent[1].ReplyTo != "ada@example.com" || !strings.Contains(string(sent[1].Data), fmt.Sprintf(`"found": %v`, found)) {
			t.Errorf("%s: %+v", number, sent)
		}
	}
	if n := shoptest.Value[int](t, s, `select count(*) from audit_entries where action = 'order.withdraw' and object_id = $1`, order); n != 1 {
		t.Errorf("the order's timeline tells of %d withdrawals", n)
	}
	if err := withdraw(contact.Withdrawal{Name: "Ada", Email: "ada@example.com"}); !problem.Is(err, "details_invalid") {
		t.Errorf("of no order: %v", err)
	}

	// A shop that cannot be written to takes withdrawals all the same.
	s.Exec(t, `update settings set contact_email = ''`)
	if err := write(contact.Message{Name: "Ada", Email: "ada@example.com", Text: "x"}); !problem.Is(err, "no_contact_address") {
		t.Errorf("to nobody: %v", err)
	}
	if err := withdraw(contact.Withdrawal{Name: "Ada", Email: "ada@example.com", Order: "1001"}); err != nil || len(letters(t, s)) != 1 {
		t.Errorf("withdrawn: %v", err)
	}
}
