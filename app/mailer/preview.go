package mailer

import (
	"context"

	"github.com/stoacommerce/stoa/commerce/mailtemplates"
	"github.com/stoacommerce/stoa/commerce/orders"
	"github.com/stoacommerce/stoa/platform/mail"
)

// Preview writes a mail of the context's store as it would be sent, and sends it to nobody: of
// an order, or else of a sample.
func (m *Mailer) Preview(ctx context.Context, draft mailtemplates.Draft) (mail.Message, error) {
	from, err := m.sender(ctx, "", draft.Kind)
	if err != nil {
		return mail.Message{}, err
	}
	t, err := draft.Over(from.says)
	if err != nil {
		return mail.Message{}, err
	}
	data := draft.Kind.Sample()
	if draft.OrderID != "" {
		about := &orders.Mailer{DB: m.config.DB, Links: m.config.Links}
		if data, err = about.Tells(ctx, draft.Kind, draft.OrderID); err != nil {
			return mail.Message{}, err
		}
	}
	return t.Render(draft.Locale, from.brand, data)
}
