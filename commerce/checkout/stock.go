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
func (Stock) Return(ctx context.Context, tx *postgres.Tx, orderID string, why orders.Cause, goods []orders.Goods) error {
	reason := map[orders.Cause]inventory.Reason{
		orders.OrderCancelled: inventory.Cancellation, orders.MoneyBack: inventory.Refund, orders.GoodsBack: inventory.Returned,
	}[why]
	lines := make([]inventory.Line, len(goods))
	for i, g := range goods {
		lines[i] = inventory.Line{VariantID: inventory.VariantID(g.VariantID), LocationID: inventory.LocationID(g.LocationID), Quantity: g.Quantity}
	}
	return inventory.Return(ctx, tx, orderID, reason, lines)
}
