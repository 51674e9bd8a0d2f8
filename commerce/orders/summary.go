package orders

import (
	"context"

	"github.com/stoacommerce/stoa/commerce/documents"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// The states of an order. A pending one is an attempt to complete a cart: it has no
// payment yet, and nobody but checkout sees it.
const (
	Open      = "open"
	Completed = "completed" // paid, and sent in full
	Cancelled = "cancelled"
)

// The states of an order's payment.
const (
	PaymentDue        = "pending"        // the shopper owes it
	Authorised        = "authorised"     // held for us, to be captured
	PartiallyPaid     = "partially_paid" // something was taken, and something is still owed
	Paid              = "paid"
	Voided            = "voided" // nothing was taken, and nothing will be
	PartiallyRefunded = "partially_refunded"
	Refunded          = "refunded"
)

// The states of an order's goods.
const (
	Unfulfilled        = "unfulfilled"
	PartiallyFulfilled = "partially_fulfilled"
	Fulfilled          = "fulfilled"
)

// Summary is an order in short, as events and the audit tell of it.
type Summary struct {
	ID              string      `json:"id"`
	Number          int64       `json:"number"`
	State           string      `json:"state"`
	PaymentState    string      `json:"payment_state"`
	FulfilmentState string      `json:"fulfilment_state"`
	Email           string      `json:"email"`
	CustomerID      *string     `json:"customer_id"`
	Total           money.Money `json:"total"`
	Refunded        money.Money `json:"refunded"`
}

// SummaryColumns is SQL for the columns of an order o that a Summary is read from.
const SummaryColumns = `o.id, o.number, o.state, o.payment_state, o.fulfilment_state, o.email, o.customer_id,
	o.currency, o.total_amount, o.currency, o.refunded_amount`

// Fields are where SummaryColumns are scanned into.
func (s *Summary) Fields() []any {
	return []any{&s.ID, &s.Number, &s.State, &s.PaymentState, &s.FulfilmentState, &s.Email, &s.CustomerID,
		&s.Total.Currency, &s.Total.Amount, &s.Refunded.Currency, &s.Refunded.Amount}
}

// told is what the audit tells of an order that was changed.
func (s Summary) told() any { return map[string]Summary{"order": s} }

// Earned tells that an order is paid, and has its invoice issued.
func Earned(ctx context.Context, tx *postgres.Tx, o Summary) {
	journal.Event(ctx, tx, "order.paid", o.ID, o)
	journal.Usage(tx, "revenue:"+o.Total.Currency, o.Total.Amount)
	documents.Later(tx, documents.IssueArgs{OrderID: o.ID})
}
