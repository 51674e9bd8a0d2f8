package checkout

import (
	"context"
	"fmt"

	"github.com/stoacommerce/stoa/commerce/cart"
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
	return inventory.Return(ctx, tx, orderID, reason, stocked(goods))
}

// Swap implements orders.Stock.
func (Stock) Swap(ctx context.Context, tx *postgres.Tx, orderID string, back, out []orders.Goods) ([]orders.Placed, error) {
	held, err := inventory.Swap(ctx, tx, orderID, stocked(back), stocked(out))
	if err != nil {
		return nil, err
	}
	placed := make([]orders.Placed, len(held))
	for i, h := range held {
		placed[i].Counted = h.Counted
		for _, part := range h.Parts {
			placed[i].Goods = append(placed[i].Goods, orders.Goods{VariantID: out[i].VariantID, LocationID: string(part.LocationID), Quantity: part.Quantity})
		}
	}
	return placed, nil
}

func stocked(goods []orders.Goods) []inventory.Line {
	lines := make([]inventory.Line, len(goods))
	for i, g := range goods {
		lines[i] = inventory.Line{VariantID: inventory.VariantID(g.VariantID), LocationID: inventory.LocationID(g.LocationID), Quantity: g.Quantity}
	}
	return lines
}

// Offers are the prices of carts as orders see them.
type Offers struct{ Carts *cart.Service }

// Offer implements orders.Offers.
func (o Offers) Offer(ctx context.Context, tx *postgres.Tx, orderID string, added []orders.Added) ([]orders.Offer, error) {
	items := make([]cart.Item, len(added))
	for i, a := range added {
		items[i] = cart.Item{VariantID: a.VariantID, Quantity: a.Quantity, Attributes: a.Attributes, At: fmt.Sprintf("/add/%d", i)}
	}
	offered, err := o.Carts.Offer(ctx, tx, orderID, items)
	if err != nil {
		return nil, err
	}
	offers := make([]orders.Offer, len(offered))
	for i, l := range offered {
		offers[i] = orders.Offer{
			ProductID: l.ProductID, Title: l.Title, VariantTitle: l.VariantTitle, SKU: l.SKU, ImageKey: l.ImageKey, RequiresShipping: l.RequiresShipping,
			Unit: l.Unit, Priced: l.Priced, PricesIncludeTax: l.PricesIncludeTax, Taxes: l.Taxes,
		}
		if l.PriceList != nil {
			offers[i].PriceList = l.PriceList
		}
	}
	return offers, nil
}
