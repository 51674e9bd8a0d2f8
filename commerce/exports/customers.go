package exports

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/customers"
	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/sheets"
)

// customer is what a table tells of a customer, in the API's words.
type customer struct {
	ID               string           `json:"id"`
	Email            string           `json:"email"`
	Name             string           `json:"name"`
	Phone            string           `json:"phone"`
	AcceptsMarketing bool             `json:"accepts_marketing"`
	AcceptsSMS       bool             `json:"accepts_sms_marketing"`
	DefaultAddress   *address.Address `json:"default_address"`
	OrdersCount      int              `json:"orders_count"`
	Note             string           `json:"note"`
	Tags             []string         `json:"tags"`
	TaxExemptReason  string           `json:"tax_exempt_reason"`
	CustomFields     fields.Values    `json:"custom_fields"`
}

// customerHeader has the columns of Shopify's customer CSV, and two more.
func customerHeader(b *book) []string {
	return append(strings.Split("Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Accepts SMS Marketing,Default Address Name,Default Address Company,Default Address Address1,"+
		"Default Address Address2,Default Address City,Default Address Province Code,Default Address Country Code,Default Address Zip,"+
		"Default Address Phone,Default Address Tax ID,Phone,Total Orders,Note,Tags,Tax Exempt,Tax Exempt Reason", ","), b.columns(fields.Customers)...)
}

// customers are those of the book after one of them.
func (b *book) customers(ctx context.Context, tx *postgres.Tx, after string, most int) (pgx.Rows, error) {
	return customers.Export(ctx, tx, after, most, b.Since, b.Until)
}

func writeCustomers(ctx context.Context, tx *postgres.Tx, b *book, after string, most int) (string, int, error) {
	return each(ctx, tx, after, most, b.customers, func(c customer, _ []byte) error {
		first, last := names(c.Name)
		var at address.Address
		if c.DefaultAddress != nil {
			at = *c.DefaultAddress
		}
		cells := []string{
			c.ID, first, last, c.Email, yes(c.AcceptsMarketing), yes(c.AcceptsSMS), at.Name, at.Company, at.Line1, at.Line2, at.City, at.Region, at.Country, at.PostalCode,
			at.Phone, at.TaxID, c.Phone, strconv.Itoa(c.OrdersCount), c.Note, strings.Join(c.Tags, ", "), yes(c.TaxExemptReason != ""), c.TaxExemptReason,
		}
		return b.row(safe(append(cells, b.values(fields.Customers, c.CustomFields)...)))
	})
}

func writeCustomerLines(ctx context.Context, tx *postgres.Tx, b *book, after string, most int) (string, int, error) {
	return each(ctx, tx, after, most, b.customers, func(_ customer, raw []byte) error {
		b.line(raw)
		return nil
	})
}

// named is what is exported and has an ID.
type named interface{ id() string }

func (c customer) id() string { return c.ID }

// each writes the things after one of them, so many at most, that a query gives as the API
// shows them.
func each[T named](ctx context.Context, tx *postgres.Tx, after string, most int,
	query func(ctx context.Context, tx *postgres.Tx, after string, most int) (pgx.Rows, error), write func(thing T, raw []byte) error) (last string, n int, err error) {
	rows, err := query(ctx, tx, after, most)
	if err != nil {
		return "", 0, fmt.Errorf("read what is exported: %w", err)
	}
	var raw []byte
	_, err = pgx.ForEachRow(rows, []any{&raw}, func() error {
		var thing T
		if err := json.Unmarshal(raw, &thing); err != nil {
			return err
		}
		last, n = thing.id(), n+1
		return write(thing, raw)
	})
	if err != nil {
		return "", 0, fmt.Errorf("write what is exported: %w", err)
	}
	return last, n, nil
}

// collect are the IDs that a query gives.
func collect(rows pgx.Rows) ([]string, error) { return pgx.CollectRows(rows, pgx.RowTo[string]) }

// names are a name in two parts, of which the last is one word.
func names(name string) (first, last string) {
	at := strings.LastIndexByte(name, ' ')
	if at < 0 {
		return name, ""
	}
	return name[:at], name[at+1:]
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

// safe are cells that are all taken for texts.
func safe(cells []string) []string {
	for i := range cells {
		cells[i] = sheets.Safe(cells[i])
	}
	return cells
}
