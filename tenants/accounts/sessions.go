package accounts

import (
	"context"
	"slices"

	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/sessions"
)

// ListSessions lists where an account is signed in, the latest first. Sessions of an
// earlier epoch, which have ended, are left out.
func (s *Service) ListSessions(ctx context.Context, id string) ([]sessions.Session, error) {
	standing, err := s.Standing(ctx, id)
	if err != nil || standing == nil {
		return nil, err
	}
	list, err := s.config.Sessions.List(ctx, id)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list, func(session sessions.Session) bool { return session.Stamp != standing.Stamp }), nil
}

// SignOut ends the session of a token.
func (s *Service) SignOut(ctx context.Context, token string) error {
	if err := s.config.Sessions.SignOut(ctx, token); err != nil {
		return err
	}
	return s.note(ctx, journal.Entry{Action: "session.end"})
}

// RevokeSession ends one of an account's sessions by its public ID.
func (s *Service) RevokeSession(ctx context.Context, accountID, id string) error {
	if err := s.config.Sessions.Revoke(ctx, accountID, id); err != nil {
		return err
	}
	return s.note(ctx, journal.Entry{Action: "session.revoke", ObjectID: id})
}

// note writes what was done in Redis into the audit.
func (s *Service) note(ctx context.Context, entry journal.Entry) error {
	return s.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		journal.Audit(ctx, tx, entry)
		return nil
	})
}
