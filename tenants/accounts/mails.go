package accounts

import (
	"context"
	"net/url"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// The platform's pages that mails lead to. Each takes its token as the query's "token".
const (
	pathSignIn        = "/sign-in"
	pathForgotten     = "/forgot-password"
	pathResetPassword = "/reset-password"
	pathVerifyEmail   = "/verify-email"
	pathConfirmEmail  = "/confirm-email"
)

// page is the address of one of the platform's pages.
func (s *Service) page(path, token string) string {
	u := *s.config.Site
	u.Path = path
	if token != "" {
		u.RawQuery = url.Values{"token": {token}}.Encode()
	}
	return u.String()
}

// send has a mail written and sent once tx is committed.
func (s *Service) send(tx *postgres.Tx, to, name string, data mail.Data) {
	letter := mail.NewLetter(to, data)
	letter.ToName = name
	journal.Job(tx, mail.JobSend, letter)
}

// tellPassword tells an account's owner that the password was changed.
func (s *Service) tellPassword(ctx context.Context, tx *postgres.Tx, a Account) {
	s.send(tx, a.Email, a.Name, mail.PasswordChanged{ResetURL: s.page(pathForgotten, ""), At: clock.Now(), IP: ip(ctx)})
}

// tellTOTP tells an account's owner of a change of the authenticator.
func (s *Service) tellTOTP(ctx context.Context, tx *postgres.Tx, a Account, change mail.TOTPChange) {
	s.send(tx, a.Email, a.Name, mail.TOTPChanged{Change: change, ResetURL: s.page(pathForgotten, ""), At: clock.Now(), IP: ip(ctx)})
}
