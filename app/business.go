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
	case "order.paid":
		m.CheckoutCompleted()
		m.Order(data.Total.Currency, data.Total.Amount)
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

// signedUp counts the end of a sign-up, and of one that nobody waited for nothing.
func signedUp(m *observability.BusinessMetrics, err error) {
	refused := problem.As(err)
	switch {
	case err == nil:
		m.SignUp(observability.SignUpCreated)
	case errors.Is(err, context.Canceled):
	case refused == nil || refused.Kind >= problem.Internal:
		m.SignUp(observability.SignUpFailed)
	case refused.Kind == problem.Unauthenticated:
		m.SignUp(observability.SignUpKnownEmail)
	default:
		m.SignUp(observability.SignUpRefused)
	}
}

// signedIn counts the end of a sign-in. One that is asked for its code goes on, and so
// counts when it comes with it.
func signedIn(m *observability.BusinessMetrics, err error) {
	refused := problem.As(err)
	switch {
	case err == nil:
		m.SignIn(observability.SignInSucceeded)
	case errors.Is(err, context.Canceled), problem.Is(err, "totp_required"):
	case refused == nil || refused.Kind >= problem.Internal:
		m.SignIn(observability.SignInUnavailable)
	case refused.Kind == problem.Limited:
		m.SignIn(observability.SignInLimited)
	default:
		m.SignIn(observability.SignInRefused)
	}
}
