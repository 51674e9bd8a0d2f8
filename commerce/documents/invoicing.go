package documents

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Seller is who sells: what a lawful invoice says of whoever writes it.
type Seller struct {
	Address      *address.Address `json:"address"` // its name is the legal one
	TaxID        string           `json:"tax_id"`  // the VAT number, where there is one
	Registration string           `json:"registration"`
	Email        string           `json:"email"`
	Website      string           `json:"website"`
}

// Invoicing is how a store writes invoices.
type Invoicing struct {
	Seller            Seller `json:"seller"`
	InvoiceNumbers    Format `json:"invoice_number_format"`
	CreditNoteNumbers Format `json:"credit_note_number_format"`
	Footer            string `json:"footer"`
}

// InvoicingPatch changes it; what is nil stays.
type InvoicingPatch struct {
	Address                                   **address.Address
	TaxID, Registration, Email, Website       *string
	InvoiceNumbers, CreditNoteNumbers, Footer *string
}

// whole is the invoicing with what is not set.
func (i Invoicing) whole() Invoicing {
	if i.InvoiceNumbers == "" {
		i.InvoiceNumbers = "INV-{number}"
	}
	if i.CreditNoteNumbers == "" {
		i.CreditNoteNumbers = "CN-{number}"
	}
	return i
}

func (i Invoicing) format(kind Kind) Format {
	if kind == CreditNote {
		return i.CreditNoteNumbers
	}
	return i.InvoiceNumbers
}

// check tidies the invoicing and says what is wrong with it.
func (i *Invoicing) check() error {
	wrong := problem.New(problem.Unprocessable, "invalid_settings", "The settings cannot be kept as they are.")
	if i.Seller.Address != nil {
		tidy := i.Seller.Address.Trim()
		i.Seller.Address = &tidy
		tidy.Check(wrong, "/seller/address")
	}
	for _, text := range []struct {
		at    string
		value *string
		most  int
	}{
		{"/seller/tax_id", &i.Seller.TaxID, 32}, {"/seller/registration", &i.Seller.Registration, 255},
		{"/seller/email", &i.Seller.Email, 254}, {"/seller/website", &i.Seller.Website, 255}, {"/footer", &i.Footer, 500},
	} {
		*text.value = strings.TrimSpace(*text.value)
		switch {
		case utf8.RuneCountInString(*text.value) > text.most:
			wrong.At(text.at, "maxLength", "It has at most %d characters.", text.most)
		case strings.ContainsFunc(*text.value, func(r rune) bool { return unicode.IsControl(r) && (r != '\n' || text.at != "/footer") }):
			wrong.At(text.at, "characters", "It holds characters that are not text.")
		}
	}
	i.InvoiceNumbers.check(wrong, "/invoice_number_format")
	i.CreditNoteNumbers.check(wrong, "/credit_note_number_format")
	return wrong.OrNil()
}

func (p InvoicingPatch) apply(i Invoicing) Invoicing {
	if p.Address != nil {
		i.Seller.Address = *p.Address
	}
	for _, text := range []struct{ field, value *string }{
		{&i.Seller.TaxID, p.TaxID}, {&i.Seller.Registration, p.Registration}, {&i.Seller.Email, p.Email}, {&i.Seller.Website, p.Website},
		{(*string)(&i.InvoiceNumbers), p.InvoiceNumbers}, {(*string)(&i.CreditNoteNumbers), p.CreditNoteNumbers}, {&i.Footer, p.Footer},
	} {
		if text.value != nil {
			*text.field = *text.value
		}
	}
	return i.whole()
}

const invoicingSQL = `select invoicing, version, updated_at from settings where id = 1`

// GetInvoicing is how the store writes invoices, with the version of its settings.
func GetInvoicing(ctx context.Context, tx *postgres.Tx) (Invoicing, int, time.Time, error) {
	return invoicing(ctx, tx, invoicingSQL)
}

func invoicing(ctx context.Context, tx *postgres.Tx, query string) (i Invoicing, version int, updated time.Time, err error) {
	var raw []byte
	if err = tx.QueryRow(ctx, query).Scan(&raw, &version, &updated); err == nil {
		err = json.Unmarshal(raw, &i)
	}
	if err != nil {
		return i, 0, updated, fmt.Errorf("read how invoices are written: %w", err)
	}
	return i.whole(), version, updated, nil
}

// clashSQL finds a document whose number a series would come to: $2 is what the series'
// numbers look like.
const clashSQL = `
select d.number from documents d
	cross join lateral regexp_match(d.number, $2) m
where d.kind = $1 and m is not null
	and m[2]::bigint > coalesce((select max(s.sequence) from documents s where s.kind = d.kind and s.year = coalesce(nullif(m[1], '')::int, 0)), 0) limit 1`

// UpdateInvoicing changes how invoices are written when the settings have the version meant;
// zero is any. What is issued already stays as it is.
func UpdateInvoicing(ctx context.Context, tx *postgres.Tx, meant int, patch InvoicingPatch) error {
	before, version, _, err := invoicing(ctx, tx, invoicingSQL+` for no key update`)
	if err != nil {
		return err
	}
	if err := problem.Outdated(version, meant); err != nil {
		return err
	}
	after := patch.apply(before)
	if err := after.check(); err != nil {
		return err
	}
	if reflect.DeepEqual(before, after) {
		return nil
	}
	for kind, at := range map[Kind]string{Invoice: "/invoice_number_format", CreditNote: "/credit_note_number_format"} {
		if before.format(kind) == after.format(kind) {
			continue
		}
		var taken string
		err := tx.QueryRow(ctx, clashSQL, string(kind), after.format(kind).expression()).Scan(&taken)
		if err == nil {
			return problem.New(problem.Unprocessable, "number_taken", "Numbers of this form would come to one that is given already.").
				At(at, "number_taken", "%s is given already.", taken)
		}
		if !errors.Is(err, postgres.ErrNoRows) {
			return fmt.Errorf("look for numbers given: %w", err)
		}
	}
	raw, err := json.Marshal(after)
	if err != nil {
		return fmt.Errorf("keep how invoices are written: %w", err)
	}
	if _, err := tx.Exec(ctx, `update settings set invoicing = $1, version = version + 1, updated_at = now() where id = 1`, string(raw)); err != nil {
		return fmt.Errorf("keep how invoices are written: %w", err)
	}
	journal.SettingsUpdated(ctx, tx, "invoicing")
	journal.Audit(ctx, tx, journal.Entry{Action: "invoicing.update", ObjectID: tx.Store.ID, Before: before, After: after})
	return nil
}
