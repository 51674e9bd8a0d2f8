package cart

import (
	"context"
	"fmt"

	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/token"
)

// Mine finds the open cart that a customer used last, on whatever device, and gives it
// with a token for this one; nil when there is none. A cart that the customer has filled
// before they signed in is named by guest: it becomes the customer's or, when they have
// one, is merged into it. The customer's cart survives, with what it says of addresses;
// quantities of the same line add up as far as they may, and a note is kept where the
// customer's cart has none.
func (s *Service) Mine(ctx context.Context, tx *postgres.Tx, customerID string, guest *Ref) (*Cart, Ref, error) {
	if guest == nil {
		guest = &Ref{}
	}
	mine, state, err := s.holdBoth(ctx, tx, customerID, *guest)
	switch {
	case err != nil:
		return nil, Ref{}, err
	case guest.ID != "" && state == "":
		return nil, Ref{}, problem.Missing("cart")
	case state == Completed:
		return nil, Ref{}, IsCompleted()
	case state == Completing:
		return nil, Ref{}, IsCompleting()
	case mine == "" && state == "":
		return nil, Ref{}, nil
	case mine == "":
		c, err := s.adopt(ctx, tx, *guest, customerID)
		return c, *guest, err
	}
	ref := Ref{ID: mine, Token: token.New("ct")}
	if _, err := tx.Exec(ctx, tokenSQL, mine, hash(ref)); err != nil {
		return nil, ref, fmt.Errorf("open cart %s: %w", mine, err)
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "cart.open", ObjectID: mine, After: map[string]any{"customer_id": customerID}})
	if state == "" {
		c, err := s.ReadIn(ctx, tx, ref)
		return c, ref, err
	}
	c, err := s.merge(ctx, tx, ref, guest.ID)
	return c, ref, err
}

// holdBoth finds the customer's cart and the state of the guest's, and holds both for the
// rest of the transaction.
func (s *Service) holdBoth(ctx context.Context, tx *postgres.Tx, customerID string, guest Ref) (mine string, state State, err error) {
	rows, err := tx.Query(ctx, mineSQL, customerID, guest.ID, hash(guest))
	if err != nil {
		return "", "", fmt.Errorf("find the cart of %s: %w", customerID, err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var found State
		var its bool
		if err := rows.Scan(&id, &found, &its); err != nil {
			return "", "", fmt.Errorf("find the cart of %s: %w", customerID, err)
		}
		switch {
		case its:
			state = found
		case found == Open: // it may have been bought while this waited
			mine = id
		}
	}
	return mine, state, rows.Err()
}

// adopt gives a cart that was begun by nobody in particular to a customer.
func (s *Service) adopt(ctx context.Context, tx *postgres.Tx, ref Ref, customerID string) (*Cart, error) {
	c, err := s.change(ctx, tx, adoptSQL, ref, 0, customerID)
	if err != nil {
		return nil, s.why(ctx, tx, ref, 0, err)
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "cart.adopt", ObjectID: c.ID, After: map[string]any{"customer_id": customerID}})
	return c, nil
}

// merge puts what is in a guest's cart into another, and throws the guest's away.
func (s *Service) merge(ctx context.Context, tx *postgres.Tx, ref Ref, guest string) (*Cart, error) {
	c, err := s.change(ctx, tx, mergeSQL, ref, 0, guest, MaxLines, MaxQuantity)
	if err != nil {
		return nil, s.why(ctx, tx, ref, 0, err)
	}
	if err := inventory.Release(ctx, tx, guest); err != nil {
		return nil, fmt.Errorf("release cart %s: %w", guest, err)
	}
	if _, err := tx.Exec(ctx, `delete from carts where id = $1`, guest); err != nil {
		return nil, fmt.Errorf("throw cart %s away: %w", guest, err)
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "cart.merge", ObjectID: c.ID, After: map[string]any{"merged_cart_id": guest, "lines": c.changed}})
	return c, nil
}
