package handlers

import (
	"context"

	"github.com/oapi-codegen/nullable"

	"github.com/stoacommerce/stoa/commerce/mailtemplates"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
)

// MailTemplates answers the operations on what mails say.
type MailTemplates struct {
	DB *postgres.DB
	// Preview writes a mail as it would be sent.
	Preview func(ctx context.Context, draft mailtemplates.Draft) (mail.Message, error)
	// Address is where an account gets its mail.
	Address func(ctx context.Context, accountID string) (string, error)
}

// Operations are the handlers by operationId.
func (h *MailTemplates) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"listMailTemplates":   h.list,
		"getMailTemplate":     h.get,
		"updateMailTemplate":  h.update,
		"resetMailTemplate":   h.reset,
		"previewMailTemplate": h.preview,
		"sendTestMail":        h.test,
	}
}

func (h *MailTemplates) list(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	list, err := mailtemplates.Kinds(ctx, h.DB, mail.Kind(after))
	if err != nil {
		return nil, err
	}
	list, next := page(list, req.Limit(adminPage), func(k mailtemplates.Kind) string { return string(k.Kind) })
	return openapi.List(req, list, next)
}

func (h *MailTemplates) get(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return answerMailTemplate(ctx, req, h.DB)
}

// answerMailTemplate shows a template as it is now.
func answerMailTemplate(ctx context.Context, req *openapi.Request, from postgres.Source) (*openapi.Response, error) {
	t, err := mailtemplates.Read(ctx, from, mailKind(req), req.Param("locale"))
	if err != nil {
		return nil, err
	}
	return openapi.OK(t).Tagged(t.Version), nil
}

func mailKind(req *openapi.Request) mail.Kind { return mail.Kind(req.Param("mail_kind")) }

func (h *MailTemplates) update(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.MailTemplateUpdate](req)
	if err != nil {
		return nil, err
	}
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	change := mailtemplates.Change{Subject: ownOrDefault(body.Subject), Body: ownOrDefault(body.BodyHTML), Version: version}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := mailtemplates.Write(ctx, tx, mailKind(req), req.Param("locale"), change); err != nil {
			return nil, err
		}
		return answerMailTemplate(ctx, req, tx)
	})
}

// ownOrDefault is what a merge patch says of a text: nil leaves it, one of nil takes it away.
func ownOrDefault(n nullable.Nullable[string]) **string {
	if !n.IsSpecified() {
		return nil
	}
	var text *string
	if value, err := n.Get(); err == nil {
		text = &value
	}
	return &text
}

func (h *MailTemplates) reset(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := mailtemplates.Write(ctx, tx, mailKind(req), req.Param("locale"), mailtemplates.Reset(version)); err != nil {
			return nil, err
		}
		return openapi.NoContent(), nil
	})
}

func (h *MailTemplates) preview(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.MailPreviewRequest](req)
	if err != nil {
		return nil, err
	}
	if !mailKind(req).SentByStores() {
		return nil, problem.Missing("kind of mail")
	}
	draft := mailtemplates.Draft{Kind: mailKind(req), Locale: req.Param("locale"), Subject: body.Subject, Body: body.BodyHTML, OrderID: given(body.OrderID)}
	if draft.OrderID != "" {
		if err := req.Allow("getOrder"); err != nil {
			return nil, err
		}
	}
	message, err := h.Preview(ctx, draft)
	if err != nil {
		return nil, err
	}
	return openapi.OK(gen.MailPreview{Subject: message.Subject, HTML: message.HTML, Text: message.Text}), nil
}

func (h *MailTemplates) test(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.TestMail](req)
	if err != nil {
		return nil, err
	}
	to, err := h.recipient(ctx, req, string(given(body.To)))
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		t, err := mailtemplates.Read(ctx, tx, mailKind(req), req.Param("locale"))
		if err != nil {
			return nil, err
		}
		letter := mail.NewLetter(to, t.Kind.Sample())
		letter.Locale, letter.Test = t.Locale, true
		journal.Job(tx, mail.JobSend, letter)
		journal.Audit(ctx, tx, journal.Entry{Action: "mail.test", ObjectID: string(t.Kind), After: map[string]string{"locale": t.Locale}})
		return accepted(), nil
	})
}

// recipient is who a test goes to: the address that is given, or else the member's own.
func (h *MailTemplates) recipient(ctx context.Context, req *openapi.Request, given string) (string, error) {
	who := req.Caller.Principal
	if given == "" && who.Kind == principal.Account {
		return h.Address(ctx, who.ID)
	}
	if !mail.ValidAddress(given) {
		return "", problem.New(problem.Unprocessable, "details_invalid", "A test goes to an e-mail address.").At("/to", "required", "It is no address that can be written to.")
	}
	return given, nil
}
