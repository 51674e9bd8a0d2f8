package mailer

import (
	"context"
	"fmt"

	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/webhooks"
)

// webhooksPath is the platform's page that says how an endpoint is turned on again.
const webhooksPath = "/docs"

// WebhookDisabled writes to the owner of the context's store that an endpoint was turned off.
func (m *Mailer) WebhookDisabled(ctx context.Context, args webhooks.DisabledArgs) error {
	ref, within := postgres.StoreFrom(ctx)
	if !within {
		return postgres.ErrNoStore
	}
	store, err := m.config.Stores.Get(ctx, ref.ID)
	if problem.Is(err, "not_found") || err == nil && store.OwnerEmail == "" {
		return nil // nobody is left to be told
	}
	if err != nil {
		return fmt.Errorf("owner of store %s: %w", ref.ID, err)
	}
	letter := mail.NewLetter(store.OwnerEmail, mail.WebhookDisabled{
		Endpoint: args.URL, Since: args.Since, LastFailure: args.LastFailure, Gone: args.Reason == webhooks.ReasonGone, URL: m.config.Site.JoinPath(webhooksPath).String(),
	})
	letter.ID = args.MailID
	return m.Send(ctx, letter)
}
