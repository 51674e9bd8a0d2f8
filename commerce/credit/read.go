package credit

import (
	"context"
	"fmt"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// What follows is SQL that writes the API's JSON. Accounts and entries are t.

func amountJSON(column, currency string) string {
	return `json_build_object('amount', ` + column + `, 'currency', ` + currency + `)`
}

const stateSQL = `case when not t.active then 'disabled' when t.expires_at <= now() then 'expired' when t.balance = 0 then 'used' else 'active' end`

var (
	cardJSON = `json_build_object('id', t.id, 'state', ` + stateSQL + `, 'last_characters', t.last_characters, 'balance', ` + amountJSON("t.balance", "t.currency") + `,
	'issued', ` + amountJSON("(select coalesce(sum(e.amount), 0) from credit_entries e where e.account_id = t.id and e.kind = 'issue')", "t.currency") + `,
	'customer_id', t.customer_id, 'active', t.active, 'expires_at', ` + postgres.UTC("t.expires_at") + `, 'note', nullif(t.note, ''),
	'created_at', ` + postgres.UTC("t.created_at") + `, 'updated_at', ` + postgres.UTC("t.updated_at") + `)`

	cardSQL  = `select t.version || E'\n' || ` + cardJSON + ` from credit_accounts t where t.id = $1 and t.kind = 'gift_card'`
	cardsSQL = postgres.List{
		From: `credit_accounts t where t.kind = 'gift_card' and ($3 = '' or t.customer_id = $3) and ($4 = '' or t.last_characters = upper($4)) and ($5 = '' or ` + stateSQL + ` = $5)`,
		Each: cardJSON, Order: "t.id desc", After: "t.id < $2", Position: "t.id",
	}.SQL()

	// shopEntryJSON is what shoppers see of an entry: why the staff gave it is the staff's.
	shopEntryJSON = `'id', t.id, 'type', t.kind, 'amount', ` + amountJSON("t.amount", "t.currency") + `, 'balance', ` + amountJSON("t.balance", "t.currency") + `,
	'order_id', t.order_id, 'created_at', ` + postgres.UTC("t.created_at")
	entryJSON = `json_build_object(` + shopEntryJSON + `, 'payment_id', t.payment_id, 'refund_id', t.refund_id, 'reason', nullif(t.reason, ''))`

	entrySQL = `select ` + entryJSON + `::text from (select e.*, a.currency from credit_entries e join credit_accounts a on a.id = e.account_id where e.id = $1) t`

	cardEntriesSQL = entries(`a.id = $3 and a.kind = 'gift_card'`, entryJSON) + ` having exists (select from credit_accounts a where a.id = $3 and a.kind = 'gift_card')`

	creditJSON = `json_build_object('balance', ` + amountJSON("t.balance", "t.currency") + `, 'updated_at', ` + postgres.UTC("t.updated_at") + `)`
	creditSQL  = postgres.List{
		From: `credit_accounts t where t.kind = 'store_credit' and t.customer_id = $3`,
		Each: creditJSON, Order: "t.currency", After: "t.currency > $2", Position: "t.currency",
	}.SQL() + ofCustomer
	creditEntriesSQL = entries(`a.kind = 'store_credit' and a.customer_id = $3 and ($4 = '' or a.currency = $4)`, entryJSON) + ofCustomer
	myEntriesSQL     = entries(`a.kind = 'store_credit' and a.customer_id = $3 and ($4 = '' or a.currency = $4)`, `json_build_object(`+shopEntryJSON+`)`) + ofCustomer
)

const ofCustomer = ` having exists (select from customers k where k.id = $3)`

func entries(of, each string) string {
	return postgres.List{
		From: `(select e.*, a.currency from credit_entries e join credit_accounts a on a.id = e.account_id where ` + of + `) t where true`,
		Each: each, Order: "t.id desc", After: "t.id < $2", Position: "t.id",
	}.SQL()
}

// Filter chooses gift cards; what is empty chooses all.
type Filter struct {
	CustomerID, LastCharacters, State string
	After                             string
	Limit                             int
}

// Cards is a page of the gift cards, the latest first, as the API shows them.
func Cards(ctx context.Context, db *postgres.DB, f Filter) (postgres.Page, error) {
	page, err := db.Page(ctx, cardsSQL, f.Limit, f.After, f.CustomerID, f.LastCharacters, f.State)
	if err != nil {
		return page, fmt.Errorf("list gift cards: %w", err)
	}
	return page, nil
}

// Card is one of them.
func Card(ctx context.Context, from postgres.Source, id ID) (postgres.Object, error) {
	o, err := from.Object(ctx, cardSQL, string(id))
	return postgres.Found(o, err, "gift card")
}

// CardEntries is a page of a gift card's ledger, the latest first.
func CardEntries(ctx context.Context, db *postgres.DB, id ID, after string, limit int) (postgres.Page, error) {
	page, err := db.Page(ctx, cardEntriesSQL, limit, after, string(id))
	return postgres.Found(page, err, "gift card")
}

// Entry is one entry of a ledger.
func Entry(ctx context.Context, tx *postgres.Tx, id string) ([]byte, error) {
	var raw []byte
	err := tx.QueryRow(ctx, entrySQL, id).Scan(&raw)
	return postgres.Must(raw, err, "entry")
}

// Balances is a page of a customer's store credit, one a currency.
func Balances(ctx context.Context, db *postgres.DB, customer, after string, limit int) (postgres.Page, error) {
	page, err := db.Page(ctx, creditSQL, limit, after, customer)
	return postgres.Found(page, err, "customer")
}

// Entries is a page of the ledger of a customer's store credit, of all currencies or of one,
// the latest first.
func Entries(ctx context.Context, db *postgres.DB, customer, currency, after string, limit int) (postgres.Page, error) {
	page, err := db.Page(ctx, creditEntriesSQL, limit, after, customer, currency)
	return postgres.Found(page, err, "customer")
}

// MyEntries is what of it its customer sees.
func MyEntries(ctx context.Context, db *postgres.DB, customer, currency, after string, limit int) (postgres.Page, error) {
	page, err := db.Page(ctx, myEntriesSQL, limit, after, customer, currency)
	return postgres.Found(page, err, "customer")
}
