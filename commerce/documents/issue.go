package documents

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// JobIssue is the kind of the job that issues what an order has come to; its arguments are
// IssueArgs.
const JobIssue = "documents_issue"

// IssueArgs say for which order documents are to be issued, and after which refund or edit, if
// any.
type IssueArgs struct {
	OrderID  string `json:"order_id"`
	RefundID string `json:"refund_id,omitempty"`
	EditID   string `json:"edit_id,omitempty"`
}

// Later has documents issued once the transaction is committed.
func Later(tx *postgres.Tx, args IssueArgs) { journal.Job(tx, JobIssue, args) }

// Issue issues the invoice of an order and, after a refund or an edit, its credit note or further
// invoice. A store that has
// not said who sells has none issued.
func (s *Service) Issue(ctx context.Context, args IssueArgs) error {
	return s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		var err error
		switch {
		case args.RefundID != "":
			_, err = s.IssueCreditNote(ctx, tx, args.RefundID)
		case args.EditID != "":
			_, err = s.IssueEdit(ctx, tx, args.EditID)
		default:
			_, err = s.IssueInvoice(ctx, tx, args.OrderID)
		}
		if problem.Is(err, "seller_missing") || problem.Is(err, "not_found") {
			return nil
		}
		return err
	})
}

// Issued is a document in short, as events and the audit tell of it.
type Issued struct {
	ID          string  `json:"id"`
	Kind        Kind    `json:"kind"`
	Number      string  `json:"number"`
	OrderID     string  `json:"order_id"`
	RefundID    *string `json:"refund_id"`
	EditID      *string `json:"edit_id"`
	AlreadyThen bool    `json:"-"` // it was issued before
}

const issuedSQL = `select id, kind, number, order_id, refund_id, edit_id from documents `

func issued(ctx context.Context, tx *postgres.Tx, where string, args ...any) (d Issued, err error) {
	err = tx.QueryRow(ctx, issuedSQL+where, args...).Scan(&d.ID, &d.Kind, &d.Number, &d.OrderID, &d.RefundID, &d.EditID)
	d.AlreadyThen = true
	return d, err
}

// IssueInvoice issues an order's invoice, or gives the one that there is.
func (s *Service) IssueInvoice(ctx context.Context, tx *postgres.Tx, orderID string) (Issued, error) {
	if err := hold(ctx, tx, orderID); err != nil {
		return Issued{}, err
	}
	return invoiceOf(ctx, tx, orderID)
}

// hold locks an order, so that each of its documents is issued once.
func hold(ctx context.Context, tx *postgres.Tx, orderID string) error {
	var found string
	err := tx.QueryRow(ctx, `select id from orders where id = $1 and state <> 'pending' for no key update`, orderID).Scan(&found)
	if errors.Is(err, postgres.ErrNoRows) {
		return problem.Missing("order")
	}
	if err != nil {
		return fmt.Errorf("lock order %s: %w", orderID, err)
	}
	return nil
}

func invoiceOf(ctx context.Context, tx *postgres.Tx, orderID string) (Issued, error) {
	known, err := issued(ctx, tx, `where order_id = $1 and kind = 'invoice' and edit_id is null`, orderID)
	if err == nil || !errors.Is(err, postgres.ErrNoRows) {
		return known, err
	}
	o, err := read(ctx, tx, orderID)
	if err != nil {
		return Issued{}, err
	}
	return write(ctx, tx, o, Issued{OrderID: orderID}, o.invoice())
}

const refundSQL = `select order_id from refunds where id = $1 and state = 'succeeded'`

// IssueCreditNote issues the credit note of a refund that was paid, or gives the one that
// there is. An order without an invoice is given it first, for there is nothing to correct
// otherwise.
func (s *Service) IssueCreditNote(ctx context.Context, tx *postgres.Tx, refundID string) (Issued, error) {
	var orderID string
	err := tx.QueryRow(ctx, refundSQL, refundID).Scan(&orderID)
	if errors.Is(err, postgres.ErrNoRows) {
		return Issued{}, problem.Missing("refund that was paid")
	}
	if err != nil {
		return Issued{}, fmt.Errorf("read refund %s: %w", refundID, err)
	}
	if err := hold(ctx, tx, orderID); err != nil {
		return Issued{}, err
	}
	known, err := issued(ctx, tx, `where refund_id = $1`, refundID)
	if err == nil || !errors.Is(err, postgres.ErrNoRows) {
		return known, err
	}
	if _, err := invoiceOf(ctx, tx, orderID); err != nil {
		return Issued{}, err
	}
	o, err := read(ctx, tx, orderID)
	if err != nil {
		return Issued{}, err
	}
	r, err := readRefund(ctx, tx, refundID)
	if err != nil {
		return Issued{}, err
	}
	content, err := o.creditNote(r)
	if err != nil {
		return Issued{}, fmt.Errorf("credit note of refund %s: %w", refundID, err)
	}
	return write(ctx, tx, o, Issued{OrderID: orderID, RefundID: &refundID}, content)
}

// Who numbers a document of a series has it for themselves until the transaction ends, so that
// no number is left out.
const (
	seriesSQL = `select pg_advisory_xact_lock(hashtextextended(current_schema() || $1::text || $2::int, 75))`
	nextSQL   = `select coalesce(max(sequence), 0) + 1 from documents where kind = $1 and year = $2`
)

const insertSQL = `
insert into documents (id, kind, order_id, refund_id, year, sequence, number, currency, tax_amount, total_amount, content, issued_at, edit_id)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`

// write numbers a document, of which it is said what it is of, and writes it down.
func write(ctx context.Context, tx *postgres.Tx, o *order, d Issued, c Content) (Issued, error) {
	if o.Invoicing.Seller.Address == nil {
		return Issued{}, problem.New(problem.Conflict, "seller_missing", "The store has not said yet who sells: set the seller's address first.")
	}
	c.IssuedAt = clock.Now().UTC()
	format, year := o.Invoicing.format(c.Kind), 0
	if format.Yearly() {
		year = c.IssuedAt.Year()
	}
	if _, err := tx.Exec(ctx, seriesSQL, string(c.Kind), year); err != nil {
		return Issued{}, fmt.Errorf("number a document: %w", err)
	}
	var sequence int64
	if err := tx.QueryRow(ctx, nextSQL, string(c.Kind), year).Scan(&sequence); err != nil {
		return Issued{}, fmt.Errorf("number a document: %w", err)
	}
	c.Number = format.Write(c.IssuedAt.Year(), sequence)
	raw, err := json.Marshal(c)
	if err != nil {
		return Issued{}, fmt.Errorf("write %s %s: %w", c.Kind, c.Number, err)
	}
	d.ID, d.Kind, d.Number = ids.New("doc"), c.Kind, c.Number
	_, err = tx.Exec(ctx, insertSQL, d.ID, string(d.Kind), d.OrderID, d.RefundID, year, sequence, c.Number, c.Total.Currency, c.Tax.Amount, c.Total.Amount, string(raw), c.IssuedAt, d.EditID)
	if err != nil {
		return Issued{}, fmt.Errorf("write %s %s: %w", c.Kind, c.Number, err)
	}
	journal.Event(ctx, tx, string(c.Kind)+".issued", d.ID, d)
	journal.Audit(ctx, tx, journal.Entry{Action: string(c.Kind) + ".issue", ObjectID: d.ID, After: d})
	return d, nil
}
