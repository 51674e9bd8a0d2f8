package orders

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/token"
)

// maxReturns bounds how many returns an order has.
const maxReturns = 50

// Finding is what was found of a return's line.
type Finding struct {
	LineID    string
	Accepted  int64  // how many are taken back; the rest goes back to the shopper
	Condition string // what they are like; empty where none is accepted
	Location  string // where they go on sale again; empty for nowhere
	Restocked *int64 // how many of them do; all that are accepted, when nil
}

// InspectReturn notes what was found of a return that was received: of every line, how many
// are accepted, and where they go. Goods that go on sale again are in stock from then on.
func (s *Service) InspectReturn(ctx context.Context, tx *postgres.Tx, id string, findings []Finding) error {
	o, b, err := lockReturn(ctx, tx, id)
	if err != nil {
		return err
	}
	if err := b.in(ReturnReceived); err != nil {
		return err
	}
	if err := b.find(ctx, tx, findings); err != nil {
		return err
	}
	var goods []Goods
	for _, l := range b.lines {
		if sold := o.line(l.LineID); sold.counted && *l.Restocked > 0 {
			goods = append(goods, Goods{sold.variant, *l.Location, *l.Restocked})
		}
	}
	if err := s.Stock.Return(ctx, tx, o.ID, GoodsBack, goods); err != nil {
		return fmt.Errorf("restock return %s: %w", b.id, err)
	}
	return b.become(ctx, tx, ReturnInspected, "")
}

// find writes what was found to the return's lines. Every line is inspected, once.
func (b *goodsBack) find(ctx context.Context, tx *postgres.Tx, findings []Finding) error {
	places, err := knownLocations(ctx, tx, findings)
	if err != nil {
		return err
	}
	unknown := problem.New(problem.Unprocessable, "unknown_reference", "The inspection names what there is not.")
	wrong := problem.New(problem.Unprocessable, "details_invalid", "The return cannot be inspected so.")
	exceeded := problem.New(problem.Unprocessable, "quantity_exceeded", "Fewer came back.")
	for i, f := range findings {
		at := fmt.Sprintf("/lines/%d", i)
		l := b.line(f.LineID)
		if l == nil {
			unknown.At(at+"/line_id", "unknown_reference", "The return has no such line.")
			continue
		}
		if l.Accepted != nil {
			wrong.At(at+"/line_id", "repeated", "Each line is inspected once.")
			continue
		}
		restocked := int64(0)
		switch {
		case f.Restocked != nil:
			restocked = *f.Restocked
		case f.Location != "":
			restocked = f.Accepted
		}
		if f.Accepted > l.Quantity {
			exceeded.At(at+"/accepted_quantity", "quantity_exceeded", "There were %d.", l.Quantity)
		}
		if restocked > f.Accepted {
			exceeded.At(at+"/restocked_quantity", "quantity_exceeded", "%d are accepted.", f.Accepted)
		}
		if f.Accepted > 0 && f.Condition == "" {
			wrong.At(at+"/condition", "required", "It is needed for what is accepted.")
		}
		if restocked > 0 && f.Location == "" {
			wrong.At(at+"/restock_location_id", "required", "It is needed for what goes on sale again.")
		}
		if f.Location != "" && !places[f.Location] {
			unknown.At(at+"/restock_location_id", "unknown_reference", "There is no such location.")
		}
		l.Accepted, l.Restocked = &f.Accepted, &restocked
		if f.Condition != "" {
			l.Condition = &f.Condition
		}
		if restocked > 0 {
			l.Location = &f.Location
		}
	}
	for _, l := range b.lines {
		if l.Accepted == nil {
			wrong.At("/lines", "required", "Line %s is missing.", l.LineID)
		}
	}
	if err := errors.Join(unknown.OrNil(), exceeded.OrNil(), wrong.OrNil()); err != nil {
		return problem.As(err)
	}
	return nil
}

func (b *goodsBack) line(id string) *ReturnLine {
	for i := range b.lines {
		if b.lines[i].LineID == id {
			return &b.lines[i]
		}
	}
	return nil
}

// knownLocations are those of the locations named that there are.
func knownLocations(ctx context.Context, tx *postgres.Tx, findings []Finding) (map[string]bool, error) {
	named, known := []string{}, map[string]bool{}
	for _, f := range findings {
		named = append(named, f.Location)
	}
	rows, err := tx.Query(ctx, `select id from locations where id = any($1::text[])`, named)
	if err != nil {
		return nil, fmt.Errorf("read locations: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("read locations: %w", err)
		}
		known[id] = true
	}
	return known, rows.Err()
}

// ReturnRefund is what is paid back of a return: what was accepted is worth, less a fee, and
// a part of the shipping.
type ReturnRefund struct {
	ReturnID string
	Fee      *money.Money // kept
	Shipping *money.Money // paid back besides
	Reason   string

	StoreCredit bool // it becomes credit of the customer's instead

	Attempt string // the caller's name for it: asked again, it goes on with the same refund
}

// RefundReturn pays back what was accepted of a return that was inspected, and closes it when
// the money has gone. A refund that the provider refuses leaves the return as it is.
func (s *Service) RefundReturn(ctx context.Context, in ReturnRefund, answer Answer) error {
	// A refund of the order may have been asked for under the same name.
	name := hex.EncodeToString(token.Hash(in.ReturnID + " " + in.Attempt))
	var r refund
	err := s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		o, b, err := lockReturn(ctx, tx, in.ReturnID)
		if err != nil {
			return err
		}
		if r, err = attempted(ctx, tx, o.ID, name); err == nil || !errors.Is(err, postgres.ErrNoRows) {
			return err
		}
		if err := b.in(ReturnInspected); err != nil {
			return err
		}
		if err := b.beingPaid(ctx, tx); err != nil {
			return err
		}
		if r, err = o.planReturn(b, in); err != nil {
			return err
		}
		if in.StoreCredit {
			if err := r.toStoreCredit(ctx, tx, o); err != nil {
				return err
			}
		}
		return r.write(ctx, tx, name, in.Reason)
	})
	if err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	return s.pay(ctx, r, func(ctx context.Context, tx *postgres.Tx, refused *problem.Problem) error {
		return answer.give(ctx, tx, in.ReturnID, refused)
	})
}

// planReturn decides what is paid back of a return. Units that were paid back before are not
// paid back again, though they came back.
func (o *order) planReturn(b *goodsBack, in ReturnRefund) (refund, error) {
	r := refund{id: ids.New("ref"), order: o.ID, state: "pending", returned: b.id, lines: []LineQuantity{}, amount: money.Zero(o.Total.Currency)}
	left, err := o.leftToRefund("", false)
	if err != nil {
		return r, err
	}
	for _, l := range b.lines {
		sold := o.line(l.LineID)
		n := min(*l.Accepted, sold.unrefunded())
		if n == 0 {
			continue
		}
		worth, err := sold.worth(o.Total.Currency, n)
		if err != nil {
			return r, fmt.Errorf("worth of line %s: %w", l.LineID, err)
		}
		r.lines, r.amount.Amount = append(r.lines, LineQuantity{l.LineID, n}), r.amount.Amount+worth
	}
	wrong := problem.New(problem.Unprocessable, "details_invalid", "The return cannot be paid back so.")
	r.amount.Amount += o.atMost(wrong, "/shipping", in.Shipping, o.shipping())
	r.fee = o.atMost(wrong, "/fee", in.Fee, r.amount.Amount)
	r.amount.Amount -= r.fee
	if err := wrong.OrNil(); err != nil {
		return r, err
	}
	if r.amount.IsZero() {
		return r, problem.New(problem.Conflict, "nothing_left", "There is nothing to pay back. Close the return.")
	}
	if b.exchanged {
		r.setOff = min(r.amount.Amount, max(o.balance(), 0))
	}
	if r.amount.Amount-r.setOff > left || r.amount.Amount > o.Total.Amount-o.Refunded.Amount-o.refunding {
		return r, problem.New(problem.Unprocessable, "refund_exceeds_payment", "Only %s are left to pay back.", money.New(left, o.Total.Currency)).
			At("", "maximum", "It comes to %s.", r.amount)
	}
	r.parts = o.share("", r.id, r.amount.Amount-r.setOff)
	return r, nil
}

// closePaid ends a return that was paid back.
func closePaid(ctx context.Context, tx *postgres.Tx, id string) error {
	_, b, err := lockReturn(ctx, tx, id)
	if err != nil {
		return err
	}
	return b.become(ctx, tx, ReturnClosed, "")
}

// atMost is an amount that may be left out. One that is negative, more than most, or in another
// currency is wrong.
func (o *order) atMost(wrong *problem.Problem, at string, amount *money.Money, most int64) int64 {
	if amount == nil {
		return 0
	}
	if amount.Currency != o.Total.Currency || amount.Amount < 0 || amount.Amount > most {
		wrong.At(at, "amount", "It is not negative, and at most %s.", money.New(most, o.Total.Currency))
		return 0
	}
	return amount.Amount
}

// shipping is what sending the order cost, tax included.
func (o *order) shipping() int64 {
	rest := o.Total.Amount
	for _, l := range o.lines {
		rest -= l.gross
	}
	return rest
}
