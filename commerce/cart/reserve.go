package cart

import (
	"context"

	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Reserve promises what is in a cart to its shopper for a while, which begins anew with
// whatever changes the cart. What was reserved before is let go of: whoever puts something
// into the cart asks again.
func (s *Service) Reserve(ctx context.Context, tx *postgres.Tx, ref Ref, version int) (*Cart, error) {
	return s.reserve(ctx, tx, ref, version, "cart.reserve", func(c *Cart) error {
		_, err := inventory.Reserve(ctx, tx, c.ID, c.Goods())
		return err
	})
}

// Release lets go of what is reserved for a cart.
func (s *Service) Release(ctx context.Context, tx *postgres.Tx, ref Ref, version int) (*Cart, error) {
	return s.reserve(ctx, tx, ref, version, "cart.release", func(c *Cart) error { return inventory.Release(ctx, tx, c.ID) })
}

func (s *Service) reserve(ctx context.Context, tx *postgres.Tx, ref Ref, version int, action string, do func(*Cart) error) (*Cart, error) {
	c, err := s.change(ctx, tx, updateSQL, ref, version, "{}")
	if err != nil {
		return nil, s.why(ctx, tx, ref, version, err)
	}
	if c.Draft != nil { // how long its goods are kept is its merchant's to say
		return nil, IsAgreed()
	}
	if err := do(c); err != nil {
		return nil, err
	}
	journal.Audit(ctx, tx, journal.Entry{Action: action, ObjectID: c.ID})
	return s.ReadIn(ctx, tx, ref)
}

// Goods are the cart's lines as the inventory sees them: those that are of a variant.
func (c *Cart) Goods() []inventory.Line {
	goods := make([]inventory.Line, 0, len(c.Lines))
	for _, line := range c.Lines {
		if line.VariantID != "" {
			goods = append(goods, inventory.Line{VariantID: inventory.VariantID(line.VariantID), Quantity: line.Quantity})
		}
	}
	return goods
}
