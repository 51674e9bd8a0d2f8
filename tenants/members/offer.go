package members

import (
	"context"
	"fmt"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Offer is what an invitation says to who holds the token from its mail.
type Offer struct {
	StoreName string
	Role      string // for people
	Email     string // that was invited
	Known     bool   // it has an account, which is to be signed in to
}

// Offer reads an invitation that can still be accepted. Reading it changes nothing.
func (s *Service) Offer(ctx context.Context, tx *postgres.Tx, secret string) (Offer, error) {
	i, err := byToken(ctx, tx, secret)
	if err != nil {
		return Offer{}, err
	}
	role, err := s.resolve(ctx, tx, i.storeID, i.Assignment)
	if err != nil {
		return Offer{}, err
	}
	offer := Offer{Role: role.label, Email: i.Email}
	if err := tx.QueryRow(ctx, `select name from stores where id = $1`, i.storeID).Scan(&offer.StoreName); err != nil {
		return Offer{}, fmt.Errorf("store of invitation %s: %w", i.ID, err)
	}
	_, err = s.config.Accounts.ByEmailTx(ctx, tx, i.Email)
	if err != nil && !problem.Is(err, "not_found") {
		return Offer{}, err
	}
	offer.Known = err == nil
	return offer, nil
}
