package stripe

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v81"
	"github.com/stripe/stripe-go/v81/dispute"
	"github.com/stripe/stripe-go/v81/refund"

	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/platform/money"
)

// Books implements payments.Bookkeeper.
func (p *Provider) Books(ctx context.Context, c payments.Charge) (payments.Books, error) {
	var books payments.Books
	a, err := p.reach(ctx, c.Account)
	if err != nil {
		return books, err
	}
	intent := c.Theirs
	if strings.HasPrefix(intent, "cs_") {
		now, err := p.find(ctx, a, c)
		if err != nil {
			return books, err
		}
		intent = now.Reference
	}
	list := stripe.ListParams{Context: ctx, Limit: stripe.Int64(100)}
	if a.account != "" {
		list.SetStripeAccount(a.account)
	}
	refunds := refund.Client{B: p.backend, Key: a.key}.List(&stripe.RefundListParams{ListParams: list, PaymentIntent: &intent})
	for refunds.Next() {
		r := refunds.Refund()
		now := ofRefund(r)
		books.Refunds = append(books.Refunds, payments.Booked{Reference: r.ID, Ours: r.Metadata["stoa_refund"], Result: now.Result, Amount: told(r.Amount, r.Currency)})
	}
	if err := refunds.Err(); err != nil {
		return books, fmt.Errorf("list the refunds of %s: %w", intent, err)
	}
	disputes := dispute.Client{B: p.backend, Key: a.key}.List(&stripe.DisputeListParams{ListParams: list, PaymentIntent: &intent})
	for disputes.Next() {
		books.Disputes = append(books.Disputes, ofDispute(disputes.Dispute()))
	}
	if err := disputes.Err(); err != nil {
		return books, fmt.Errorf("list the disputes of %s: %w", intent, err)
	}
	return books, nil
}

// told is an amount that Stripe told.
func told(amount int64, currency stripe.Currency) money.Money {
	code := strings.ToUpper(string(currency))
	return money.New(ours(amount, code), code)
}

// disputeStates are ours of Stripe's. Inquiries, which take no money yet, are disputes too.
var disputeStates = map[stripe.DisputeStatus]string{
	stripe.DisputeStatusNeedsResponse: payments.DisputeNeedsResponse, stripe.DisputeStatusWarningNeedsResponse: payments.DisputeNeedsResponse,
	stripe.DisputeStatusUnderReview: payments.DisputeUnderReview, stripe.DisputeStatusWarningUnderReview: payments.DisputeUnderReview,
	stripe.DisputeStatusWon: payments.DisputeWon, stripe.DisputeStatusLost: payments.DisputeLost, stripe.DisputeStatusWarningClosed: payments.DisputeClosed,
}

func ofDispute(d *stripe.Dispute) payments.Dispute {
	out := payments.Dispute{
		Reference: d.ID, State: disputeStates[d.Status], Reason: string(d.Reason), Amount: told(d.Amount, d.Currency), CreatedAt: time.Unix(d.Created, 0).UTC(),
	}
	if out.State == "" {
		out.State = payments.DisputeUnderReview // a status that Stripe has added since
	}
	if d.EvidenceDetails != nil && d.EvidenceDetails.DueBy > 0 {
		by := time.Unix(d.EvidenceDetails.DueBy, 0).UTC()
		out.RespondBy = &by
	}
	var moved int64 // what was withdrawn, less what was given back
	for _, b := range d.BalanceTransactions {
		moved += b.Amount
	}
	out.Withdrawn = moved < 0
	return out
}
