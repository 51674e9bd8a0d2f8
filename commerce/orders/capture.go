package orders

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/token"
)

// What is asked of a provider with what it holds.
const (
	askCapture = "capture"
	askVoid    = "void"
)

// outcomes are the states of a payment by which it shows that what was asked is done.
var outcomes = map[string][]string{askCapture: {"captured"}, askVoid: {"voided"}}

// held is a payment of an order whose money has not come: due, or authorised.
type held struct {
	payments.Charge
	order, provider string
	state, asked    string
	part            money.Money // to be captured, where something is
}

const heldColumns = `p.id, p.order_id, p.provider, p.state, p.asked, p.asked_amount, p.currency, p.reference, p.account, p.capture, p.currency, p.amount`

func (h *held) scan(row interface{ Scan(...any) error }) error {
	return row.Scan(&h.Reference, &h.order, &h.provider, &h.state, &h.asked, &h.part.Amount, &h.part.Currency, &h.Theirs, &h.Account, &h.Capture, &h.Amount.Currency, &h.Amount.Amount)
}

// holds reads the payments that a statement gives.
func holds(ctx context.Context, tx *postgres.Tx, sql string, args ...any) (list []held, err error) {
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var h held
		if err := h.scan(rows); err != nil {
			return nil, err
		}
		list = append(list, h)
	}
	return list, rows.Err()
}

// Capture takes a payment that is authorised, and notes of one that is due that it came; with
// an amount so much of it, and the rest is let go. Attempt is the caller's name for it: asked
// again, it is not refused for being done. The answer is given the payment's ID.
func (s *Service) Capture(ctx context.Context, paymentID string, amount *money.Money, attempt string, answer Answer) error {
	return s.ask(ctx, paymentID, askCapture, amount, attempt, answer)
}

// Void gives a payment up that is authorised or due. Its order stays, without a payment.
func (s *Service) Void(ctx context.Context, paymentID, attempt string, answer Answer) error {
	return s.ask(ctx, paymentID, askVoid, nil, attempt, answer)
}

func (s *Service) ask(ctx context.Context, paymentID, what string, amount *money.Money, attempt string, answer Answer) error {
	var h held
	name, ended := hex.EncodeToString(token.Hash(what+attempt)), false
	err := s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		var order string
		err := tx.QueryRow(ctx, `select order_id from payments where id = $1`, paymentID).Scan(&order)
		if errors.Is(err, postgres.ErrNoRows) {
			return problem.Missing("payment")
		}
		if err != nil {
			return fmt.Errorf("read payment %s: %w", paymentID, err)
		}
		o, err := lock(ctx, tx, order)
		if problem.Is(err, "not_found") {
			return notHeld("It has no order yet.")
		}
		if err != nil {
			return err
		}
		if err := h.scan(tx.QueryRow(ctx, `select `+heldColumns+` from payments p where p.id = $1`, paymentID)); err != nil {
			return fmt.Errorf("read payment %s: %w", paymentID, err)
		}
		// What was asked under this name may have come about without its being answered.
		err = tx.QueryRow(ctx, `select asker = $2 and state = any ($3) from payments where id = $1`, paymentID, name, outcomes[what]).Scan(&ended)
		if err != nil {
			return fmt.Errorf("read payment %s: %w", paymentID, err)
		}
		if ended {
			return answer.give(ctx, tx, paymentID, nil)
		}
		if o.State == Cancelled && what == askCapture {
			return problem.New(problem.Conflict, "order_cancelled", "The order is cancelled.")
		}
		if h.state != "authorised" && h.state != "due" {
			return notHeld("It is " + h.state + ".")
		}
		part, err := o.part(h, what, amount)
		if err != nil {
			return err
		}
		return begin(ctx, tx, &h, what, part, name)
	})
	if err != nil || ended {
		return err
	}
	return s.carryOut(context.WithoutCancel(ctx), h, answer)
}

// part is how much of a payment is asked for: no more is captured than the order has come to
// owe since it was held.
func (o *order) part(h held, what string, amount *money.Money) (money.Money, error) {
	if what == askVoid {
		return h.Amount, nil
	}
	most := money.New(min(h.Amount.Amount, o.balance()), h.Amount.Currency)
	if most.Amount < 1 && h.Amount.Amount > 0 {
		return most, NothingOwed()
	}
	if amount == nil {
		return most, nil
	}
	if amount.Currency != most.Currency || amount.Amount < 1 || amount.Amount > most.Amount {
		return most, problem.New(problem.Unprocessable, "details_invalid", "This cannot be captured.").
			At("/amount", "amount", "It is more than nothing, and at most %s.", most)
	}
	return *amount, nil
}

func notHeld(why string) *problem.Problem {
	return problem.New(problem.Conflict, "payment_not_held", "The payment is neither authorised nor due. %s", why)
}

// beginSQL notes what a provider is to be asked. Of what is due nobody is asked.
const beginSQL = `update payments p set asked = case when p.state = 'authorised' then $2 else '' end, asked_amount = $4, asker = $3, updated_at = now()
where p.id = $1 and p.state in ('authorised', 'due') and (p.asked = '' or p.asked = $2 and p.asked_amount = $4) returning ` + heldColumns

func begin(ctx context.Context, tx *postgres.Tx, h *held, what string, part money.Money, name string) error {
	err := h.scan(tx.QueryRow(ctx, beginSQL, h.Reference, what, name, part.Amount))
	if errors.Is(err, postgres.ErrNoRows) {
		return notHeld("It is captured, voided or about to be.")
	}
	if err != nil {
		return fmt.Errorf("%s payment %s: %w", what, h.Reference, err)
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "payment." + what, ObjectID: h.Reference, After: map[string]any{"order_id": h.order, "amount": part}})
	if h.state == "authorised" {
		journal.JobAt(tx, clock.Now().Add(lease+5*time.Second), JobResume, struct{}{})
	}
	h.asked = what
	return nil
}

// letGo gives up what an order that is being cancelled was still to be paid by.
func letGo(ctx context.Context, tx *postgres.Tx, o *order) ([]held, error) {
	list, err := holds(ctx, tx, `select `+heldColumns+` from payments p where p.order_id = $1 and p.state in ('authorised', 'due') order by p.id`, o.ID)
	if err != nil {
		return nil, fmt.Errorf("payments of order %s: %w", o.ID, err)
	}
	for i := range list {
		if list[i].asked == askCapture {
			return nil, notHeld("It is about to be captured.")
		}
		if err := begin(ctx, tx, &list[i], askVoid, list[i].Amount, ""); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// carryOut does what was asked, and records what the provider said.
func (s *Service) carryOut(ctx context.Context, h held, answer Answer) error {
	provider, err := s.Providers.Named(h.provider)
	if err != nil {
		return err
	}
	call, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	var outcome payments.Outcome
	if h.asked == askVoid {
		outcome, err = provider.Void(call, h.Charge)
	} else {
		outcome, err = provider.Capture(call, h.Charge, h.part)
	}
	if err != nil {
		p := problem.New(problem.Unavailable, "payment_pending", "The provider gives no answer. It is asked again until it does.")
		p.RetryAfter = 5 * time.Second
		return p.Because(fmt.Errorf("%s payment %s: %w", h.asked, h.Reference, err))
	}
	return s.ended(ctx, h, outcome, answer)
}

// endSQL makes a payment that is held one of the state $2, of which $4 was let go.
const endSQL = `
update payments set state = $2, asked = '', released_amount = $4, reference = case when $3 = '' then reference else $3 end, updated_at = now()
where id = $1 and state in ('authorised', 'due')`

// ended records what became of a payment that was held. One of which nothing became stays
// as it is, and what was asked is refused.
func (s *Service) ended(ctx context.Context, h held, outcome payments.Outcome, answer Answer) error {
	var refused *problem.Problem
	err := s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		o, err := lock(ctx, tx, h.order)
		if err != nil {
			return err
		}
		switch outcome.Result {
		case payments.Succeeded:
			err = end(ctx, tx, o, h, "captured", outcome)
		case payments.Voided:
			err = end(ctx, tx, o, h, "voided", outcome)
		default:
			_, err = tx.Exec(ctx, `update payments set asked = '', failure = $2, updated_at = now() where id = $1 and state = 'authorised'`, h.Reference, outcome.Failure)
		}
		if err != nil {
			return fmt.Errorf("%s payment %s: %w", h.asked, h.Reference, err)
		}
		switch {
		case h.asked == askCapture && outcome.Result != payments.Succeeded:
			refused = problem.New(problem.Unprocessable, "capture_refused", "The payment provider refused to capture.").At("", outcome.Failure, "Nothing was taken.")
		case h.asked == askVoid && outcome.Result == payments.Succeeded:
			refused = notHeld("It was captured already.")
		}
		return answer.give(ctx, tx, h.Reference, refused)
	})
	if err == nil && refused != nil {
		return refused
	}
	return err
}

// end records what became of a payment that was held, unless somebody did before.
func end(ctx context.Context, tx *postgres.Tx, o *order, h held, state string, outcome payments.Outcome) error {
	before, amount := o.Summary, h.Amount
	if state == "captured" {
		amount.Amount = outcome.Taken
	}
	tag, err := tx.Exec(ctx, endSQL, h.Reference, state, outcome.Reference, h.Amount.Amount-amount.Amount)
	if err != nil || tag.RowsAffected() == 0 {
		return err
	}
	o.promised(h.state, -h.Amount.Amount)
	if state == "captured" {
		o.payments = append(o.payments, payment{ID: h.Reference, Taken: amount.Amount})
	} else {
		o.voided = true
	}
	if err := o.stand(ctx, tx); err != nil {
		return err
	}
	journal.Event(ctx, tx, "payment."+state, h.Reference, payments.EventData{ID: h.Reference, OrderID: o.ID, State: state, Amount: amount})
	if state == "captured" {
		o.earned(ctx, tx, before, amount)
	}
	o.tell(ctx, tx, before)
	journal.Audit(ctx, tx, journal.Entry{Action: "payment." + state, ObjectID: h.Reference, Before: former(tx, o.ID), After: o.told()})
	return nil
}

const takeOverAskedSQL = `
update payments p set updated_at = now() where id in (
	select id from payments where asked <> '' and updated_at < now() - $1::interval order by updated_at limit $2 for update skip locked)
returning ` + heldColumns

// resumeAsked asks providers again that were to capture or to void.
func (s *Service) resumeAsked(ctx context.Context) (int, error) {
	var left []held
	err := s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		left, err = holds(ctx, tx, takeOverAskedSQL, lease, batch)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("find captures left behind: %w", err)
	}
	var errs []error
	for _, h := range left {
		err := s.carryOut(ctx, h, nil)
		if err != nil && !problem.Is(err, "capture_refused") && !problem.Is(err, "payment_not_held") {
			errs = append(errs, fmt.Errorf("resume payment %s: %w", h.Reference, err))
		}
	}
	return len(left), errors.Join(errs...)
}

const workedOnSQL = `select ` + refundColumns + ` from refunds r
where r.order_id = $1 and r.state = 'pending' and ` + workedOn

// Learn looks at a payment of which its provider has news, and records what came of what
// is held and of refunds that the provider was at work on, and what was paid back or disputed
// elsewhere.
func (s *Service) Learn(ctx context.Context, paymentID string) error {
	var h held
	err := s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		return h.scan(tx.QueryRow(ctx, `select `+heldColumns+` from payments p where p.id = $1`, paymentID))
	})
	if errors.Is(err, postgres.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read payment %s: %w", paymentID, err)
	}
	if h.state == "authorised" {
		provider, err := s.Providers.Named(h.provider)
		if err != nil {
			return err
		}
		outcome, err := provider.Lookup(ctx, h.Charge)
		if err != nil {
			return fmt.Errorf("look up payment %s: %w", paymentID, err)
		}
		if outcome.Result == payments.Succeeded || outcome.Result == payments.Voided {
			h.asked = "" // nobody asked; it came about elsewhere
			if err := s.ended(ctx, h, outcome, nil); err != nil {
				return err
			}
		}
	}
	left, err := s.leftRefunds(ctx, workedOnSQL, h.order)
	if err = errors.Join(err, s.endRefunds(ctx, left)); err != nil || h.state != "captured" {
		return err
	}
	return s.book(ctx, h)
}
