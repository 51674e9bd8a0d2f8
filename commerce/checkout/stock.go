package checkout

import (
	"context"

	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/commerce/orders"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Stock is the inventory as orders see it.
type Stock struct{}

// Return implements orders.Stock.
func (Stock) Return(ctx context.Context, tx *postgres.Tx, orderID string, cancelled bool, goods []orders.Goods) error {
	reason := inventory.Refund
	if cancelled {
		reason = inventory.Cancellation
	}
	lines := make([]inventory.Line, len(goods))
	for i, g := range goods {
		lines[i] = inventory.Line{VariantID: inventory.VariantID(g.VariantID), Quantity: g.Quantity}
	}
	return inventory.Return(ctx, tx, orderID, reason, lines)
}
