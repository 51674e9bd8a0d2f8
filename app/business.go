package app

import (
	"encoding/json"

	"github.com/stoacommerce/stoa/observability"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
)

// countBusiness counts what live stores do, by the events that their committed
// transactions tell of. So a figure grows exactly when the thing happened.
func countBusiness(m *observability.BusinessMetrics) func(*postgres.Tx) {
	return func(tx *postgres.Tx) {
		if tx.Store.Mode != principal.Live {
			return
		}
		for _, event := range journal.Events(tx) {
			count(m, event)
		}
	}
}

func count(m *observability.BusinessMetrics, event journal.Recorded) {
	var data struct {
		Total  money.Money `json:"total"`
		Amount money.Money `json:"amount"`
	}
	// Events are made here; one whose data has neither counts as nothing.
	_ = json.Unmarshal(event.Data, &data)
	switch event.Type {
	case "order.paid":
		m.CheckoutCompleted()
		m.Order(data.Total.Currency, data.Total.Amount)
		m.Payment(observability.PaymentApproved)
	case "payment.failed":
		m.Payment(observability.PaymentDeclined)
	case "refund.succeeded":
		m.Refund(data.Amount.Currency, data.Amount.Amount)
	}
}
