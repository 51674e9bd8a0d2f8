// Package privacy gives a person all that a store knows of them, and erases it. Where data
// of people lies, and what becomes of it, stands in one table: see places. What the law makes
// one keep stays without them: orders, payments and ledgers in anonymous form, invoices
// sealed until their time is over.
package privacy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/secrets"
	"github.com/stoacommerce/stoa/tenants/requestlog"
)

// Service exports and erases. All must be set.
type Service struct {
	DB     *postgres.DB
	Sealer postgres.Sealer
	People *requestlog.People
	// Withdraw has all files of exports go that tell of persons, and says how many they were.
	Withdraw func(ctx context.Context, tx *postgres.Tx) (int, error)
	// Wait is how long after the answer what was under way may still come in: the rest is
	// erased again then.
	Wait time.Duration
}

// Subject says whose data is meant: a customer, or who is known by an e-mail address.
type Subject struct {
	CustomerID string
	Email      string
}

// Erased stands where an e-mail address was.
const Erased = "erased@erased.invalid"

// person is somebody, with the names that their data is found by.
type person struct {
	Customer string   `json:"customer"` // empty of who is known by e-mail only
	Email    string   `json:"email"`
	Emails   []string `json:"emails"` // and those of their orders and carts
	Orders   []string `json:"orders"`
	Carts    []string `json:"carts"`
	IDs      []string `json:"ids"` // of all that is theirs
}

// findSQL finds what belongs to the customer $1, or to whoever has the e-mail address $2.
const findSQL = `
with o as (select id, cart_id, email from orders where ($1 <> '' and customer_id = $1) or email = $2),
c as (select id, email from carts where ($1 <> '' and customer_id = $1) or email = $2 or id in (select cart_id from o)),
ids as (
	select id from o union select id from c union select cart_id from o union select $1::text
	union select id from returns where order_id in (select id from o)
	union select id from order_edits where order_id in (select id from o)
	union select id from documents where order_id in (select id from o)
	union select id from payments where order_id in (select id from o)
	union select id from refunds where order_id in (select id from o)
	union select id from fulfilments where order_id in (select id from o)
	union select id from credit_accounts where $1 <> '' and customer_id = $1
	union select id from reviews where customer_id = $1 union select id from wishlists where customer_id = $1
)
select coalesce((select array_agg(distinct id) from o), '{}'), coalesce((select array_agg(distinct id) from c), '{}'),
	coalesce((select array_agg(id) from ids where id <> ''), '{}'),
	(select array_agg(distinct e) from (select $2::text as e union select lower(email) from o union select lower(email) from c) e where e not in ('', $3))`

// find finds a person. Their row, if they have one, is locked.
func (s *Service) find(ctx context.Context, tx *postgres.Tx, of Subject) (person, error) {
	p := person{Customer: of.CustomerID, Email: address.Email(of.Email)}
	query, arg := `select id, email from customers where id = $1 for update`, p.Customer
	if p.Customer == "" {
		query, arg = `select id, email from customers where email = $1 for update`, p.Email
	}
	err := tx.QueryRow(ctx, query, arg).Scan(&p.Customer, &p.Email)
	if err != nil && (!errors.Is(err, postgres.ErrNoRows) || of.CustomerID != "") {
		if errors.Is(err, postgres.ErrNoRows) {
			return p, problem.Missing("customer")
		}
		return p, fmt.Errorf("find a person: %w", err)
	}
	if err := tx.QueryRow(ctx, findSQL, p.Customer, p.Email, Erased).Scan(&p.Orders, &p.Carts, &p.IDs, &p.Emails); err != nil {
		return p, fmt.Errorf("find what belongs to a person: %w", err)
	}
	return p, nil
}

// args are the names in the statements of places.
func (p person) args() pgx.NamedArgs {
	return pgx.NamedArgs{
		"customer": p.Customer, "emails": p.Emails, "orders": p.Orders, "carts": p.Carts, "ids": p.IDs,
		"containing": p.containing(), "erased": Erased,
	}
}

// containing are patterns of texts that tell of the person by an e-mail address.
func (p person) containing() []string {
	escape := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)
	list := []string{}
	for _, email := range p.Emails {
		list = append(list, "%"+escape.Replace(email)+"%")
	}
	return list
}

// nothing says whether the store knows nothing of somebody.
func (p person) nothing() bool { return p.Customer == "" && len(p.IDs) == 0 }

// seal hides who it is.
func (s *Service) seal(p person, store postgres.StoreRef, id string) ([]byte, error) {
	raw, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	return s.Sealer.Seal(raw, secrets.Bind(postgres.RoleName(store.Cell, store.Schema), "erasures.sealed", id))
}

func (s *Service) unseal(sealed []byte, store postgres.StoreRef, id string) (p person, err error) {
	raw, err := s.Sealer.Open(sealed, secrets.Bind(postgres.RoleName(store.Cell, store.Schema), "erasures.sealed", id))
	if err == nil {
		err = json.Unmarshal(raw, &p)
	}
	return p, err
}

// Export is all that the store knows of somebody, as a JSON object of lists by place. The
// lists show what is kept as it is kept. That it was taken out is in the audit.
func (s *Service) Export(ctx context.Context, tx *postgres.Tx, of Subject) (json.RawMessage, error) {
	p, err := s.find(ctx, tx, of)
	if err != nil {
		return nil, err
	}
	out := map[string]json.RawMessage{}
	for _, place := range places {
		if place.hidden || place.theirs == "" {
			continue
		}
		var rows json.RawMessage
		err := tx.QueryRow(ctx, `select coalesce(jsonb_agg(to_jsonb(t) - `+place.secrets()+`::text[]), '[]') from `+place.table+` t where `+place.theirs, p.args()).Scan(&rows)
		if err != nil {
			return nil, fmt.Errorf("export %s: %w", place.table, err)
		}
		out[place.table] = rows
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "customer.export", ObjectID: of.CustomerID})
	return json.Marshal(out)
}

// secrets is the array of columns that nobody is shown.
func (p place) secrets() string {
	list := slices.Concat([]string{"search"}, strings.Fields(p.unshown))
	return "'{" + strings.Join(list, ",") + "}'"
}
