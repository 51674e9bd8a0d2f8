package customers

import (
	"context"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Confirm asks a customer who is signed in for the password once more, and counts guesses.
func (s *Service) Confirm(ctx context.Context, c Customer, password string) error {
	ref, ok := postgres.StoreFrom(ctx)
	if !ok {
		return postgres.ErrNoStore
	}
	attempt, err := s.Guard.Begin(ctx, guarded(ref, c.Email), principal.From(ctx).IP)
	if err != nil {
		return err
	}
	id, _, err := s.judge(ctx, c.Email, password)
	switch {
	case err != nil:
		attempt.Forgive(ctx)
		return err
	case id != c.ID:
		return problem.New(problem.Unauthenticated, "invalid_credentials", "This is not the password of the account.").
			At("/password", "invalid_credentials", "This is not the password of the account.")
	}
	attempt.Succeeded(ctx)
	return nil
}
