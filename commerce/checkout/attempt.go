package checkout

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stoacommerce/stoa/commerce/analytics"
	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/credit"
	"github.com/stoacommerce/stoa/commerce/drafts"
	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/commerce/orders"
	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/commerce/promotions"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
)

// place reserves what is in the cart and writes a pending order and payment down.
func place(ctx context.Context, tx *postgres.Tx, c *cart.Cart, charge payments.Charge, provider, name string) (attempt, error) {
	charge.Reference, charge.Amount = ids.New("pay"), c.Due
	a := attempt{cart: c.ID, Charge: charge, provider: provider, state: pendingState, name: name}
	held, err := inventory.Claim(ctx, tx, c.ID, c.Goods())
	if err != nil {
		return a, err
	}
	order, lines, err := copies(c, held)
	if err != nil {
		return a, fmt.Errorf("copy cart %s: %w", c.ID, err)
	}
	request, err := json.Marshal(a.Request)
	if err != nil {
		return a, fmt.Errorf("place cart %s: %w", c.ID, err)
	}
	spending := c.Spending()
	spent, err := credit.Begin(spending)
	if err != nil {
		return a, err
	}
	var moved []byte
	err = tx.QueryRow(ctx, placeSQL, c.ID, order, lines, a.Reference, provider, name, a.Amount.Currency, a.Amount.Amount,
		a.Account, a.Capture, string(request), spent, tx.Discarding()).Scan(&a.order, &moved)
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.ConstraintName == "orders_number_key" {
		return a, a.busy() // an order has just drawn the number that a dry run shows
	}
	if err != nil {
		return a, fmt.Errorf("place cart %s: %w", c.ID, err)
	}
	if err := credit.Spent(ctx, tx, spending, moved); err != nil {
		return a, err
	}
	if c.Draft == nil { // what was agreed is no promotion's
		if err := promotions.Use(ctx, tx, a.order, c.Email, c.Discounts); err != nil {
			return a, err
		}
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "payment.begin", ObjectID: a.Reference, After: map[string]any{"cart_id": c.ID, "order_id": a.order, "amount": a.Amount, "credit": spending}})
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
		"tax": c.Totals.Tax.Amount, "total": c.Totals.Total.Amount, "shipping_method": nil, "discounts": listed(c.Discounts), "opener": c.Opener,
	}
	if c.Method != nil && c.RequiresShipping() {
		sent := c.Totals.Shipping
		o["shipping_method"] = object{"id": c.Method.ID, "name": c.Method.Name, "pickup_address": c.Method.Pickup, "delivery_estimate": c.Method.Estimate, "discount": sent.Discount, "tax": sent.Tax, "taxes": sent.Taxes}
	}
	list := make([]object, len(c.Lines))
	for i, l := range c.Lines {
		from := inventory.Held{Parts: []inventory.Part{}}
		if l.VariantID != "" {
			from, held = held[0], held[1:]
		}
		list[i] = object{
			"id": ids.New("orl"), "position": i, "cart_line_id": l.ID, "variant_id": l.VariantID, "product_id": l.ProductID, "title": l.Title, "variant_title": l.VariantTitle,
			"sku": l.SKU, "image_key": l.ImageKey, "quantity": l.Quantity, "unit": l.Unit.Amount, "discount": l.Discount.Amount, "total": l.Total.Amount,
			"discounts": listed(l.Discounts), "tax": l.Tax.Amount, "taxes": l.Taxes, "requires_shipping": l.RequiresShipping, "tracks_stock": from.Counted,
			"attributes": l.Attributes, "allocations": from.Parts, "price_list": l.PriceList,
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
		return attempt{cart: cartID}, attempt{cart: cartID}.busy()
	}
	return a, wrap(err, "attempt of cart "+cartID)
}

// named is the attempt of a payment.
func named(ctx context.Context, tx *postgres.Tx, payment string) (attempt, error) {
	a, err := scan(tx.QueryRow(ctx, namedSQL, payment, lease))
	return a, wrap(err, "payment "+payment)
}

// now is what an attempt has come to. One that is not there any more was lost with a server whose
// standby had not got it yet: as good as given up.
func (a attempt) now(ctx context.Context, tx *postgres.Tx) (attempt, error) {
	now, err := named(ctx, tx, a.Reference)
	if errors.Is(err, postgres.ErrNoRows) {
		a.state = failedState
		return a, nil
	}
	return now, err
}

// leftBehind are attempts that nobody brought to an end.
func leftBehind(ctx context.Context, tx *postgres.Tx, most int) (left []attempt, err error) {
	rows, err := tx.Query(ctx, leftBehindSQL, most, lease, payments.StepTime)
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
	var request []byte
	err = row.Scan(&a.Reference, &a.cart, &a.order, &a.provider, &a.state, &a.name, &a.Amount.Currency, &a.Amount.Amount, &a.stale,
		&a.Theirs, &a.Account, &a.Capture, &request)
	if err != nil {
		return a, err
	}
	return a, json.Unmarshal(request, &a.Request)
}

func wrap(err error, what string) error {
	if err != nil {
		return fmt.Errorf("read %s: %w", what, err)
	}
	return nil
}

// takeOver makes an attempt that was left behind the caller's for another while.
func takeOver(ctx context.Context, tx *postgres.Tx, a attempt) (bool, error) {
	patience := lease
	if a.state != pendingState {
		patience = payments.StepTime
	}
	tag, err := tx.Exec(ctx, takeOverSQL, a.Reference, patience)
	if err != nil {
		return false, fmt.Errorf("take over payment %s: %w", a.Reference, err)
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "payment.resume", ObjectID: a.Reference})
	return tag.RowsAffected() == 1, nil
}

// lock holds the order whose balance an attempt is to pay. Whoever changes such a payment
// holds its order first.
func (a attempt) lock(ctx context.Context, tx *postgres.Tx) error {
	if a.cart != "" {
		return nil
	}
	_, err := orders.Owed(ctx, tx, a.order)
	return unlessLost(err)
}

// unlessLost leaves out that an order is not there any more: its payments are lost with it, and
// that is seen by them.
func unlessLost(err error) error {
	if problem.Is(err, "not_found") {
		return nil
	}
	return err
}

// hold records that the shopper has a step to take, or that the provider is at work. It is
// false when nothing changes by it.
func hold(ctx context.Context, tx *postgres.Tx, a attempt, state string, outcome payments.Outcome) (bool, error) {
	if err := a.lock(ctx, tx); err != nil {
		return false, err
	}
	var held int
	if err := tx.QueryRow(ctx, holdSQL, a.Reference, state, outcome.Reference).Scan(&held); err != nil {
		return false, fmt.Errorf("hold payment %s: %w", a.Reference, err)
	}
	if held == 0 {
		return false, nil
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "payment.wait", ObjectID: a.Reference, After: map[string]any{"state": state}})
	journal.JobAt(tx, clock.Now().Add(payments.StepTime+5*time.Second), JobResume, struct{}{})
	return true, nil
}

// states are the states that a payment and its order's payment come to.
var states = map[payments.Result][2]string{
	payments.Succeeded:  {capturedState, orders.Paid},
	payments.Authorised: {authorisedState, orders.Authorised},
	payments.Due:        {dueState, orders.PaymentDue},
}

// take records that the payment is made, held or due: from here on there is an order. It
// is false when the attempt was brought to an end before.
func take(ctx context.Context, tx *postgres.Tx, a attempt, outcome payments.Outcome) (bool, error) {
	if a.cart == "" {
		taken, err := orders.Receive(ctx, tx, a.order, a.Charge, states[outcome.Result][0], outcome)
		return taken, unlessLost(err)
	}
	var cart string
	var goods, credited []byte
	var before, after map[string]any // of the customer
	var fresh, verified, draft bool
	var order orders.Summary
	customer, to := ids.New("cus"), states[outcome.Result]
	into := append(order.Fields(), &cart, &goods, &fresh, &verified, &draft, &credited, &before, &after)
	err := tx.QueryRow(ctx, fmt.Sprintf(takeSQL, orders.SummaryColumns), a.Reference, outcome.Reference, customer, to[0], to[1]).Scan(into...)
	if errors.Is(err, postgres.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("take payment %s: %w", a.Reference, err)
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
	if outcome.Result != payments.Due {
		journal.Event(ctx, tx, "payment."+to[0], a.Reference, payments.EventData{ID: a.Reference, OrderID: order.ID, State: to[0], Amount: a.Amount})
	}
	var byCredit []struct {
		ID     string
		Amount int64
	}
	if err := json.Unmarshal(credited, &byCredit); err != nil {
		return false, fmt.Errorf("read the payments of order %s: %w", order.ID, err)
	}
	for _, p := range byCredit {
		journal.Event(ctx, tx, "payment.captured", p.ID, payments.EventData{ID: p.ID, OrderID: order.ID, State: capturedState, Amount: money.New(p.Amount, order.Total.Currency)})
		if outcome.Result != payments.Succeeded {
			journal.Usage(tx, "revenue:"+order.Total.Currency, p.Amount) // the rest is counted when it comes
		}
	}
	journal.Event(ctx, tx, "order.created", order.ID, order)
	analytics.Changed(tx, order.ID)
	if draft {
		drafts.Became(ctx, tx, cart, order)
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "order.place", ObjectID: order.ID, After: order})
	switch {
	case fresh:
		after["email"] = order.Email
		journal.Audit(ctx, tx, journal.Entry{Action: "customer.create", ObjectID: customer, After: after})
	case after != nil && !reflect.DeepEqual(before, after):
		journal.Audit(ctx, tx, journal.Entry{Action: "customer.update", ObjectID: *order.CustomerID, Before: before, After: after})
	}
	journal.Usage(tx, "orders", 1)
	if outcome.Result == payments.Succeeded {
		orders.Earned(ctx, tx, order)
	}
	orders.Mail(tx, orders.MailArgs{Kind: orders.Confirmation, OrderID: order.ID})
	return true, nil
}

// fail records that nothing was charged, lets go of the goods and opens the cart again. It
// is false when the attempt was brought to an end before.
func fail(ctx context.Context, tx *postgres.Tx, a attempt, outcome payments.Outcome) (bool, error) {
	if err := a.lock(ctx, tx); err != nil {
		return false, err
	}
	failed, err := tx.Exec(ctx, failSQL, a.Reference, outcome.Reference, outcome.Failure)
	if err != nil {
		return false, fmt.Errorf("fail payment %s: %w", a.Reference, err)
	}
	if failed.RowsAffected() == 0 {
		return false, nil
	}
	if a.cart != "" {
		if err := inventory.Reopen(ctx, tx, a.cart); err != nil {
			return false, fmt.Errorf("release the goods of payment %s: %w", a.Reference, err)
		}
		if err := credit.Release(ctx, tx, a.order); err != nil {
			return false, err
		}
		if err := promotions.Release(ctx, tx, a.order); err != nil {
			return false, err
		}
	}
	journal.Event(ctx, tx, "payment.failed", a.Reference, payments.EventData{ID: a.Reference, OrderID: a.order, State: "failed", Amount: a.Amount, FailureCode: &outcome.Failure})
	journal.Audit(ctx, tx, journal.Entry{Action: "payment.fail", ObjectID: a.Reference, After: map[string]any{"failure": outcome.Failure}})
	// Who is there reads it in the answer; of what a provider said later, they know nothing.
	switch {
	case principal.From(ctx).Kind != principal.System:
	case a.cart != "":
		cart.PaymentFailed(tx, a.cart, a.Amount)
	default:
		orders.Mail(tx, orders.MailArgs{Kind: orders.FailedMail, OrderID: a.order})
	}
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
