// Package reconciliation compares what a store keeps of one thing in several places:
// payments, orders, refunds, stock, the figures of reports, and the books of payment providers. None of it should
// ever differ; what does is found here, and told rather than mended.
package reconciliation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/commerce/credit"
	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Kind is what differs.
type Kind string

// The kinds of differences.
const (
	PaymentState    Kind = "payment_state"     // an order's state of payment is not what follows from its payments
	OrderMissing    Kind = "order_missing"     // a payment was taken, held or promised without an order
	RefundSums      Kind = "refund_sums"       // an order's, its payments' and its refunds' sums differ
	Unended         Kind = "unended"           // an attempt, refund, capture or void came to no end
	Credit          Kind = "credit"            // a balance, or what was spent or paid back, is not what the ledger says
	Stock           Kind = "stock"             // stock is not the sum of its movements
	Reserved        Kind = "reserved"          // what is reserved is not what attempts to pay are for
	Figures         Kind = "figures"           // reports count an order as something else than it is
	ProviderBooks   Kind = "provider_books"    // a provider's books say otherwise
	ProviderSilence Kind = "provider_no_books" // a provider does not answer for a payment
)

// Kinds are all of them.
var Kinds = []Kind{PaymentState, OrderMissing, RefundSums, Unended, Credit, Stock, Reserved, Figures, ProviderBooks, ProviderSilence}

// Difference is one thing that differs.
type Difference struct {
	Kind     Kind           `json:"kind"`
	ObjectID string         `json:"object_id"`
	Detail   map[string]any `json:"detail"`
}

// Service compares what the context's store keeps.
type Service struct {
	DB        *postgres.DB
	Providers payments.Providers
}

// patience is for how long an attempt may be under way before it counts as unended.
const patience = 2 * time.Hour

// rulesSQL gives all differences that the store's own tables show, at one instant.
const rulesSQL = `
with made as (
	select p.*, case when p.state = 'captured' then p.amount - p.released_amount else 0 end as taken
	from payments p where p.state in ('due', 'authorised', 'captured', 'voided')
), sums as (
	select o.id as order_id, o.payment_state, o.total_amount, coalesce(m.alike and m.currency = o.currency, false) as alike, m.refunded, m.taken,
		case when m.taken > 0 and m.taken = m.refunded then 'refunded'
			when m.taken > 0 and o.state <> 'cancelled' and o.total_amount - o.refunded_amount > m.taken - m.refunded then 'partially_paid'
			when m.taken > 0 and o.refunded_amount > 0 then 'partially_refunded' when m.taken > 0 then 'paid'
			when m.held then 'authorised' when not m.due and o.total_amount = 0 then 'paid' when not m.due and m.voided then 'voided' else 'pending' end as shows
	from orders o left join (
		select m.order_id, min(m.currency) as currency, min(m.currency) = max(m.currency) as alike, sum(m.refunded_amount)::bigint as refunded, sum(m.taken)::bigint as taken,
			bool_or(m.state = 'authorised') as held, bool_or(m.state = 'due') as due, bool_or(m.state = 'voided') as voided
		from made m group by m.order_id) m on m.order_id = o.id
	where o.state <> 'pending'
), found as (
	select 'payment_state' as kind, m.order_id as object_id, jsonb_build_object('order', m.payment_state, 'payments', m.shows,
		'total', m.total_amount, 'taken', m.taken, 'refunded', m.refunded) as detail
	from sums m where not m.alike or m.shows <> m.payment_state
	union all
	select 'order_missing', m.id, jsonb_build_object('order_id', m.order_id, 'state', m.state)
	from made m left join orders o on o.id = m.order_id and o.state <> 'pending' where o.id is null
	union all
	select 'refund_sums', o.id, jsonb_build_object('order', o.refunded_amount, 'refunds', r.amount)
	from orders o left join (select r.order_id, sum(r.amount)::bigint as amount from refunds r where r.state = 'succeeded' and not r.of_balance group by r.order_id) r on r.order_id = o.id
	where o.state <> 'pending' and o.refunded_amount <> coalesce(r.amount, 0)
	union all
	select 'refund_sums', m.id, jsonb_build_object('payment', m.refunded_amount, 'refunds', r.amount)
	from made m cross join lateral (
		select coalesce(sum(x.amount), 0)::bigint as amount from refunds r cross join jsonb_to_recordset(r.parts) as x(payment_id text, amount bigint, state text)
		where r.order_id = m.order_id and r.state = 'succeeded' and x.payment_id = m.id and x.state = 'succeeded') r
	where r.amount <> m.refunded_amount
	union all
	select 'credit', a.id, jsonb_build_object('balance', a.balance, 'ledger', e.amount)
	from credit_accounts a cross join lateral (select coalesce(sum(e.amount), 0)::bigint as amount from credit_entries e where e.account_id = a.id) e
	where a.balance <> e.amount
	union all
	select 'credit', p.id, jsonb_build_object('payment', p.amount, 'state', p.state, 'ledger', e.amount)
	from payments p cross join lateral (
		select coalesce(-sum(e.amount), 0)::bigint as amount from credit_entries e where e.payment_id = p.id and e.account_id = p.reference and e.kind in ('spend', 'release')) e
	where p.provider in ` + credit.Providers + ` and e.amount <> case when p.state = 'failed' then 0 else p.amount end
	union all
	select 'credit', r.id, jsonb_build_object('refund', r.amount, 'ledger', r.entered)
	from (select r.id, (select coalesce(sum(x.amount), 0)::bigint from jsonb_to_recordset(r.parts) as x(amount bigint, state text, credit text)
				where x.state = 'succeeded' and x.credit <> '' and r.state = 'succeeded') as amount,
			(select coalesce(sum(e.amount), 0)::bigint from credit_entries e where e.refund_id = r.id and e.kind = 'refund') as entered
		from refunds r) r
	where r.amount <> r.entered
	union all
	select 'unended', p.id, jsonb_build_object('state', p.state, 'asked', p.asked, 'since', p.updated_at)
	from payments p where (p.state in ('pending', 'requires_action') or p.asked <> '') and p.updated_at < now() - $1::interval
	union all
	select 'unended', r.id, jsonb_build_object('state', r.state, 'since', r.created_at)
	from refunds r where r.state = 'pending' and not r.parts @? '$[*] ? (@.reference != "")' and r.created_at < now() - $1::interval
)
select kind, object_id, detail from found order by kind, object_id limit $2`

// booksSQL are the payments whose providers are to be asked: those that changed since $1.
const booksSQL = `select p.id, p.provider, p.state, p.reference, p.account, p.currency, p.amount - p.released_amount,
	p.refunded_amount - (select coalesce(sum(x.amount), 0)::bigint from refunds r cross join jsonb_to_recordset(r.parts) as x(amount bigint, payment_id text, state text, "to" text)
		where r.order_id = p.order_id and r.state = 'succeeded' and x.payment_id = p.id and x.state = 'succeeded' and x."to" = 'store_credit')
from payments p
where p.provider not in ('manual', 'none') and p.provider not in ` + credit.Providers + ` and p.amount > 0 and p.state in ('authorised', 'captured', 'voided', 'failed') and p.updated_at >= $1
order by p.updated_at limit $2`

// The bounds of what is found and asked for in one run.
const (
	mostFound = 1000
	mostAsked = 1000
)

type paid struct {
	payments.Charge
	provider, state string
	refunded        int64
}

// Run compares everything in the context's store; of providers' books, what changed
// since.
func (s *Service) Run(ctx context.Context, since time.Time) ([]Difference, error) {
	var found []Difference
	var list []paid
	err := s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		for _, rules := range []string{rulesSQL, stockSQL, figuresSQL} {
			part, err := read(ctx, tx, rules)
			if err != nil {
				return err
			}
			found = append(found, part...)
		}
		list, err = changed(ctx, tx, since)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reconcile: %w", err)
	}
	for _, p := range list {
		if d := s.ask(ctx, p); d != nil {
			found = append(found, *d)
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("reconcile: %w", ctx.Err())
		}
	}
	return found, nil
}

func read(ctx context.Context, tx *postgres.Tx, rules string) (found []Difference, err error) {
	rows, err := tx.Query(ctx, rules, patience, mostFound)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var d Difference
		var detail []byte
		if err := rows.Scan(&d.Kind, &d.ObjectID, &detail); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(detail, &d.Detail); err != nil {
			return nil, err
		}
		found = append(found, d)
	}
	return found, rows.Err()
}

func changed(ctx context.Context, tx *postgres.Tx, since time.Time) (list []paid, err error) {
	rows, err := tx.Query(ctx, booksSQL, since, mostAsked)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var p paid
		if err := rows.Scan(&p.Reference, &p.provider, &p.state, &p.Theirs, &p.Account, &p.Amount.Currency, &p.Amount.Amount, &p.refunded); err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, rows.Err()
}

// callTime is how long a provider may take to answer.
const callTime = 20 * time.Second

// ask holds a payment against its provider's books.
func (s *Service) ask(ctx context.Context, p paid) *Difference {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	provider, err := s.Providers.Named(p.provider)
	var books payments.Outcome
	if err == nil {
		books, err = provider.Lookup(ctx, p.Charge)
	}
	if err != nil {
		if errors.Is(err, context.Canceled) {
			return nil
		}
		return &Difference{ProviderSilence, p.Reference, map[string]any{"provider": p.provider}}
	}
	taken, back := int64(0), int64(0)
	if p.state == "captured" {
		taken, back = p.Amount.Amount, p.refunded
	}
	// What came after its attempt was given up is paid back in full, and shows here as such.
	givenBack := taken == 0 && books.Taken > 0 && books.Taken == books.Refunded
	if books.Taken == taken && books.Refunded == back && (books.Result == payments.Authorised) == (p.state == "authorised") || givenBack {
		return nil
	}
	amount := func(n int64) money.Money { return money.New(n, p.Amount.Currency) }
	return &Difference{ProviderBooks, p.Reference, map[string]any{
		"provider": p.provider, "state": p.state, "taken": amount(taken), "refunded": amount(back),
		"provider_state": books.Result, "provider_taken": amount(books.Taken), "provider_refunded": amount(books.Refunded),
	}}
}
