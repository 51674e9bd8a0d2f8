package orders

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/stoacommerce/stoa/commerce/payments"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/token"
)

// book records what the provider's books have of a payment that was taken, and ours do not:
// refunds that were made at the provider's own page, and disputes.
func (s *Service) book(ctx context.Context, h held) error {
	provider, err := s.Providers.Named(h.provider)
	if err != nil {
		return err
	}
	keeper, keeps := provider.(payments.Bookkeeper)
	if !keeps {
		return nil
	}
	call, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	books, err := keeper.Books(call, h.Charge)
	if err != nil {
		return fmt.Errorf("books of payment %s: %w", h.Reference, err)
	}
	return s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		o, err := lock(ctx, tx, h.order)
		if err != nil {
			return err
		}
		for _, b := range books.Refunds {
			if err := s.bookRefund(ctx, tx, o, h, b); err != nil {
				return err
			}
		}
		return bookDisputes(ctx, tx, h, books.Disputes)
	})
}

// bookedSQL says whether a payment of an order has a refund, by the provider's name or by ours.
const bookedSQL = `select exists (
	select from refunds r cross join jsonb_to_recordset(r.parts) as x(id text, payment_id text, reference text)
	where r.order_id = $1 and x.payment_id = $2 and (x.reference = $3 or x.id = $4))`

// bookRefund records a refund that was made at the provider's page, once. One that we asked for
// is brought to its end by whoever asked.
func (s *Service) bookRefund(ctx context.Context, tx *postgres.Tx, o *order, h held, b payments.Booked) error {
	if b.Result != payments.Succeeded {
		return nil
	}
	var known bool
	err := tx.QueryRow(ctx, bookedSQL, o.ID, h.Reference, b.Reference, b.Ours).Scan(&known)
	if err != nil {
		return fmt.Errorf("refund %s of payment %s: %w", b.Reference, h.Reference, err)
	}
	// More than is left can go back there where part of it became store credit here: the
	// comparison of the books tells of that.
	if known || slices.ContainsFunc(o.payments, func(p payment) bool { return p.ID == h.Reference && p.Taken-p.Refunded < b.Amount.Amount }) {
		return nil
	}
	r := refund{id: ids.New("ref"), order: o.ID, amount: b.Amount, lines: []LineQuantity{}}
	// Nobody says there what it is for: it is what the merchant owes, where it can be.
	r.ofBalance = o.credit() >= b.Amount.Amount || o.Total.Amount-o.Refunded.Amount-o.refunding < b.Amount.Amount
	r.parts = []part{payment{ID: h.Reference, Provider: h.provider, Account: h.Account, Charged: h.Theirs}.part(r.id, b.Amount.Amount)}
	if err := r.write(ctx, tx, hex.EncodeToString(token.Hash("booked "+b.Reference)), ""); err != nil {
		return err
	}
	r.parts[0].end(payments.Outcome{Result: b.Result, Reference: b.Reference})
	return s.succeed(ctx, tx, o, r)
}

// bookDisputesSQL keeps a payment's disputes; its order, which shows them, has another version
// then.
const bookDisputesSQL = `
with p as (
	update payments set disputes = $2::jsonb, updated_at = now() where id = $1 returning order_id
)
update orders o set version = o.version + 1, updated_at = now() from p where o.id = p.order_id`

// bookDisputes keeps what became of a payment's disputes. News of before one's end, which may
// be read late, changes nothing.
func bookDisputes(ctx context.Context, tx *postgres.Tx, h held, found []payments.Dispute) error {
	var raw []byte
	var kept []payments.Dispute
	err := tx.QueryRow(ctx, `select disputes from payments where id = $1`, h.Reference).Scan(&raw)
	if err == nil {
		err = json.Unmarshal(raw, &kept)
	}
	if err != nil {
		return fmt.Errorf("disputes of payment %s: %w", h.Reference, err)
	}
	changed := false
	for _, d := range found {
		at := slices.IndexFunc(kept, func(k payments.Dispute) bool { return k.Reference == d.Reference })
		if at < 0 {
			changed = true
			kept = append(kept, d)
			tellDispute(ctx, tx, h, d, "opened", "open")
			if !d.Final() {
				continue
			}
		} else {
			was := kept[at]
			if was.Final() && !d.Final() || was.State == d.State && was.Withdrawn == d.Withdrawn && was.Amount == d.Amount {
				continue
			}
			kept[at], changed = d, true
			if was.State == d.State || !d.Final() {
				tellDispute(ctx, tx, h, d, "updated", "update")
				continue
			}
		}
		tellDispute(ctx, tx, h, d, d.State, map[string]string{payments.DisputeWon: "win", payments.DisputeLost: "lose", payments.DisputeClosed: "close"}[d.State])
	}
	if !changed {
		return nil
	}
	if raw, err = json.Marshal(kept); err == nil {
		_, err = tx.Exec(ctx, bookDisputesSQL, h.Reference, string(raw))
	}
	if err != nil {
		return fmt.Errorf("disputes of payment %s: %w", h.Reference, err)
	}
	return nil
}

// disputeEvent is what events and the audit tell of a dispute.
type disputeEvent struct {
	PaymentID string      `json:"payment_id"`
	OrderID   string      `json:"order_id"`
	Reference string      `json:"reference"`
	State     string      `json:"state"`
	Reason    string      `json:"reason"`
	Amount    money.Money `json:"amount"`
	Withdrawn bool        `json:"funds_withdrawn"`
}

func tellDispute(ctx context.Context, tx *postgres.Tx, h held, d payments.Dispute, what, verb string) {
	data := disputeEvent{h.Reference, h.order, d.Reference, d.State, d.Reason, d.Amount, d.Withdrawn}
	journal.Event(ctx, tx, "dispute."+what, h.Reference, data)
	journal.Audit(ctx, tx, journal.Entry{Action: "dispute." + verb, ObjectID: h.Reference, Before: former(tx, h.order), After: data})
}
