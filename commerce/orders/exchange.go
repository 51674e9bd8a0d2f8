package orders

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/token"
)

// Exchange is what is sent instead of goods that come back.
type Exchange struct {
	ReturnID string
	Add      []Added // what the return names, when empty

	// Of a return that was inspected, and is settled by it: see ReturnRefund.
	Fee, Shipping *money.Money
	Reason        string
}

// ExchangeReturn adds what is sent instead to the order, once. Of a return that was inspected,
// what was accepted is set off against it; only the rest is owed, or paid back by PayBack with
// the refund whose ID is given. Of one that was not, RefundReturn sets it off later.
func (s *Service) ExchangeReturn(ctx context.Context, tx *postgres.Tx, in Exchange) (refundID string, err error) {
	o, b, err := lockReturn(ctx, tx, in.ReturnID)
	if err != nil {
		return "", err
	}
	if err := b.exchangeable(in); err != nil {
		return "", err
	}
	edit := Edit{OrderID: o.ID, Add: in.Add, Reason: in.Reason, Keep: true, exchanged: b.id}
	for i := 0; len(in.Add) == 0 && i < len(b.exchange); i++ {
		edit.Add = append(edit.Add, Added{VariantID: b.exchange[i].VariantID, Quantity: b.exchange[i].Quantity})
	}
	e, err := s.plan(ctx, tx, o, edit)
	if err != nil {
		return "", err
	}
	if _, _, err := s.edit(ctx, tx, o, e, edit); err != nil {
		return "", err
	}
	b.exchanged = true
	journal.Audit(ctx, tx, journal.Entry{Action: "return.exchange", ObjectID: b.id, Reason: in.Reason, Before: former(tx, o.ID), After: map[string]any{"order_id": o.ID, "lines": edit.Add}})
	if b.state != ReturnInspected {
		return "", nil
	}
	return s.setOff(ctx, tx, o, b, in)
}

// exchangeable refuses what cannot be exchanged.
func (b *goodsBack) exchangeable(in Exchange) error {
	wrong := problem.New(problem.Unprocessable, "details_invalid", "The return cannot be exchanged so.")
	if err := b.in(ReturnApproved, ReturnReceived, ReturnInspected); err != nil {
		return err
	}
	if b.exchanged {
		return problem.New(problem.Conflict, "invalid_transition", "The return was exchanged already.")
	}
	if len(in.Add)+len(b.exchange) == 0 {
		wrong.At("/add", "required", "The return does not name what is sent instead.")
	}
	for at, amount := range map[string]*money.Money{"/fee": in.Fee, "/shipping": in.Shipping} {
		if amount != nil && b.state != ReturnInspected {
			wrong.At(at, "excluded", "It is said when the return is paid back, which it is not before its inspection.")
		}
	}
	return wrong.OrNil()
}

// setOff settles a return that was inspected against what was added for it.
func (s *Service) setOff(ctx context.Context, tx *postgres.Tx, o *order, b *goodsBack, in Exchange) (string, error) {
	if err := b.beingPaid(ctx, tx); err != nil {
		return "", err
	}
	r, err := o.planReturn(b, ReturnRefund{ReturnID: b.id, Fee: in.Fee, Shipping: in.Shipping})
	if err != nil {
		return "", err
	}
	if err := r.write(ctx, tx, hex.EncodeToString(token.Hash("exchange "+b.id)), in.Reason); err != nil {
		return "", err
	}
	if len(r.parts) > 0 {
		return r.id, nil
	}
	return "", s.succeed(ctx, tx, o, r.ended())
}

// known refuses goods that there are not, before they are sent instead of others.
func (s *Service) known(ctx context.Context, tx *postgres.Tx, o *order, instead []Instead) error {
	if len(instead) == 0 {
		return nil
	}
	added := make([]Added, len(instead))
	for i, g := range instead {
		added[i] = Added{VariantID: g.VariantID, Quantity: g.Quantity}
	}
	_, err := s.Offers.Offer(ctx, tx, o.ID, added)
	var refused *problem.Problem
	if errors.As(err, &refused) {
		for i := range refused.Faults {
			refused.Faults[i].Pointer = strings.Replace(refused.Faults[i].Pointer, "/add/", "/exchange_lines/", 1)
		}
	}
	return err
}
