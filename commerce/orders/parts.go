package orders

import (
	"cmp"
	"context"
	"slices"

	"github.com/stoacommerce/stoa/commerce/credit"
	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// payment is a payment of an order that was taken.
type payment struct {
	ID       string `json:"id"`
	Provider string `json:"provider"`
	Account  string `json:"account"`   // the provider's
	Charged  string `json:"reference"` // the provider's own name for it
	Taken    int64  `json:"taken"`     // without what was let go when the rest was captured
	Refunded int64  `json:"refunded"`
	Pending  int64  `json:"pending"` // of refunds under way
}

// left is what can still be paid back of it.
func (p payment) left() int64 { return p.Taken - p.Refunded - p.Pending }

// left is what can still be paid back of all of them.
func left(all []payment) (sum int64) {
	for _, p := range all {
		sum += p.left()
	}
	return sum
}

// part is what of a refund goes back to one payment.
type part struct {
	ID        string `json:"id"` // what the provider knows it by
	PaymentID string `json:"payment_id"`
	Provider  string `json:"provider"`
	Account   string `json:"account,omitempty"` // the provider's
	Charged   string `json:"charged,omitempty"` // the provider's own name for the payment
	Amount    int64  `json:"amount"`
	State     string `json:"state"` // pending, succeeded, failed
	Failure   string `json:"failure,omitempty"`
	Reference string `json:"reference,omitempty"` // the provider's own for it, once it is known

	To     string    `json:"to,omitempty"`     // ToStoreCredit, where it does not go back by the payment's provider
	Credit credit.ID `json:"credit,omitempty"` // the account that it is added to, for which nobody is asked
}

// ToStoreCredit is where a refund goes that becomes credit of the order's customer.
const ToStoreCredit = "store_credit"

// toStoreCredit has a refund go to what the shop owes the order's customer, instead of back to
// where the money came from.
func (r *refund) toStoreCredit(ctx context.Context, tx *postgres.Tx, o *order) error {
	if o.CustomerID == nil {
		return problem.New(problem.Unprocessable, "customer_missing", "The order's customer is not there any more.").
			At("/to", "customer_missing", "Only a customer has store credit.")
	}
	account, err := credit.OpenStoreCredit(ctx, tx, *o.CustomerID, o.Total.Currency)
	if err != nil {
		return err
	}
	for i := range r.parts {
		r.parts[i].To, r.parts[i].Credit = ToStoreCredit, account
	}
	return nil
}

// addCredit adds what of a refund goes to accounts.
func (r *refund) addCredit(ctx context.Context, tx *postgres.Tx) error {
	to := map[credit.ID]int64{}
	for _, p := range r.parts {
		if p.Credit != "" && p.State == "succeeded" {
			to[p.Credit] += p.Amount
		}
	}
	return credit.Refund(ctx, tx, r.order, r.id, to)
}

// part is a part of a refund that goes back to the payment.
func (p payment) part(id string, amount int64) part {
	back := part{ID: id, PaymentID: p.ID, Amount: amount, State: "pending", Provider: p.Provider, Account: p.Account, Charged: p.Charged}
	if p.Provider == credit.GiftCard || p.Provider == credit.StoreCredit {
		back.Credit = credit.ID(p.Charged)
	}
	return back
}

// taken are the order's payments that were taken, or the one that is named.
func (o *order) taken(paymentID string) []payment {
	return slices.DeleteFunc(slices.Clone(o.payments), func(p payment) bool { return paymentID != "" && p.ID != paymentID })
}

// share divides what is to be paid back among the order's payments, or gives it to the one that
// is named, so that it has as few parts as it can: most goes back to the payment of which most
// is left. The first part has the ID that is given.
func (o *order) share(paymentID, id string, amount int64) (parts []part) {
	from := o.taken(paymentID)
	slices.SortStableFunc(from, func(a, b payment) int { return cmp.Compare(b.left(), a.left()) })
	for _, p := range from {
		n := min(amount, p.left())
		if n <= 0 {
			break
		}
		parts = append(parts, p.part(id, n))
		amount, id = amount-n, ids.New("ref")
	}
	return parts
}

// end notes what the provider said.
func (p *part) end(outcome payments.Outcome) {
	p.Reference, p.Failure = outcome.Reference, ""
	switch outcome.Result {
	case payments.Processing:
		p.State = "pending"
	case payments.Succeeded:
		p.State = "succeeded"
	default:
		p.State, p.Failure = "failed", outcome.Failure
	}
}

// ended is a refund all of whose parts have ended. It comes to what was paid back; where that is
// less than was asked, it is of no lines, as nothing says which of them were paid for.
func (r refund) ended() refund {
	paid, state := r.setOff, "failed"
	if len(r.parts) == 0 {
		state = "succeeded" // all of it was set off
	}
	for _, p := range r.parts {
		if p.State == "succeeded" {
			paid, state = paid+p.Amount, "succeeded"
		} else {
			r.failure = p.Failure
		}
	}
	r.state = state
	if state == "succeeded" && paid < r.amount.Amount {
		r.amount.Amount, r.lines, r.fee, r.restock = paid, []LineQuantity{}, 0, false
	}
	return r
}

// partShown is a part of a refund as it is told of.
type partShown struct {
	PaymentID   string      `json:"payment_id"`
	Amount      money.Money `json:"amount"`
	To          string      `json:"to"`
	State       string      `json:"state"`
	FailureCode *string     `json:"failure_code"`
}

func (r refund) shown() []partShown {
	shown := make([]partShown, len(r.parts))
	for i, p := range r.parts {
		shown[i] = partShown{p.PaymentID, money.New(p.Amount, r.amount.Currency), cmp.Or(p.To, "payment"), p.State, code(p.Failure)}
	}
	return shown
}

// code is a code of failure, nil for none.
func code(failure string) *string {
	if failure == "" {
		return nil
	}
	return &failure
}
