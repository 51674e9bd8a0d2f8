package customers

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// What follows is SQL that writes the API's JSON. Customers are c.

var shownJSON = `'id', c.id, 'email', c.email, 'email_verified', c.email_verified_at is not null, 'name', nullif(c.name, ''), 'phone', nullif(c.phone, ''),
	'accepts_marketing', c.accepts_marketing, 'accepts_sms_marketing', c.accepts_sms_marketing, 'default_address', c.default_address, 'addresses', c.addresses, 'created_at', ` + postgres.UTC("c.created_at")

var shopJSON = `json_build_object(` + shownJSON + `)`

var staffJSON = `json_build_object(` + shownJSON + `, 'registered', c.password_hash is not null, 'note', nullif(c.note, ''), 'group_ids', c.group_ids, 'tags', c.tags, 'disabled', c.disabled_at is not null, 'custom_fields', c.custom_fields, 'tax_exempt_reason', nullif(c.tax_exempt_reason, ''),
	'orders_count', (select count(*) from orders o where o.customer_id = c.id and o.state <> 'pending'), 'updated_at', ` + postgres.UTC("c.updated_at") + `)`

var getSQL = `select c.version || E'\n' || ` + staffJSON + `::text from customers c where c.id = $1`

var shopGetSQL = `select c.version || E'\n' || ` + shopJSON + `::text from customers c where c.id = $1`

// listSQL gives the customers before the one with the ID $1, the latest first.
var listSQL = `
select coalesce(max(c.id) filter (where c.n = $2::int and c.more), '') || E'\n' ||
	coalesce(json_agg(` + staffJSON + ` order by c.id desc) filter (where c.n <= $2::int), '[]')
from (select *, row_number() over (order by id desc) as n, count(*) over () > $2::int as more from (
	select * from customers c where ($1 = '' or c.id < $1) and ($3 = '' or c.email = $3)
		and ($4 = '' or (c.email || ' ' || c.name || ' ' || c.phone) ilike $4) and ($5 = '' or c.tags @> array[$5::text] and c.tags <> '{}') and ($6 = '' or c.group_ids @> array[$6::text])
		and ($7 = '' or (c.password_hash is not null)::text = $7) and ($8 = '' or c.accepts_marketing::text = $8) and ($11 = '' or c.accepts_sms_marketing::text = $11)
		and ($9 = '' or c.created_at >= nullif($9, '')::timestamptz) and ($10 = '' or c.created_at < nullif($10, '')::timestamptz)
	order by id desc limit $2::int + 1) c) c`

// Filter chooses customers; what is empty chooses all.
type Filter struct {
	Email, Tag, GroupID                      string
	Text                                     string // a part of the e-mail address, the name or the telephone number
	Registered, AcceptsMarketing, AcceptsSMS string // "true" or "false"
	Since, Until                             string // RFC 3339: when they first appeared
	After                                    string // the last one of the page before
	Limit                                    int
}

// like makes a pattern that finds text anywhere, whatever is in it.
var like = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// List reads a page of customers as the staff sees them.
func (s *Service) List(ctx context.Context, f Filter) (postgres.Page, error) {
	pattern := ""
	if f.Text != "" {
		pattern = "%" + like.Replace(f.Text) + "%"
	}
	page, err := s.DB.Page(ctx, listSQL, f.After, f.Limit, address.Email(f.Email), pattern, f.Tag, f.GroupID, f.Registered, f.AcceptsMarketing, f.Since, f.Until, f.AcceptsSMS)
	if err != nil {
		return page, fmt.Errorf("list customers: %w", err)
	}
	return page, nil
}

// Get reads a customer as the staff sees one.
func (s *Service) Get(ctx context.Context, id string) (postgres.Object, error) {
	object, err := s.DB.Object(ctx, getSQL, id)
	return postgres.Found(object, err, "customer")
}

// GetIn is Get as the transaction sees it.
func (s *Service) GetIn(ctx context.Context, tx *postgres.Tx, id string) (postgres.Object, error) {
	object, err := tx.Object(ctx, getSQL, id)
	return postgres.Found(object, err, "customer")
}

// Me reads a customer as the shopper sees it.
func (s *Service) Me(ctx context.Context, id string) (postgres.Object, error) {
	object, err := s.DB.Object(ctx, shopGetSQL, id)
	return postgres.Found(object, err, "customer")
}

// MeIn is Me as the transaction sees it.
func (s *Service) MeIn(ctx context.Context, tx *postgres.Tx, id string) (postgres.Object, error) {
	object, err := tx.Object(ctx, shopGetSQL, id)
	return postgres.Found(object, err, "customer")
}

var exportSQL = `select ` + staffJSON + `::text from (select * from customers where id > $1 and ($3::timestamptz is null or created_at >= $3) and ($4::timestamptz is null or created_at < $4) order by id limit $2) c order by c.id`

// Export gives the customers after one of them in the order in which they came, so many at
// most, as the staff sees them, of those who came since an instant and until another; nil does
// not limit.
func Export(ctx context.Context, tx *postgres.Tx, after string, most int, since, until *time.Time) (pgx.Rows, error) {
	return tx.Query(ctx, exportSQL, after, most, since, until)
}
