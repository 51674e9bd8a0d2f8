package app

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/observability"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/stores"
	"github.com/stoacommerce/stoa/webhooks"
)

// counted counts what stores do, by the events and the audit of their committed
// transactions: so a figure grows exactly when the thing happened, whichever door it came
// in by. What a sandbox does is no business.
func counted(m *observability.Metrics) func(*postgres.Tx) {
	pages := m.Cache.Cache("pages")
	return func(tx *postgres.Tx) {
		if stores.Touched(tx) {
			pages.Invalidated()
		}
		live := tx.Store.Mode == principal.Live
		for _, action := range journal.Actions(tx) {
			switch {
			case action == webhooks.ActionDisable:
				m.Webhooks.EndpointDisabled()
			case action == cart.ActionBegin && live:
				m.Business.CheckoutStarted()
			}
		}
		if !live {
			return
		}
		for _, event := range journal.Events(tx) {
			countEvent(m.Business, event)
		}
	}
}

func countEvent(m *observability.BusinessMetrics, event journal.Recorded) {
	var data struct {
		Total       money.Money `json:"total"`
		Amount      money.Money `json:"amount"`
		FailureCode string      `json:"failure_code"`
	}
	// Events are made here; one whose data has none of these counts as nothing.
	_ = json.Unmarshal(event.Data, &data)
	switch event.Type {
	case "order.created":
		m.CheckoutCompleted()
		m.Order(data.Total.Currency, data.Total.Amount)
	case "payment.captured":
		m.Payment(observability.PaymentApproved)
	case "payment.failed":
		if data.FailureCode == payments.Unavailable {
			m.Payment(observability.PaymentFailed)
		} else {
			m.Payment(observability.PaymentDeclined)
		}
	case "refund.succeeded":
		m.Refund(data.Amount.Currency, data.Amount.Amount)
	}
}

// ends are the outcomes of what people try, by how it ended.
type ends[T any] struct {
	done, refused, failed T
	but                   map[problem.Kind]T // refusals with an outcome of their own
}

var (
	signUpEnds = ends[observability.SignUpOutcome]{
		observability.SignUpCreated, observability.SignUpRefused, observability.SignUpFailed,
		map[problem.Kind]observability.SignUpOutcome{problem.Unauthenticated: observability.SignUpKnownEmail},
	}
	signInEnds = ends[observability.SignInOutcome]{
		observability.SignInSucceeded, observability.SignInRefused, observability.SignInUnavailable,
		map[problem.Kind]observability.SignInOutcome{problem.Limited: observability.SignInLimited},
	}
)

// counted counts each end. One that nobody waited for is none, and neither is a sign-in that
// is asked for its code: it goes on, and counts when it comes with it.
func (e ends[T]) counted(count func(T)) func(error) {
	return func(err error) {
		refused := problem.As(err)
		switch {
		case err == nil:
			count(e.done)
		case errors.Is(err, context.Canceled), problem.Is(err, "totp_required"):
		case refused == nil || refused.Kind >= problem.Internal:
			count(e.failed)
		default:
			outcome, own := e.but[refused.Kind]
			if !own {
				outcome = e.refused
			}
			count(outcome)
		}
	}
}
