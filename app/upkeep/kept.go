package upkeep

import (
	"time"

	"github.com/stoacommerce/stoa/tenants/mailbox"
)

const day = 24 * time.Hour

// kept says for how long the rows of a table are kept.
type kept struct {
	table string
	since string // the column that their time runs from
	age   time.Duration
	but   string // a condition on those that may go; empty for none
	only  string // what of them goes, where the rest stays
}

// What is kept for a while in the control database, in each cell, and by each store. All
// other tables are kept for good, or are looked after by those who own them.
var (
	inControl = []kept{
		{table: "idempotency", since: "created_at", age: day, but: unleased},
		{table: "mailbox", since: "created_at", age: mailbox.Kept},
		{table: "account_tokens", since: "expires_at", age: time.Hour},
		{table: "invitations", since: "expires_at", age: 30 * day}, // so long they are listed as expired
	}
	inCell = []kept{
		{table: "cell.idempotency", since: "created_at", age: day, but: unleased},
		{table: "cell.deliveries", since: "created_at", age: 30 * day, but: `state <> 'pending'`},
	}
	inStore = []kept{
		{table: "events", since: "created_at", age: 30 * day},
		{table: "carts", since: "expires_at", age: 0, but: `state <> 'completing' and draft is null`},     // a payment may be under way
		{table: "carts", since: "expires_at", age: 90 * day, but: `state = 'open' and draft is not null`}, // those that were bought are kept
		{table: "orders", since: "placed_at", age: 0, but: attempt},
		{table: "stock_alerts", since: "created_at", age: 7 * day, but: `confirmed_at is null`},
		{table: "stock_alerts", since: "created_at", age: 365 * day},
		{table: "customer_tokens", since: "expires_at", age: time.Hour},
		{table: "documents", since: "kept_until", age: day, but: `sealed is not null`, only: `sealed = null`},
	}
)

// unleased are the requests that nobody is at work on.
const unleased = `(state = 'done' or lease_until is null or lease_until < now())`

// attempt are orders that failed to be paid for, once their cart is gone.
const attempt = `state = 'pending' and not exists (select from carts where carts.id = orders.cart_id)`

// statement deletes, or empties, at most $2 rows that are older than $1, and waits for nobody.
func (k kept) statement() string {
	where := ""
	if k.but != "" {
		where = " and " + k.but
	}
	begin := `delete from ` + k.table
	if k.only != "" {
		begin = `update ` + k.table + ` set ` + k.only
	}
	return begin + ` where ctid = any (array(select ctid from ` + k.table +
		` where ` + k.since + ` < $1` + where + ` order by ` + k.since + ` limit $2::int for update skip locked))`
}
