package cart

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// Summary is a cart in short, as the staff finds it in a list.
type Summary struct {
	ID               string     `json:"id"`
	State            State      `json:"state"`
	Currency         string     `json:"currency"`
	CustomerID       *string    `json:"customer_id"`
	Email            *string    `json:"email"`
	AcceptsMarketing bool       `json:"accepts_marketing"`
	LineCount        int        `json:"line_count"`
	Subtotal         int64      `json:"subtotal"` // as the shopper was shown it
	AbandonedAt      *time.Time `json:"abandoned_at"`
	CreatedAt        time.Time  `json:"created_at"`
	UpdatedAt        time.Time  `json:"updated_at"`
	ExpiresAt        time.Time  `json:"expires_at"`
}

// Filter says which carts are wanted; empty fields ask for nothing.
type Filter struct {
	State, Email, CustomerID string
	Abandoned                bool   // only those that somebody with an address has left
	UpdatedBefore            string // RFC 3339
	After                    string // a position
	Limit                    int
}

// abandoned is a cart t that somebody whose address is known has left, whether or not
// anybody was told of it yet.
const abandoned = `t.state = 'open' and t.email <> '' and t.updated_at < now() - (select make_interval(mins => s.abandoned_cart_minutes) from settings s)
	and exists (select from cart_lines l where l.cart_id = t.id)`

var listSQL = postgres.List{
	From: `carts t where t.draft is null and t.expires_at > now() and ($3 = '' or case when t.state = 'completed' then 'completed' else 'open' end = $3) and ($4 = '' or t.email = lower($4))
		and ($5 = '' or t.customer_id = $5) and ($6 = '' or t.updated_at < nullif($6, '')::timestamptz) and (not $7::bool or ` + abandoned + `)`,
	Each: `json_build_object('id', t.id, 'state', t.state, 'currency', t.currency, 'customer_id', t.customer_id, 'email', nullif(t.email, ''),
		'accepts_marketing', exists (select from customers k where k.email = t.email and k.accepts_marketing),
		'line_count', (select count(*) from cart_lines l where l.cart_id = t.id),
		'subtotal', (select coalesce(sum(l.quantity * l.unit_amount), 0) from cart_lines l where l.cart_id = t.id),
		'abandoned_at', t.abandoned_at, 'created_at', t.created_at, 'updated_at', t.updated_at, 'expires_at', t.expires_at)`,
	Order: "t.id desc", After: "t.id < $2", Position: "t.id",
}.SQL()

// List is a page of carts, the latest first, and where the next page begins.
func (s *Service) List(ctx context.Context, f Filter) (list []Summary, next string, err error) {
	page, err := s.db.Page(ctx, listSQL, f.Limit, f.After, f.State, f.Email, f.CustomerID, f.UpdatedBefore, f.Abandoned)
	if err != nil {
		return nil, "", fmt.Errorf("list carts: %w", err)
	}
	if err := json.Unmarshal(page.Data, &list); err != nil {
		return nil, "", fmt.Errorf("list carts: %w", err)
	}
	return list, page.Next, nil
}
