package credit

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Spending is what an account is to pay for an order, as a payment of its own. Its JSON is
// what SpendSQL reads.
type Spending struct {
	Account ID     `json:"account"`
	Kind    string `json:"kind"`
	Amount  int64  `json:"amount"`
	Payment string `json:"payment"` // the payment's ID
	Entry   string `json:"entry"`
}

// SpendSQL are the parts of the statement that places an order. They take what is asked, as
// Begin gives it, off the accounts, as far as these can be spent and have so much, and write
// the entries and the payments down. The statement has before them a part o, which is the
// order's id, and gives the part "moved" to Spent. Its arguments are the cart ($1), the
// currency ($7) and what is asked ($12). Accounts are locked in the order of their IDs; of two
// orders that are placed at once, the second finds what the first has left.
const SpendSQL = `
asked as (
	select * from jsonb_to_recordset($12::jsonb) as x(account text, kind text, amount bigint, payment text, entry text)
), held as (
	select a.id from credit_accounts a where a.id in (select account from asked) order by a.id for no key update
), moved as (
	update credit_accounts a set balance = a.balance - x.amount, version = a.version + 1, updated_at = now()
	from asked x join held on held.id = x.account
	where a.id = x.account and a.balance >= x.amount and a.active and (a.expires_at is null or a.expires_at > now()) and a.currency = $7
	returning a.*
), entered as (
	insert into credit_entries (id, account_id, kind, amount, balance, order_id, payment_id)
	select x.entry, m.id, 'spend', -x.amount, m.balance, o.id, x.payment from o, moved m join asked x on x.account = m.id
), paying as (
	insert into payments (id, cart_id, order_id, provider, reference, state, currency, amount, request)
	select x.payment, $1, o.id, x.kind, m.id, 'pending', m.currency, x.amount, jsonb_build_object('name', m.last_characters) from o, moved m join asked x on x.account = m.id
)`

// movedSQL are the accounts that a statement moved the balance of, as told reads them.
const movedSQL = `(select coalesce(json_agg(json_build_object('id', m.id, 'kind', m.kind, 'currency', m.currency, 'balance', m.balance,
	'last_characters', m.last_characters, 'customer_id', m.customer_id, 'active', m.active) order by m.id), '[]') from moved m)`

// MovedSQL is what the statement of SpendSQL gives to Spent.
const MovedSQL = movedSQL

// Begin gives each spending a payment, and all of them as SpendSQL takes them.
func Begin(list []Spending) (string, error) {
	for i := range list {
		list[i].Payment, list[i].Entry = ids.New("pay"), ids.New("cre")
	}
	raw, err := json.Marshal(append([]Spending{}, list...))
	if err != nil {
		return "", fmt.Errorf("spend credit: %w", err)
	}
	return string(raw), nil
}

// Spent tells of the accounts that an order was paid by. It refuses the order where one of
// them has less than it was read to have.
func Spent(ctx context.Context, tx *postgres.Tx, list []Spending, moved []byte) error {
	n, err := told(ctx, tx, moved)
	if err != nil {
		return err
	}
	if n < len(list) {
		return problem.New(problem.Conflict, "due_changed", "A gift card or store credit was spent elsewhere, or changed, meanwhile. Nothing was charged.")
	}
	return nil
}

// told tells of accounts whose balance has moved, and says how many there are.
func told(ctx context.Context, tx *postgres.Tx, moved []byte) (int, error) {
	var accounts []account
	if err := json.Unmarshal(moved, &accounts); err != nil {
		return 0, fmt.Errorf("read accounts: %w", err)
	}
	for i := range accounts {
		a := &accounts[i]
		journal.Event(ctx, tx, a.Kind+".updated", string(a.ID), a.event())
	}
	return len(accounts), nil
}

// releaseSQL gives back what payments of the order $1 that came to nothing had spent.
const releaseSQL = `
with owed as (
	select e.account_id, e.payment_id, -e.amount as amount, row_number() over (order by e.payment_id) as at
	from payments p join credit_entries e on e.payment_id = p.id and e.kind = 'spend'
	where p.order_id = $1 and p.provider in ` + Providers + ` and p.state = 'failed'
		and not exists (select from credit_entries r where r.payment_id = p.id and r.kind = 'release')
), held as (
	select a.id from credit_accounts a where a.id in (select account_id from owed) order by a.id for no key update
), moved as (
	update credit_accounts a set balance = a.balance + owed.amount, version = a.version + 1, updated_at = now()
	from owed join held on held.id = owed.account_id where a.id = owed.account_id returning a.*
), entered as (
	insert into credit_entries (id, account_id, kind, amount, balance, order_id, payment_id)
	select ($2::text[])[owed.at], m.id, 'release', owed.amount, m.balance, $1, owed.payment_id from moved m join owed on owed.account_id = m.id
)
select ` + movedSQL

// Release gives back what an attempt to pay for an order had spent, whose payments have
// failed.
func Release(ctx context.Context, tx *postgres.Tx, orderID string) error {
	names := make([]string, maxSpent)
	for i := range names {
		names[i] = ids.New("cre")
	}
	var moved []byte
	if err := tx.QueryRow(ctx, releaseSQL, orderID, names).Scan(&moved); err != nil {
		return fmt.Errorf("release the credit of order %s: %w", orderID, err)
	}
	_, err := told(ctx, tx, moved)
	return err
}

// maxSpent is how many accounts pay for one order at most: more than carts allow.
const maxSpent = 20

// OpenStoreCredit is a customer's account in a currency, which is opened where there is none.
func OpenStoreCredit(ctx context.Context, tx *postgres.Tx, customer, currency string) (ID, error) {
	a, err := storeCredit(ctx, tx, customer, currency)
	if err != nil {
		return "", err
	}
	return a.ID, nil
}

// Refund adds what of a refund goes to accounts.
func Refund(ctx context.Context, tx *postgres.Tx, orderID, refundID string, to map[ID]int64) error {
	for _, id := range slices.Sorted(maps.Keys(to)) {
		a := &account{}
		if err := tx.Hold(ctx, a, id, "account", postgres.ForNoKeyUpdate); err != nil {
			return fmt.Errorf("refund to %s: %w", id, err)
		}
		if err := a.post(ctx, tx, &entry{Kind: "refund", Amount: to[id], OrderID: orderID, RefundID: refundID}); err != nil {
			return err
		}
	}
	return nil
}
