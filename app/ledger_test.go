package app_test

import (
	"fmt"
	"maps"
	"slices"

	"github.com/stoacommerce/stoa/app/apptest"
)

// reconcile holds what the store's tables tell against what its shoppers were told, when
// nobody buys any more: every acknowledged order is there, once, and nothing else is; it
// was charged once; every piece in stock is accounted for; every event was written.
func (m *market) reconcile(stocks []int64) {
	t, p, schema := m.t, m.doors[0], m.schema()
	t.Helper()
	acknowledged := slices.Sorted(maps.Keys(m.orders))
	kept := apptest.Query[string](p, `select id from `+schema+`orders where state = 'open' and payment_state = 'paid' order by id`)
	if !slices.Equal(acknowledged, kept) {
		t.Errorf("%d orders were acknowledged and %d are kept", len(acknowledged), len(kept))
	}
	m.none("orders that are no order", `select id from `+schema+`orders where state <> 'open'`)
	m.addsUp(stocks)

	role := apptest.Query[string](p, `select cell || '_s_' || number from schemas where store_id = $1 and mode = 'test' and state = 'taken'`, m.storeID)[0]
	counted := apptest.Query[int64](p, `select (coalesce((select sum(delta) from cell.usage_deltas where store = $1 and metric = 'orders'), 0)
		+ coalesce((select sum(value) from cell.usage_days where store = $1 and metric = 'orders'), 0))::bigint`, role)[0]
	if counted != int64(len(acknowledged)) {
		t.Errorf("%d orders are counted as usage, of %d", counted, len(acknowledged))
	}
	if held := apptest.Query[int64](p, `select count(*) from cell.idempotency where store = $1 and state = 'running'`, role)[0]; held > 0 {
		t.Errorf("%d keys are held by nobody", held)
	}
}

// none fails where a query finds something.
func (m *market) none(what, query string) {
	m.t.Helper()
	if odd := apptest.Query[string](m.doors[0], query); len(odd) > 0 {
		m.t.Errorf("%s: %d, such as %s", what, len(odd), odd[0])
	}
}

// addsUp holds the store's tables against each other, whatever shoppers were told.
func (m *market) addsUp(stocks []int64) {
	t, p, schema := m.t, m.doors[0], m.schema()
	t.Helper()
	m.none("attempts without an end", `select id from `+schema+`payments where state = 'pending'`)
	m.none("carts without an end", `select id from `+schema+`carts where state = 'completing'`)

	m.none("orders that were not charged just once", `select o.id from `+schema+`orders o where o.state = 'open' and 1 <> (
		select count(*) from `+schema+`payments p join `+schema+`test_charges c on c.reference = p.id
		where p.order_id = o.id and p.state = 'captured' and c.state = 'succeeded' and (c.currency, c.amount) = (o.currency, o.total_amount))`)
	m.none("charges without an order", `select c.reference from `+schema+`test_charges c where c.state = 'succeeded' and c.refunds = '{}' and not exists (
		select from `+schema+`payments p join `+schema+`orders o on o.id = p.order_id where p.id = c.reference and p.state = 'captured' and o.state = 'open')`)

	for i, variant := range m.variants {
		row := apptest.Query[[4]int64](p, `select array[v.stock, v.reserved,
			(select coalesce(sum(m.quantity), 0) from `+schema+`stock_movements m where m.variant_id = v.id),
			(select coalesce(sum(l.quantity), 0) from `+schema+`order_lines l join `+schema+`orders o on o.id = l.order_id where l.variant_id = v.id and o.state = 'open')]
			from `+schema+`variants v where v.id = $1`, variant)[0]
		if stock, reserved, ledger, sold := row[0], row[1], row[2], row[3]; stock != stocks[i]-sold || stock != ledger || reserved != 0 || stock < 0 {
			t.Errorf("variant %d: stock %d of %d, %d reserved, %d by the ledger, %d sold", i, stock, stocks[i], reserved, ledger, sold)
		}
	}

	for _, event := range []string{"order.created", "order.paid"} {
		m.none(event, `select o.id from `+schema+`orders o where o.state = 'open' and 1 <> (select count(*) from `+schema+`events e where e.object_id = o.id and e.type = '`+event+`')`)
	}
	m.none("payment.captured", `select p.id from `+schema+`payments p where p.state = 'captured' and
		1 <> (select count(*) from `+schema+`events e where e.object_id = p.id and e.type = 'payment.captured')`)
}

// schema is the store's, with a full stop, as tables are named in it.
func (m *market) schema() string {
	return fmt.Sprintf("s_%d.", apptest.Query[int64](m.doors[0], `select number from schemas where store_id = $1 and mode = 'test' and state = 'taken'`, m.storeID)[0])
}
