package checkout

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/commerce/orders"
	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/commerce/promotions"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// place reserves what is in the cart and writes a pending order and payment down.
func place(ctx context.Context, tx *postgres.Tx, c *cart.Cart, provider, name string) (attempt, error) {
	a := attempt{payment: ids.New("pay"), provider: provider, state: "pending", name: name, amount: c.Totals.Total}
	wanted := make([]inventory.Line, len(c.Lines))
	for i, line := range c.Lines {
		wanted[i] = inventory.Line{VariantID: inventory.VariantID(line.VariantID), Quantity: line.Quantity}
	}
	held, err := inventory.Claim(ctx, tx, c.ID, wanted)
	if err != nil {
		return a, err
	}
	order, lines, err := copies(c, held)
	if err != nil {
		return a, fmt.Errorf("copy cart %s: %w", c.ID, err)
	}
	err = tx.QueryRow(ctx, placeSQL, c.ID, order, lines, a.payment, provider, name, a.amount.Currency, a.amount.Amount).Scan(&a.order)
	if err != nil {
		return a, fmt.Errorf("place cart %s: %w", c.ID, err)
	}
	if err := promotions.Use(ctx, tx, a.order, c.Email, c.Discounts); err != nil {
		return a, err
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "payment.begin", ObjectID: a.payment, After: map[string]any{"cart_id": c.ID, "order_id": a.order, "amount": a.amount}})
	journal.JobAt(tx, clock.Now().Add(lease+5*time.Second), JobResume, struct{}{})
	return a, nil
}

// copies are the cart's order and lines as placeSQL takes them.
func copies(c *cart.Cart, held []inventory.Held) (order, lines string, err error) {
	type object map[string]any
	o := object{
		"id": ids.New("ord"), "prices_include_tax": c.PricesIncludeTax, "taxes": c.Totals.Taxes,
		"tax_exempt_reason": c.TaxExemptReason,
		"subtotal":          c.Totals.Subtotal.Amount, "discount": c.Totals.Discount.Amount, "shipping": c.Totals.Shipping.Subtotal.Amount,
		"tax": c.Totals.Tax.Amount, "total": c.Totals.Total.Amount, "shipping_method": nil, "discounts": listed(c.Discounts),
	}
	if c.Method != nil && c.RequiresShipping() {
		sent := c.Totals.Shipping
		o["shipping_method"] = object{"id": c.Method.ID, "name": c.Method.Name, "discount": sent.Discount, "tax": sent.Tax, "taxes": sent.Taxes}
	}
	list := make([]object, len(c.Lines))
	for i, l := range c.Lines {
		list[i] = object{
			"id": ids.New("orl"), "position": i, "variant_id": l.VariantID, "product_id": l.ProductID, "title": l.Title, "variant_title": l.VariantTitle,
			"sku": l.SKU, "image_key": l.ImageKey, "quantity": l.Quantity, "unit": l.Unit.Amount, "discount": l.Discount.Amount, "total": l.Total.Amount,
			"discounts": listed(l.Discounts), "tax": l.Tax.Amount, "taxes": l.Taxes, "requires_shipping": l.RequiresShipping, "tracks_stock": held[i].Counted,
			"allocations": held[i].Parts,
		}
	}
	rawOrder, err := json.Marshal(o)
	if err != nil {
		return "", "", err
	}
	rawLines, err := json.Marshal(list)
	return string(rawOrder), string(rawLines), err
}

// listed is a list that is written as one though it is empty.
func listed(discounts []promotions.Applied) []promotions.Applied {
	return append([]promotions.Applied{}, discounts...)
}

// present is the attempt that a cart is completing or completed by.
func present(ctx context.Context, tx *postgres.Tx, cartID string) (attempt, error) {
	a, err := scan(tx.QueryRow(ctx, presentSQL, cartID, lease))
	if errors.Is(err, postgres.ErrNoRows) {
		// It failed a moment ago; the cart is open again.
		return a, busy()
	}
	return a, wrap(err, "attempt of cart "+cartID)
}

// named is the attempt of a payment.
func named(ctx context.Context, tx *postgres.Tx, payment string) (attempt, error) {
	a, err := scan(tx.QueryRow(ctx, namedSQL, payment, lease))
	return a, wrap(err, "payment "+payment)
}

// leftBehind are attempts that nobody brought to an end.
func leftBehind(ctx context.Context, tx *postgres.Tx, most int) (left []attempt, err error) {
	rows, err := tx.Query(ctx, leftBehindSQL, most, lease)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		a, err := scan(rows)
		if err != nil {
			return nil, err
		}
		left = append(left, a)
	}
	return left, rows.Err()
}

func scan(row interface{ Scan(...any) error }) (a attempt, err error) {
	var amount money.Money
	err = row.Scan(&a.payment, &a.order, &a.provider, &a.state, &a.name, &amount.Currency, &amount.Amount, &a.stale)
	a.amount = amount
	return a, err
}

func wrap(err error, what string) error {
	if err != nil {
		return fmt.Errorf("read %s: %w", what, err)
	}
	return nil
}

// takeOver makes an attempt that was left behind the caller's for another while.
func takeOver(ctx context.Context, tx *postgres.Tx, payment string) (bool, error) {
	tag, err := tx.Exec(ctx, takeOverSQL, payment, lease)
	if err != nil {
		return false, fmt.Errorf("take over payment %s: %w", payment, err)
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "payment.resume", ObjectID: payment})
	return tag.RowsAffected() == 1, nil
}

// capture records that the money was taken: from here on there is an order. It is false
// when the attempt was brought to an end before.
func capture(ctx context.Context, tx *postgres.Tx, a attempt, outcome payments.Outcome) (bool, error) {
	var cart string
	var goods []byte
	var fresh, verified bool
	var order orders.Summary
	customer := ids.New("cus")
	into := append(order.Fields(), &cart, &goods, &fresh, &verified)
	err := tx.QueryRow(ctx, fmt.Sprintf(captureSQL, orders.SummaryColumns), a.payment, outcome.Reference, customer).Scan(into...)
	if errors.Is(err, postgres.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("capture payment %s: %w", a.payment, err)
	}
	lines, err := parseGoods(goods)
	if err != nil {
		return false, err
	}
	if err := inventory.Settle(ctx, tx, cart, order.ID, lines); err != nil {
		return false, fmt.Errorf("sell the goods of order %s: %w", order.ID, err)
	}
	if fresh {
		journal.Event(ctx, tx, "customer.created", customer, map[string]any{"id": customer, "email": order.Email, "email_verified": false})
	}
	journal.Event(ctx, tx, "payment.captured", a.payment, payments.EventData{ID: a.payment, OrderID: order.ID, State: "captured", Amount: a.amount})
	journal.Event(ctx, tx, "order.created", order.ID, order)
	journal.Event(ctx, tx, "order.paid", order.ID, order)
	journal.Audit(ctx, tx, journal.Entry{Action: "order.place", ObjectID: order.ID, After: order})
	journal.Usage(tx, "orders", 1)
	journal.Usage(tx, "revenue:"+order.Total.Currency, order.Total.Amount)
	orders.Mail(tx, orders.MailArgs{Kind: orders.Confirmation, OrderID: order.ID})
	return true, nil
}

// fail records that nothing was charged, lets go of the goods and opens the cart again. It
// is false when the attempt was brought to an end before.
func fail(ctx context.Context, tx *postgres.Tx, a attempt, outcome payments.Outcome) (bool, error) {
	var cart string
	err := tx.QueryRow(ctx, failSQL, a.payment, outcome.Reference, outcome.Failure).Scan(&cart)
	if errors.Is(err, postgres.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("fail payment %s: %w", a.payment, err)
	}
	if err := inventory.Reopen(ctx, tx, cart); err != nil {
		return false, fmt.Errorf("release the goods of payment %s: %w", a.payment, err)
	}
	if err := promotions.Release(ctx, tx, a.order); err != nil {
		return false, err
	}
	journal.Event(ctx, tx, "payment.failed", a.payment, payments.EventData{ID: a.payment, OrderID: a.order, State: "failed", Amount: a.amount, FailureCode: &outcome.Failure})
	journal.Audit(ctx, tx, journal.Entry{Action: "payment.fail", ObjectID: a.payment, After: map[string]any{"failure": outcome.Failure}})
	return true, nil
}

func parseGoods(raw []byte) ([]inventory.Line, error) {
	var list []struct {
		VariantID  inventory.VariantID  `json:"variant_id"`
		LocationID inventory.LocationID `json:"location_id"`
		Quantity   int64                `json:"quantity"`
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("read an order's goods: %w", err)
	}
	lines := make([]inventory.Line, len(list))
	for i, l := range list {
		lines[i] = inventory.Line(l)
	}
	return lines, nil
}
