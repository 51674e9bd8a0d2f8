// Package drafts owns draft orders: what a merchant puts together for somebody at prices
// that they agreed on, and has them pay by a link, or completes by hand. A draft order is a
// cart (commerce/cart), with which it shares its ID, its totals, and the one gate by which
// it becomes an order (commerce/checkout); this package says how merchants write it.
package drafts

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/commerce/orders"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/token"
)

// How long a draft order can be bought.
const (
	Lifetime = 90 * 24 * time.Hour // unless its merchant says otherwise
	Longest  = 366 * 24 * time.Hour
)

// State is how far a draft order has come.
type State string

// The states of a draft order.
const (
	Open      State = "open"
	Sent      State = "invoice_sent" // whoever has its link can pay it
	Completed State = "completed"    // it has become an order
	Expired   State = "expired"      // it cannot be bought, unless it is given more time
)

// StateOf is the state of a draft order.
func StateOf(c *cart.Cart) State {
	switch {
	case c.State == cart.Completed:
		return Completed
	case c.State == cart.Open && !c.ExpiresAt.After(clock.Now()):
		return Expired
	case c.Draft.SentAt != nil:
		return Sent
	}
	return Open
}

// Service writes the draft orders of the context's store.
type Service struct {
	Carts *cart.Service
}

// eventData is what events tell of a draft order.
type eventData struct {
	ID         string      `json:"id"`
	State      State       `json:"state"`
	CustomerID *string     `json:"customer_id"`
	Email      *string     `json:"email"`
	Total      money.Money `json:"total"`
	OrderID    *string     `json:"order_id"`
}

func named(c *cart.Cart) eventData {
	data := eventData{ID: c.ID, State: StateOf(c), Total: c.Totals.Total}
	if c.CustomerID != "" {
		data.CustomerID = &c.CustomerID
	}
	if c.Email != "" {
		data.Email = &c.Email
	}
	return data
}

// Became tells that a draft order has become an order.
func Became(ctx context.Context, tx *postgres.Tx, id string, order orders.Summary) {
	journal.Event(ctx, tx, "draft_order.completed", id, eventData{
		ID: id, State: Completed, CustomerID: order.CustomerID, Email: &order.Email, Total: order.Total, OrderID: &order.ID,
	})
	journal.Audit(ctx, tx, journal.Entry{Action: "draft_order.complete", ObjectID: id, Before: map[string]any{"order_id": nil}, After: map[string]any{"order_id": order.ID}})
}

// createSQL makes a draft order in which nothing was agreed yet. Nobody is given its token.
const createSQL = `
insert into carts (id, token_hash, currency, draft, version, expires_at)
select $1, decode($2, 'hex'), coalesce(nullif($3, ''), s.currency), '{"lines": 0}', 0, now() + $4::interval
from settings s where coalesce(nullif($3, ''), s.currency) = any(s.currencies)`

// Create makes a draft order in a currency, the store's own when it is empty.
func (s *Service) Create(ctx context.Context, tx *postgres.Tx, currency string, terms Patch) (*cart.Cart, error) {
	if terms.Lines == nil {
		terms.Lines = &[]Line{}
	}
	id := ids.New("cart")
	tag, err := tx.Exec(ctx, createSQL, id, hex.EncodeToString(token.Hash(token.New("ct"))), currency, Lifetime)
	if err != nil {
		return nil, fmt.Errorf("create a draft order: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return nil, problem.New(problem.Unprocessable, "currency_not_sold", "This shop does not sell in %s.", currency).
			At("/currency", "currency", "The shop's currencies are in its settings.")
	}
	empty, err := s.lock(ctx, tx, id, 0)
	if err != nil {
		return nil, err
	}
	c, err := s.write(ctx, tx, empty, terms)
	if err != nil {
		return nil, err
	}
	journal.Event(ctx, tx, "draft_order.created", id, named(c))
	journal.Audit(ctx, tx, journal.Entry{Action: "draft_order.create", ObjectID: id, After: Tell(c)})
	return c, nil
}

// Update changes what was agreed. Version, here and below, is the one that the change is
// meant for, or 0. Whoever has the link sees it as it is then, and pays no other sum than
// the one that they have seen.
func (s *Service) Update(ctx context.Context, tx *postgres.Tx, id string, terms Patch, version int) (*cart.Cart, error) {
	was, err := s.lock(ctx, tx, id, version)
	if err != nil {
		return nil, err
	}
	before := Tell(was)
	c, err := s.write(ctx, tx, was, terms)
	if err != nil {
		return nil, err
	}
	journal.Event(ctx, tx, "draft_order.updated", id, named(c))
	journal.Audit(ctx, tx, journal.Entry{Action: "draft_order.update", ObjectID: id, Before: before, After: Tell(c)})
	return c, nil
}

// lock holds a draft order that can still change.
func (s *Service) lock(ctx context.Context, tx *postgres.Tx, id string, meant int) (*cart.Cart, error) {
	c, err := s.Carts.HoldDraft(ctx, tx, id)
	switch {
	case err != nil:
		return nil, err
	case c.State == cart.Completed:
		return nil, cart.IsCompleted()
	case c.State == cart.Completing:
		return nil, cart.IsCompleting()
	}
	return c, problem.Outdated(c.Version, meant)
}

// expired is the answer to who wants to sell a draft order whose time is over.
func expired() *problem.Problem {
	return problem.New(problem.Conflict, "draft_order_expired", "The draft order has expired. Give it a later expires_at first.")
}

// Ref opens a draft order that can be completed to checkout.
func (s *Service) Ref(ctx context.Context, id string) (cart.Ref, *cart.Cart, error) {
	ref := cart.Ref{ID: id, Merchant: true}
	c, err := s.Carts.ReadDraft(ctx, id)
	if err == nil && StateOf(c) == Expired {
		err = expired()
	}
	return ref, c, err
}

// Sending is how a draft order is sent.
type Sending struct {
	Mail    bool   // whether its customer is written to; the merchant may send the link otherwise
	Message string // what the merchant has to say with it
}

// Send opens a draft order to who has its link, and writes to its customer. Sent again, it
// is written once more.
func (s *Service) Send(ctx context.Context, tx *postgres.Tx, id string, how Sending, version int) (*cart.Cart, error) {
	was, err := s.lock(ctx, tx, id, version)
	if err != nil {
		return nil, err
	}
	before, now := Tell(was), clock.Now().UTC()
	if !was.ExpiresAt.After(now) {
		return nil, expired()
	}
	was.Draft.SentAt = &now
	raw, err := json.Marshal(was.Draft)
	if err != nil {
		return nil, fmt.Errorf("send draft order %s: %w", id, err)
	}
	if _, err := tx.Exec(ctx, `update carts set draft = $2::jsonb, version = version + 1, updated_at = now() where id = $1`, id, string(raw)); err != nil {
		return nil, fmt.Errorf("send draft order %s: %w", id, err)
	}
	c, err := s.Carts.ReadIn(ctx, tx, cart.Ref{ID: id, Merchant: true})
	if err != nil {
		return nil, err
	}
	if how.Mail {
		if c.Email == "" {
			return nil, problem.New(problem.Unprocessable, "details_invalid", "The draft order cannot be sent like this.").
				At("/mail", cart.EmailMissing, "It has no e-mail address. Give it one, or send its link yourself.")
		}
		journal.Job(tx, JobMail, MailArgs{ids.New("mail"), id, how.Message})
	}
	journal.Event(ctx, tx, "draft_order.sent", id, named(c))
	journal.Audit(ctx, tx, journal.Entry{Action: "draft_order.send", ObjectID: id, Before: before, After: struct {
		Told
		Mailed bool `json:"mailed"`
	}{Tell(c), how.Mail}})
	return c, nil
}

// Delete throws a draft order away that has not become an order, with what was reserved
// for it. Its link opens nothing from then on, unless it is brought back.
func (s *Service) Delete(ctx context.Context, tx *postgres.Tx, id string, version int) error {
	was, err := s.lock(ctx, tx, id, version)
	if err != nil {
		return err
	}
	kept, err := tx.Keep(ctx, id, rows...)
	if err != nil {
		return err
	}
	if err := inventory.Release(ctx, tx, id); err != nil {
		return fmt.Errorf("release draft order %s: %w", id, err)
	}
	if _, err := tx.Exec(ctx, `delete from carts where id = $1`, id); err != nil {
		return fmt.Errorf("delete draft order %s: %w", id, err)
	}
	journal.Event(ctx, tx, "draft_order.deleted", id, map[string]any{"id": id})
	journal.Audit(ctx, tx, journal.Entry{Action: "draft_order.delete", ObjectID: id, Before: Tell(was), Kept: kept})
	return nil
}

// Filter says which draft orders are wanted; empty fields ask for nothing.
type Filter struct {
	State, Email, CustomerID string
	After                    string // a position
	Limit                    int
}

const state = `case when t.state = 'completed' then 'completed' when t.state = 'open' and t.expires_at <= now() then 'expired'
	when t.draft ? 'sent_at' then 'invoice_sent' else 'open' end`

var listSQL = postgres.List{
	From: `carts t where t.draft is not null and ($3 = '' or ` + state + ` = $3) and ($4 = '' or t.email = lower($4)) and ($5 = '' or t.customer_id = $5)`,
	Each: `json_build_object('id', t.id, 'state', ` + state + `, 'customer_id', t.customer_id, 'email', nullif(t.email, ''),
		'line_count', (select count(*) from cart_lines l where l.cart_id = t.id),
		'subtotal', json_build_object('amount', (select coalesce(sum(l.quantity * l.unit_amount), 0) from cart_lines l where l.cart_id = t.id), 'currency', t.currency),
		'tags', coalesce(t.draft->'tags', '[]'), 'order_id', (select o.id from orders o where o.cart_id = t.id and o.state <> 'pending'),
		'sent_at', ` + postgres.UTC("(t.draft->>'sent_at')::timestamptz") + `, 'created_at', ` + postgres.UTC("t.created_at") + `,
		'updated_at', ` + postgres.UTC("t.updated_at") + `, 'expires_at', ` + postgres.UTC("t.expires_at") + `)`,
	Order: "t.id desc", After: "t.id < $2", Position: "t.id",
}.SQL()

// List is a page of draft orders in short, the latest first, as the API shows them.
func List(ctx context.Context, db *postgres.DB, f Filter) (postgres.Page, error) {
	page, err := db.Page(ctx, listSQL, f.Limit, f.After, f.State, f.Email, f.CustomerID)
	if err != nil {
		return page, fmt.Errorf("list draft orders: %w", err)
	}
	return page, nil
}

// fix notes what its shopper cannot change any more, or can again.
func fix(d *cart.Draft, name string, fixed bool) {
	d.Fixed = slices.DeleteFunc(d.Fixed, func(other string) bool { return other == name })
	if fixed {
		d.Fixed = append(d.Fixed, name)
	}
}
